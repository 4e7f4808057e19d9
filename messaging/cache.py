import threading
import time
from collections import Counter

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

REST = 5  # seconds without the cache after it failed

counts = Counter()  # hits, misses, errors of this process since it started
_lock = threading.Lock()
_resting_until = 0.0


class FragmentCache(BaseCache):
    """The default cache, counted, behind the alias that `{% cache %}` looks for.

    It never raises: a cache that fails is a cache that misses. And nobody waits for a hung server
    twice: after an error it is left alone for a few seconds.
    """

    def __init__(self, alias, params):
        super().__init__(params)
        self._alias = alias or "default"

    def get(self, key, default=None, version=None):
        found = self._ask("get", key, version=version)
        _count(hits=found is not None, misses=found is None)
        return default if found is None else found

    def get_many(self, keys, version=None):
        keys = list(keys)
        found = (keys and self._ask("get_many", keys, version=version)) or {}
        _count(hits=len(found), misses=len(keys) - len(found))
        return found

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        self._ask("set", key, value, timeout=timeout, version=version)

    def set_many(self, data, timeout=DEFAULT_TIMEOUT, version=None):
        if data:
            self._ask("set_many", data, timeout=timeout, version=version)
        return []

    def delete(self, key, version=None):
        return bool(self._ask("delete", key, version=version))

    def clear(self):
        self._ask("clear")

    def _ask(self, method, *args, **kwargs):
        global _resting_until
        if time.monotonic() < _resting_until:
            return None
        cache = caches[self._alias]
        # django-redis swallows its errors at the front door; behind it they can be counted.
        cache = getattr(cache, "client", cache)
        try:
            return getattr(cache, method)(*args, **kwargs)
        except Exception:
            _count(errors=1)
            _resting_until = time.monotonic() + REST
            return None


def _count(**numbers):
    with _lock:
        counts.update(numbers)
