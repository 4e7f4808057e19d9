"""Redis may go away. Until it is back, the memory of this process stands in for it."""

from functools import partial

from django.core.cache.backends.locmem import LocMemCache
from django_redis.client import DefaultClient
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

from .cache import Breaker

FAILURES = (ConnectionInterrupted, RedisError, OSError)
DEEDS = {"add", "decr", "delete", "delete_many", "get", "get_many", "has_key", "incr", "set"}
DEEDS |= {"set_many", "touch"}


class StandbyClient:
    """django-redis' client (its setting CLIENT_CLASS), for when the server fails.

    Pages stay warm: in this process alone, which is all right for whatever may be in a cache. Of a
    server that hangs, one request notices.
    """

    never_fails = True

    def __init__(self, server, params, backend):
        self._redis = DefaultClient(server, params, backend)
        self._memory = LocMemCache(f"standby for {server}", params | {"OPTIONS": LIMITS})
        self._breaker = Breaker.of(str(server))

    def clear(self):
        self._memory.clear()
        self._do("clear")

    def __getattr__(self, name):
        if name in DEEDS:
            return partial(self._do, name)
        return getattr(self._redis, name)

    def _do(self, name, *args, client=None, **kwargs):
        return self._breaker.call(
            lambda: getattr(self._redis, name)(*args, client=client, **kwargs),
            failures=FAILURES,
            otherwise=lambda: getattr(self._memory, name)(*args, **kwargs),
        )


LIMITS = {"MAX_ENTRIES": 20_000}
