"""Writes that are begun again where the database broke them off for the sake of another one."""

import random
import time
from functools import wraps

from django.db import OperationalError, connection

from messaging.tally import count

BROKEN_OFF = {"40001", "40P01"}  # PostgreSQL's: a serialization failure, a deadlock
TRIES = 4


def retried(deed):
    """Let a write that was broken off begin again, up to three times.

    Only where it is the whole transaction: of a larger one, all has to begin again. And only for a
    deed that leaves nothing behind when its transaction is undone: no mail, no line in a log, no
    change in an object that was handed in.
    """

    @wraps(deed)
    def run(*args, **kwargs):
        left = 0 if connection.in_atomic_block else TRIES - 1
        while True:
            try:
                return deed(*args, **kwargs)
            except OperationalError as error:
                if not left or not was_broken_off(error):
                    raise
            left -= 1
            count(retries=1)
            time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 (so that the two don't meet again)

    return run


def was_broken_off(error):
    return getattr(error.__cause__, "sqlstate", None) in BROKEN_OFF
