import re
import threading
import time
from functools import partial

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.signals import request_started
from django.dispatch import receiver

from .tally import count

SLOW = 0.15  # seconds: what takes longer to answer is as bad as what doesn't
REST = 5  # seconds that a cache is left alone after that

_lock = threading.Lock()


class FragmentCache(BaseCache):
    """The default cache, counted, behind the alias that `{% cache %}` looks for.

    It never raises: a cache that fails is a cache that misses. And nobody waits for a hung server
    twice: after an error it is left alone for a few seconds. What a request stores goes there in
    one go, after the answer: what is in no hurry costs the reader nothing.
    """

    def __init__(self, alias, params):
        super().__init__(params)
        self._alias = alias or "default"
        self._pending = None  # in a request: what to store at its end, as (value, timeout) by key
        place = caches.settings.get(self._alias, {}).get("LOCATION", "")
        self._breaker = Breaker.of(f"{self._alias} {place}")

    def hold_back(self):
        """Keep what is stored until `close`, which Django calls when a request is over."""
        self._pending = {}

    def close(self, **kwargs):
        held, self._pending = self._pending, None
        for timeout in {timeout for _, timeout in (held or {}).values()}:
            some = {key: value for key, (value, until) in held.items() if until == timeout}
            self._ask("set_many", some, timeout=timeout)

    def get(self, key, default=None):
        found = self._pending[key][0] if key in (self._pending or ()) else self._ask("get", key)
        count(hits=found is not None, misses=found is None)
        return default if found is None else found

    def get_many(self, keys):
        keys = list(keys)
        found = {key: self._pending[key][0] for key in keys if key in (self._pending or ())}
        if unknown := [key for key in keys if key not in found]:
            found |= self._ask("get_many", unknown) or {}
        count(hits=len(found), misses=len(keys) - len(found))
        return found

    def set(self, key, value, timeout=DEFAULT_TIMEOUT):
        self._store({key: value}, timeout)

    def set_many(self, data, timeout=DEFAULT_TIMEOUT):
        self._store(data, timeout)
        return []

    def _store(self, data, timeout):
        if self._pending is not None:
            self._pending |= {key: (value, timeout) for key, value in data.items()}
        elif data:
            self._ask("set_many", data, timeout=timeout)

    def delete(self, key):
        (self._pending or {}).pop(key, None)
        return bool(self._ask("delete", key))

    def clear(self):
        self._pending = self._pending and {}
        self._ask("clear")

    def _ask(self, method, *args, **kwargs):
        # django-redis swallows its errors at the front door; behind it they can be counted.
        cache = caches[self._alias]
        cache = getattr(cache, "client", cache)
        ask = partial(getattr(cache, method), *args, **kwargs)
        return ask() if getattr(cache, "never_fails", False) else self._breaker.call(ask)


@receiver(request_started, dispatch_uid="messaging.hold_back")
def hold_back(**kwargs):
    for cache in caches.all():
        if isinstance(cache, FragmentCache):
            cache.hold_back()


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
