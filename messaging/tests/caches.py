"""Caches that misbehave in the ways that real ones do."""

from django.core.cache import caches

from messaging.cache import FragmentCache


class Unreliable(FragmentCache):
    """The cache of fragments; it may be told to lose what is stored, or to be late with it."""

    def __init__(self):
        super().__init__("default", {})
        self.mode = "store"  # or "lose", or "hold"
        self._held = []

    def set(self, key, value, *args, **kwargs):
        if self.mode == "store":
            super().set(key, value, *args, **kwargs)
        elif self.mode == "hold":
            self._held.append((key, value))

    def set_many(self, data, *args, **kwargs):
        for key, value in data.items():
            self.set(key, value)
        return []

    def release(self):
        """Store now what was held back: it may be long out of date."""
        held, self._held = self._held, []
        for key, value in held:
            super().set(key, value)


def evict(number):
    """Forget every other entry, or so, of the default cache."""
    cache = caches["default"]
    for position, key in enumerate(stored_keys(cache)):
        if (position + number) % 2:
            cache.delete(key)


def stored_keys(cache):
    if hasattr(cache, "iter_keys"):  # Redis
        return sorted(cache.iter_keys("*"))
    return sorted(key.split(":", 2)[2] for key in cache._cache)
