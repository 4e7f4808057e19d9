"""What this process has met since it started, for staff and for the log."""

import threading
from collections import Counter
from contextvars import ContextVar

counts = Counter()  # hits, misses and errors of the cache; refusals and waits of the site
of_request = ContextVar("of_request", default=None)  # a Counter for one request, if it wants one
_lock = threading.Lock()


def count(**numbers):
    with _lock:
        counts.update(numbers)
    if (mine := of_request.get()) is not None:
        mine.update(numbers)
