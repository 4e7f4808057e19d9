import re
import threading
import time
from functools import partial

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

from .tally import count

SLOW = 0.15  # seconds: what takes longer to answer is as bad as what doesn't
REST = 5  # seconds that a cache is left alone after that

_lock = threading.Lock()


class FragmentCache(BaseCache):
    """The default cache, counted, behind the alias that `{% cache %}` looks for.

    It never raises: a cache that fails is a cache that misses. And nobody waits for a hung server
    twice: after an error it is left alone for a few seconds.
    """

    def __init__(self, alias, params):
        super().__init__(params)
        self._alias = alias or "default"
        place = caches.settings.get(self._alias, {}).get("LOCATION", "")
        self._breaker = Breaker.of(f"{self._alias} {place}")

    def get(self, key, default=None, version=None):
        found = self._ask("get", key, version=version)
        count(hits=found is not None, misses=found is None)
        return default if found is None else found

    def get_many(self, keys, version=None):
        keys = list(keys)
        found = (keys and self._ask("get_many", keys, version=version)) or {}
        count(hits=len(found), misses=len(keys) - len(found))
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
        # django-redis swallows its errors at the front door; behind it they can be counted.
        cache = caches[self._alias]
        cache = getattr(cache, "client", cache)
        ask = partial(getattr(cache, method), *args, **kwargs)
        return ask() if getattr(cache, "never_fails", False) else self._breaker.call(ask)


class Breaker:
    """Keeps everybody from waiting for a cache that failed, one by one.

    Open, it lets nobody through for REST seconds; then one goes and looks, and closes it if the
    cache answers. There is one for each address, for all threads of the process.
    """

    _known = {}

    @classmethod
    def of(cls, address):
        address = re.sub(r"//[^/@]*@", "//", address)  # it will be shown: without the password
        with _lock:
            return cls._known.setdefault(address, cls())

    @classmethod
    def open_addresses(cls):
        """Return the addresses of the caches that are left alone now."""
        return sorted(address for address, breaker in list(cls._known.items()) if breaker.is_open)

    def __init__(self):
        self._open_until = None  # None: it is closed

    @property
    def is_open(self):
        return self._open_until is not None

    def call(self, ask, *, failures=Exception, otherwise=lambda: None):
        """Return what `ask` does; if it fails, or nobody may ask now, what `otherwise` does."""
        if self.is_open and not self._may_look():
            return otherwise()
        started = time.monotonic()
        try:
            found = ask()
        except failures:
            self._open()
            return otherwise()
        if time.monotonic() - started > SLOW:
            self._open()
        else:
            self._open_until = None
        return found

    def _open(self):
        self._open_until = time.monotonic() + REST
        count(errors=1)

    def _may_look(self):
        with _lock:
            now = time.monotonic()
            if self._open_until is not None and now < self._open_until:
                return False
            self._open_until = now + REST  # the others wait for what this one finds
            return True
