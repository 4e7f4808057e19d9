"""How a database of SQLite is copied while it is in use, and put back when it is not."""

import os
import sqlite3
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path

from django.conf import settings
from django.db import connection

from .files import Refusal, create, sync

SUFFIX = "sqlite3"
IN_USE = (
    "The database is in use: stop the site, and whatever else has {name} open. Nothing was changed."
)


@contextmanager
def snapshot(live=None):
    """Give the means to copy the database as it is at one moment; nobody has to wait for it."""
    with nullcontext(live) if live else closing(_open(_name())) as source:
        yield lambda target: _copy(source, target)


def _copy(source, target):
    with closing(_open(target)) as copy:
        source.backup(copy)  # in one step: with several, each write would begin it anew
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, that needs nothing beside it
        _check(copy)
    return _facts(target)


def _check(copy):
    try:
        found = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
        loose = copy.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        raise Refusal(f"The database is damaged: {error}.") from error
    if found != ["ok"]:
        raise Refusal(f"The database is damaged: {found[0]}.")
    if loose:
        raise Refusal(f"{len(loose)} rows of the database point to nothing: {loose[0][0]}.")


def _facts(path):
    """Return how many rows each table has, which migrations were applied, and the epoch."""
    with closing(_open(path)) as copy:
        tables = copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        rows = {
            name: copy.execute(f'SELECT COUNT(*) FROM "{name}"').fetchone()[0]  # noqa: S608
            for (name,) in tables
            if not name.startswith("sqlite_")
        }
        migrations = copy.execute("SELECT app || '.' || name FROM django_migrations").fetchall()
        epoch = copy.execute("SELECT value FROM messaging_cacheepoch").fetchone()
    return {
        "rows": rows,
        "migrations": sorted(name for (name,) in migrations),
        "epoch": epoch and epoch[0],
    }


# --- The way back --------------------------------------------------------------------------------


def is_there():
    return Path(_name()).exists()  # to connect would make it


@contextmanager
def alone():
    """Hold the database so that nobody else can open it; give None if there is none yet.

    Raises Refusal where somebody has it open: a process that is idle, too.
    """
    connection.close()
    path = Path(_name())
    if not path.exists() or not path.stat().st_size:
        yield None
        return
    with closing(_open(path)) as live:
        try:
            live.execute("PRAGMA busy_timeout=0")
            live.execute("PRAGMA locking_mode=EXCLUSIVE")
            # Refused while there is another connection; it brings home what is in the -wal, and
            # removes that and the -shm.
            live.execute("PRAGMA journal_mode=DELETE").fetchone()
            live.execute("BEGIN EXCLUSIVE")
            live.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            raise Refusal(IN_USE.format(name=path)) from error
        except sqlite3.DatabaseError:  # damaged: whoever restores wants to be rid of it
            live.close()
            yield DAMAGED
            return
        yield live


DAMAGED = object()


def is_damaged(live):
    return live is DAMAGED


def is_empty(live):
    return live is None or not live.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]


@contextmanager
def unpacked(file):
    """Put a backup into a database beside the site's own, and let Django speak to that one."""
    name = _name()
    scratch = Path(f"{name}.restoring")
    _remove(scratch)
    try:
        create(scratch)
        with closing(_open(file)) as source, closing(_open(scratch)) as target:
            source.backup(target)
            _check(target)
        _use(scratch)
        yield lambda live: _put_in_place(scratch, Path(name), live)
    except sqlite3.DatabaseError as error:
        raise Refusal(f"{file} can't be restored: {error}.") from error
    finally:
        _use(name)
        _remove(scratch)


def facts():
    """Return the facts of the database that Django speaks to."""
    return _facts(connection.settings_dict["NAME"])


def _put_in_place(scratch, path, live):
    """Let the database be what is in the scratch one, all of it or, if this fails, nothing."""
    connection.close()
    with closing(_open(scratch)) as source:
        source.execute("PRAGMA journal_mode=DELETE").fetchone()
        if live is not None and live is not DAMAGED:
            # Through SQLite, in one transaction, into the same file: a process that waits for it
            # can't be left with the former one, and a crash is rolled back by who opens it next.
            source.backup(live)
            return
    for end in ("-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            os.unlink(f"{path}{end}")
    sync(scratch)
    os.replace(scratch, path)
    sync(path.parent)


def _remove(path):
    for end in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            os.unlink(f"{path}{end}")


def _use(name):
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def _open(path):
    return sqlite3.connect(path, isolation_level=None, timeout=settings.LOCK_TIMEOUT)


def _name():
    return connection.settings_dict["NAME"]
