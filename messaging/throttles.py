"""How often a person may do what, and the two ways of counting it.

What writes is counted in the database (`count`), by one statement that locks its rows: the count is
exact over all processes and machines, whatever the cache does, and in no stretch of time as long as
a rate's is there more than it allows. What only looks is counted in the memory of the process
(`count_look`), for looking never writes.

Over a limit, both raise Throttled and count nothing: who is refused waits no longer for trying.
"""

import threading
import time
from dataclasses import dataclass
from math import ceil

from django.conf import settings
from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from .models import ThrottleCount

MINUTE, HOUR, DAY = 60, 60 * 60, 24 * 60 * 60  # seconds


@dataclass(frozen=True)
class Rate:
    number: int
    seconds: int


@dataclass(frozen=True)
class Limit:
    """What is counted, and how much of it is too much.

    With `slows`, a pair of another limit and a stricter rate, this one refuses nobody: over it, the
    other limit has that rate as well.
    """

    name: str
    rates: tuple
    slows: tuple = ()


SEND = Limit("send", (Rate(20, MINUTE), Rate(500, DAY)))  # of a person
FIRST_LETTER = Limit("first letter", (Rate(10, HOUR),))  # of a person, to somebody new
EDIT = Limit("edit", (Rate(30, MINUTE),))  # of a person
PEOPLE = Limit("people", (Rate(30, MINUTE),))  # of a person who looks somebody up
EXPORT = Limit("export", (Rate(3, MINUTE),))  # of a person who downloads it all
POLL = Limit("poll", (Rate(240, MINUTE),))  # of a session


class Throttled(Exception):
    """That was too often; `.retry_after` seconds from now it may be tried again."""

    def __init__(self, retry_after):
        super().__init__(f"try again in {retry_after} seconds")
        self.retry_after = retry_after

    @property
    def headers(self):
        return {"Retry-After": str(self.retry_after)}


# --- Writing: counted in the database ------------------------------------------------------------

MICRO = 1_000_000
STAMP = ".{:013x}"  # a moment: microseconds since 1970
WIDTH = len(STAMP.format(0))


def count(subjects):
    """Count one try under each limit, or raise Throttled and count it under none.

    `subjects` says who or what each limit is about: `{SEND: user.pk}`. Returns the Try.
    """
    subjects = subjects if is_on() else {}
    this = Try(subjects, _now())
    if subjects:
        with transaction.atomic():
            tries = this._write()
            if wait := max(this._wait(limit, tries) for limit in subjects):
                raise Throttled(ceil(wait / MICRO))  # and what was written is undone
    return this


def is_on():
    return getattr(settings, "MESSAGING_THROTTLES", True)


def prune():
    """Delete counts that no rate looks back to any more: a few, and none that is in use."""
    with transaction.atomic():
        old = ThrottleCount.objects.filter(kept_until__lt=_now()).order_by("kept_until")
        if connection.features.has_select_for_update_skip_locked:
            old = old.select_for_update(skip_locked=True)
        ThrottleCount.objects.filter(pk__in=old.values("pk")[:MOST_PRUNED]).delete()


MOST_PRUNED = 100


class Try:
    """One try, counted under some limits."""

    def __init__(self, subjects, now):
        self._keys = {limit: _key(limit, subject) for limit, subject in subjects.items()}
        self._now = now

    def give_back(self, *limits):
        """Take the try back from these limits: it was none of what they count."""
        if keys := {limit: key for limit, key in self._keys.items() if limit in limits}:
            with connection.cursor() as cursor:
                cursor.execute(*_statement(GIVE_BACK, keys, self._now))

    def _write(self):
        """Put the try before the former ones; return them all, by limit."""
        longest = max(rate.number for limit in self._keys for rate in limit.rates)
        with connection.cursor() as cursor:
            cursor.execute(*_statement(COUNT, self._keys, self._now, (longest + 1) * WIDTH))
            tries = dict(cursor.fetchall())
        return {limit: tries[key] for limit, key in self._keys.items()}

    def _wait(self, limit, tries):
        """Return for how many microseconds this try came too early; 0 if it did not."""
        wait = max(self._wait_for(rate, tries[limit]) for rate in limit.rates)
        if not limit.slows:
            return wait
        slowed, rate = limit.slows
        return self._wait_for(rate, tries[slowed]) if wait else 0

    def _wait_for(self, rate, tries):
        # This try is the first of all: so many places on is the one that must be past by now.
        place = rate.number * WIDTH
        found = tries[place + 1 : place + WIDTH]
        return max(0, int(found, 16) + rate.seconds * MICRO - self._now) if found else 0


# The rows are locked in the order of their keys, so that no two tries wait for each other.
UPSERT = """
    INSERT INTO {table} (key, tries, kept_until) VALUES {values}
    ON CONFLICT (key) DO UPDATE SET {change}
    RETURNING key, tries
"""
COUNT = """
    tries = SUBSTR(EXCLUDED.tries || {table}.tries, 1, %s), kept_until = EXCLUDED.kept_until
"""
GIVE_BACK = "tries = REPLACE({table}.tries, EXCLUDED.tries, '')"


def _statement(change, keys, now, *values):
    """Return the statement that changes the rows of these keys, and its values."""
    stamp, rows = STAMP.format(now), []
    for limit, key in sorted(keys.items(), key=lambda item: item[1]):
        kept_until = now + max(rate.seconds for rate in limit.rates) * MICRO
        rows += [key, stamp, kept_until]
    table = connection.ops.quote_name(ThrottleCount._meta.db_table)
    sql = UPSERT.format(
        table=table,
        values=", ".join(["(%s, %s, %s)"] * len(keys)),
        change=change.format(table=table),
    )
    return sql, [*rows, *values]


def _key(limit, subject):
    digest = salted_hmac(__name__, f"{limit.name}\n{subject}", algorithm="sha256").digest()
    return int.from_bytes(digest[:8], signed=True)


def _now():
    return int(time.time() * MICRO)


# --- Looking: counted in memory ------------------------------------------------------------------


class Minutes:
    """How often each thing was done in this minute, and in the one before it.

    A minute slides: of the one before counts the part that is not over yet.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self.forget()

    def forget(self):
        self._minute, self._counts, self._before = 0, {}, {}

    def count(self, limit, subject):
        minute, past = divmod(_now() / MICRO, MINUTE)
        key, [rate] = (limit.name, subject), limit.rates
        with self._lock:
            self._turn_to(minute)
            number = self._counts.get(key, 0) + 1
            if number + self._before.get(key, 0) * (1 - past / MINUTE) > rate.number:
                raise Throttled(ceil(MINUTE - past))
            self._counts[key] = number

    def _turn_to(self, minute):
        if minute != self._minute:
            is_next = minute == self._minute + 1
            self._before = self._counts if is_next else {}
            self._minute, self._counts = minute, {}


_minutes = Minutes()


def count_look(limit, subject):
    """Count a look, or raise Throttled; the rate is one a minute, of each process."""
    if is_on():
        _minutes.count(limit, subject)


def forget_looks():
    """Let this process begin to count anew."""
    _minutes.forget()
