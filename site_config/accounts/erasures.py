"""The log of who left, outside the database: it tells a backup from before what it must forget.

A line is `time state id digest`. The digest is of the id and the moment of joining: it tells the
account again, and not another that got the same id after a restore; it needs no secret, which a new
machine might not have. No name can be found in it.

The line `intended` is on the disk before the account goes, in the transaction; the row `Erasure`
commits with it; `done` comes after the commit and before the answer. A crash in between leaves an
intention, which `settle` resolves by what the database says: the row is there (done) or the account
is (undone). An intention that nobody can resolve any more counts as done: the person asked for it.
"""

import hashlib
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import OperationalError, transaction

from site_config.accounts.models import Erasure

LINE = re.compile(
    r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (intended|done|undone) (\d{1,18}) ([0-9a-f]{64})$",
    re.MULTILINE,
)
UNDER_WAY = timedelta(minutes=5)  # a younger intention may still commit


@dataclass(frozen=True)
class Entry:
    user_id: int
    digest: str
    at: datetime
    state: str = "done"


def digest_of(user):
    moment = user.date_joined.astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(f"parley account {user.pk} {moment}".encode()).hexdigest()


def intend(user):
    """Note that this account is about to go; raise OperationalError if that can't be noted."""
    try:
        _append([Entry(user.pk, digest_of(user), _now(), "intended")])
    except OSError as error:  # without the line, no deletion: like any other full disk
        raise OperationalError(f"disk I/O error: {settings.ERASURE_LOG}: {error}") from error


def record(user):
    """Let the row commit with the deletion, and the line `done` follow the commit."""
    row, _ = Erasure.objects.get_or_create(digest=digest_of(user), defaults={"user_id": user.pk})
    entry = Entry(row.user_id, row.digest, row.erased_at)
    transaction.on_commit(lambda: _append([entry]), robust=True)


def read(path=None):
    """Return the entries of a log, each with its latest state; torn lines are passed over."""
    path = Path(path or settings.ERASURE_LOG)
    found = {}
    for time, state, user_id, digest in LINE.findall(path.read_text() if path.exists() else ""):
        found[digest] = Entry(int(user_id), digest, datetime.fromisoformat(time), state)
    return list(found.values())


def recorded():
    """Return the entries of the database: those of all machines that share it."""
    return [Entry(row.user_id, row.digest, row.erased_at) for row in Erasure.objects.order_by("pk")]


def settle():
    """Resolve intentions by what the database says, and write down what other machines did."""
    known = {entry.digest: entry for entry in read()}
    rows = recorded()
    _append([row for row in rows if getattr(known.get(row.digest), "state", "") != "done"])
    open_ones = known.keys() - {row.digest for row in rows}
    for entry in (known[digest] for digest in open_ones):
        is_over = entry.state == "intended" and entry.at < _now() - UNDER_WAY
        if is_over and find_account(entry):
            _append([Entry(entry.user_id, entry.digest, _now(), "undone")])


def apply(entries):
    """Erase in this database who is told by the entries; return the ids of who was still there."""
    erased = []
    for entry in entries:
        with transaction.atomic():
            if user := find_account(entry):
                user.delete()
                erased.append(entry.user_id)
            else:
                Erasure.objects.get_or_create(
                    digest=entry.digest,
                    defaults={"user_id": entry.user_id, "erased_at": entry.at},
                )
    return erased


def find_account(entry):
    """Return the very account that an entry is about, if it is there."""
    user = get_user_model()._base_manager.filter(pk=entry.user_id).first()
    return user if user and digest_of(user) == entry.digest else None


def _append(entries):
    """Write lines that are on the disk when this returns."""
    if not entries:
        return
    handle = os.open(settings.ERASURE_LOG, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with open(handle, "rb+", buffering=0) as file:
        lines = "".join(_line(entry) for entry in entries)
        file.write((_end_of_torn_line(file) + lines).encode())
        os.fsync(handle)


def _line(entry):
    moment = entry.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{moment} {entry.state} {entry.user_id} {entry.digest}\n"


def _end_of_torn_line(file):
    if not file.seek(0, os.SEEK_END):
        return ""
    file.seek(-1, os.SEEK_END)
    return "" if file.read(1) == b"\n" else "\n"


def _now():
    return datetime.now(UTC)
