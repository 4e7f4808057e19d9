import logging
import threading
import time

from django.db import OperationalError, connection

# What SQLite says when it can't write now. PostgreSQL's OperationalErrors are all of this kind
# (gone, restarting, deadlock, time-out); SQLite's are also "no such table".
SQLITE_BUSY = ["is locked", "is full", "disk I/O error", "readonly database", "unable to open"]
WRITING = ("BEGIN", "INSERT", "UPDATE", "DELETE")

WAITING = 2  # writers of a process that wait for SQLite: the other threads are for who reads
PATIENCE = 1  # seconds without any write, after which nobody else begins to wait


def is_busy(exception):
    """Tell whether the database will do it later: worth trying again, and nobody's mistake."""
    if not isinstance(exception, OperationalError):
        return False
    if connection.vendor != "sqlite":
        return True
    return any(words in str(exception) for words in SQLITE_BUSY)


class WithoutTraceback(logging.Filter):
    """Let the log say in one line that something was answered with 503, wherever it was raised."""

    def filter(self, record):
        if record.exc_info and is_busy(record.exc_info[1]):
            record.exc_info = None
        return True


class Queue:
    """Lets so many threads of this process wait for SQLite's one writer, and no more.

    Where writing gets on, the next one soon has its turn; where it doesn't, the next one is refused
    at once, as busy, instead of taking its thread from somebody who reads.
    """

    def __init__(self):
        self._change = threading.Condition()
        self._waiting, self._moved = 0, 0.0

    def __enter__(self):
        with self._change:
            if not self._waiting:
                self._moved = time.monotonic()
            while self._waiting >= WAITING:
                left = self._moved + PATIENCE - time.monotonic()
                if left <= 0:
                    raise OperationalError("database is locked, and enough wait for it already")
                self._change.wait(left)
            self._waiting += 1

    def __exit__(self, failure, *args):
        with self._change:
            self._waiting -= 1
            if failure is None:
                self._moved = time.monotonic()
            self._change.notify_all()


queue = Queue()


def wait_in_turn(execute, sql, params, many, context):
    """Run a statement (`connection.execute_wrapper`); what begins to write, in its turn."""
    if not _begins_to_write(sql):
        return execute(sql, params, many, context)
    with queue:
        return execute(sql, params, many, context)


def _begins_to_write(sql):
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return False  # PostgreSQL locks rows; and a transaction that has begun has the lock
    return sql.startswith(WRITING)
