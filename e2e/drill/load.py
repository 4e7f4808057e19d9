"""What people do while something goes wrong, and what they were told of it.

(`readers` of them only read.)

Each writes to two others around a ring, and reads and polls. A write carries its client token and
is tried again, a few times, with the same one; what was acknowledged is in `acks`.
"""

import hashlib
import random
import re
import secrets
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from .people import NO_ANSWER, Answer

MIX = {"send": 30, "edit": 8, "delete": 2, "reply": 10, "poll": 20, "talk": 15, "thread": 15}
WRITES = {"send", "edit", "delete", "reply"}
TRIES = 6  # the first, and five more
WAITS = (0.2, 0.4, 0.8, 1.6, 3.2)  # seconds before each further try, if nobody says how long
AT_ONCE = 8  # clients
MOST_REVISIONS = 45
INBOX = "/inbox/?show=all"

# In every text: which message it is, by whom and to whom (by their places), and its revision.
MARK = re.compile(r"m([0-9a-f]{12})s(\d+)t(\d+)r(\d+)\b")
WORDS = ["old", "mill", "river", "wheel", "bread", "Sunday", "train", "garden", "kettle", "late"]


@dataclass
class Letter:
    """A message as its writer knows it."""

    key: str
    sender: int
    receiver: int
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    pk: int = 0
    root: "Letter" = None
    revision: int = 1
    text: str = ""
    is_deleted: bool = False
    unsure: bool = False  # an edit or a delete was never answered

    @property
    def people(self):
        return {self.sender, self.receiver}

    @property
    def top(self):
        return self.root or self

    def write(self, revision):
        words = " ".join(random.choices(WORDS, k=random.randint(3, 30)))  # noqa: S311
        return f"m{self.key}s{self.sender}t{self.receiver}r{revision} {words}"


@dataclass
class Ack:
    """A write that was acknowledged."""

    kind: str
    letter: Letter
    revision: int
    digest: str
    began: float  # the first try
    ended: float


@dataclass
class Sight:
    """What one person was shown: which revision of which message."""

    person: int
    kind: str
    about: object  # the other person, or the first message of the thread
    shown: dict
    answer: Answer
    ptag: str = ""  # what the page already had
    foreign: set = field(default_factory=set)


@dataclass
class Try:
    kind: str
    number: int  # 0: the first
    answer: Answer

    @property
    def is_write(self):
        return self.kind in WRITES

    @property
    def is_bad(self):
        return self.answer.status == NO_ANSWER or self.answer.status >= 500


class Load:
    """`with Load(site, seconds=20) as load: …` — at its end, everybody has finished."""

    def __init__(self, site, *, seconds, clients=AT_ONCE, readers=0, urls=()):
        self.site, self.seconds, self.readers = site, seconds, readers
        self.people = site.people(clients)
        self.urls = list(urls) or [site.url]
        self.acks, self.tries, self.sights, self.lost, self.letters = [], [], [], [], []
        self.began = self.ended = 0.0
        self.log_from = len(site.said)
        self._stop, self._lock, self._faults = threading.Event(), threading.Lock(), []

    def __enter__(self):
        self.began = time.monotonic()
        self._threads = [
            threading.Thread(target=self._live, args=(place,), daemon=True)
            for place in range(len(self.people))
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error):
        if not any(error):
            self.wait_until(self.seconds)
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=90)
        self.ended = time.monotonic()
        if self._faults and not any(error):
            raise self._faults[0]

    # --- For who injects a fault ---

    def wait_until(self, moment):
        """Sleep until `moment` seconds after the beginning."""
        time.sleep(max(0.0, self.began + moment - time.monotonic()))

    def every(self, pause, until=None):
        """Return at each pause, until the load ends."""
        until = self.seconds if until is None else until
        while time.monotonic() < self.began + until:
            yield
            time.sleep(pause)

    # --- What came of it ---

    def times(self, *, writes=False, between=(0, 1e9), good_only=True):
        """Return how long each answer took, of what was begun in this stretch of the load."""
        first, last = (self.began + moment for moment in between)
        return [
            one.answer.seconds
            for one in self.tries
            if one.is_write == writes
            and first <= one.answer.began < last
            and not (good_only and one.is_bad)
        ]

    def p95(self, **which):
        return p95(self.times(**which))

    def bad(self, *, writes, number=None):
        """Count the tries that failed, by status (0: no answer); those of one number, or all."""
        return Counter(
            one.answer.status
            for one in self.tries
            if one.is_write == writes and one.is_bad and number in (None, one.number)
        )

    def first_failed(self):
        """Return which part of the first tries failed."""
        first = [one.is_bad for one in self.tries if one.number == 0]
        return sum(first) / max(1, len(first))

    def errors(self):
        """Return what kept requests from being answered at all, in the words of the client."""
        return {one.answer.body for one in self.tries if one.answer.status == NO_ANSWER}

    @property
    def last_good(self):
        """The moment of the latest answer that was none of a fault."""
        return max((one.answer.ended for one in self.tries[-50:] if not one.is_bad), default=0)

    def gap(self):
        """Return the longest time in which nothing succeeded."""
        ends = sorted(one.answer.ended for one in self.tries if not one.is_bad)
        return max((later - sooner for sooner, later in pairwise(ends)), default=self.seconds)

    # --- What each of them does ---

    def _live(self, place):
        try:
            _Life(self, place).run()
        except Exception as error:
            self._faults.append(error)


class _Life:
    def __init__(self, load, place):
        self.load, self.place = load, place
        number = len(load.people)
        self.partners = sorted({(place + step) % number for step in (1, -1)} - {place})
        self.mine, self.ptag = [], ""
        person = load.people[place]
        self.browsers = [person.copy(url) for url in load.urls]

    def run(self):
        only_reads = self.place < self.load.readers
        mix = {kind: MIX[kind] for kind in MIX if not (only_reads and kind in WRITES)}
        kinds, weights = zip(*mix.items(), strict=True)
        until = self.load.began + self.load.seconds
        while time.monotonic() < until and not self.load._stop.is_set():
            kind = random.choices(kinds, weights)[0]  # noqa: S311
            getattr(self, f"_{kind}")()

    # --- Writing ---

    def _send(self):
        letter = Letter(secrets.token_hex(6), self.place, self._partner())
        receiver = self.load.people[letter.receiver].name
        fields = {"to": receiver, "client_token": letter.token}
        self._write("send", letter, "/messages/new/", fields, revision=1)

    def _reply(self):
        with self.load._lock:
            heads = [one for one in self.load.letters[-60:] if self._may_reply(one)]
        if not heads:
            return self._send()
        head = random.choice(heads)  # noqa: S311
        [other] = head.people - {self.place}
        letter = Letter(secrets.token_hex(6), self.place, other, root=head)
        path = f"/messages/{head.pk}/reply/"
        return self._write("reply", letter, path, {"client_token": letter.token}, revision=1)

    def _may_reply(self, letter):
        return letter.root is None and not letter.is_deleted and self.place in letter.people

    def _edit(self):
        if not (letter := self._one_of_mine()):
            return self._send()
        path, fields = f"/messages/{letter.pk}/edit/", {"revision": letter.revision}
        return self._write("edit", letter, path, fields, revision=letter.revision + 1)

    def _delete(self):
        if not (letter := self._one_of_mine()):
            return self._send()
        letter.is_deleted = True  # nobody begins a reply to it from here on
        return self._write("delete", letter, f"/messages/{letter.pk}/delete/", {}, revision=0)

    def _one_of_mine(self):
        live = [one for one in self.mine[-40:] if not (one.is_deleted or one.unsure)]
        live = [one for one in live if one.revision < MOST_REVISIONS]
        return random.choice(live) if live else None  # noqa: S311

    def _partner(self):
        return random.choice(self.partners)  # noqa: S311

    def _write(self, kind, letter, path, fields, *, revision):
        text = letter.write(revision) if revision else ""
        if revision:
            fields = fields | {"content": text}
        began, may_be_done = time.monotonic(), False
        for number in range(TRIES):
            answer = self._try(kind, number, lambda: self._browser().post(path, fields))
            if _is_done(kind, answer, may_be_done, text):
                return self._acknowledge(kind, letter, revision, text, began, answer)
            if answer.status == 404 and kind == "reply":
                return None  # its thread went a moment ago
            if answer.status == 422 and kind == "reply":
                return None  # its message was deleted
            may_be_done |= answer.status == NO_ANSWER
            if not self._waits(number, answer):
                break
        letter.unsure |= may_be_done
        with self.load._lock:
            self.load.lost.append((kind, letter, revision, may_be_done, answer.status))
        return None

    def _waits(self, number, answer):
        """Wait before the next try; there is none after an answer that stays the same."""
        if number == TRIES - 1 or not (answer.status == NO_ANSWER or answer.status >= 500):
            return False
        wait = float(answer.headers.get("retry-after", WAITS[number]))
        # Nobody comes back to the tick; a fault that comes each second would meet them each time.
        time.sleep(wait * random.uniform(1, 1.5))  # noqa: S311
        return True

    def _acknowledge(self, kind, letter, revision, text, began, answer):
        letter.pk = letter.pk or answer.pk
        letter.revision, letter.text = (revision or letter.revision), text
        ack = Ack(kind, letter, revision, digest(text), began, answer.ended)
        with self.load._lock:
            self.load.acks.append(ack)
            if kind in ("send", "reply"):
                self.load.letters.append(letter)
                self.mine.append(letter)

    # --- Reading ---

    def _poll(self):
        answer = self._look("poll", None, lambda: self._browser().look_again(INBOX, self.ptag))
        self.ptag = answer.headers.get("hx-ptag", self.ptag)

    def _talk(self):
        other = self._partner()
        path = f"/conversation/{self.load.people[other].name}/"
        with self.load._lock:
            pair = {self.place, other}
            is_there = any(letter.people == pair for letter in self.load.letters)
        if not is_there:
            return self._poll()  # there is no conversation yet, or none that we know of
        return self._look("talk", other, lambda: self._browser().get(path))

    def _thread(self):
        with self.load._lock:
            heads = [one for one in self.load.letters[-60:] if self._may_reply(one)]
        if not heads:
            return self._poll()
        head = random.choice(heads)  # noqa: S311
        path = f"/messages/{head.pk}/"
        return self._look("thread", head, lambda: self._browser().get(path))

    def _look(self, kind, about, ask):
        had = self.ptag if kind == "poll" else ""
        for number in range(TRIES):
            answer = self._try(kind, number, ask)
            if not self._waits(number, answer):
                break
        self._note(kind, about, answer, had)
        return answer

    def _note(self, kind, about, answer, had):
        shown, foreign = {}, set()
        for key, sender, receiver, revision in MARK.findall(answer.body):
            if str(self.place) not in (sender, receiver):
                foreign.add(key)
            shown[key] = min(int(revision), shown.get(key, int(revision)))
        sight = Sight(self.place, kind, about, shown, answer, had, foreign)
        sight.answer.body = "" if answer.status == 200 else answer.body[:300]
        with self.load._lock:
            self.load.sights.append(sight)

    # --- Either ---

    def _browser(self):
        return random.choice(self.browsers)  # noqa: S311

    def _try(self, kind, number, ask):
        answer = ask()
        with self.load._lock:
            self.load.tries.append(Try(kind, number, answer))
        return answer


def _is_done(kind, answer, may_be_done, text):
    """Tell whether the write is acknowledged, by this answer or by what it says of an earlier."""
    if answer.status == 302:
        return True
    if not may_be_done:
        return False
    if kind == "edit":  # somebody was faster: oneself
        return answer.status == 409 and text.split()[0] in answer.body
    return kind == "delete" and answer.status == 404


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def p95(times):
    times = sorted(times)
    return times[int(len(times) * 0.95)] if times else 0.0
