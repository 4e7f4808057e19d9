"""Ways to cache what people see, in small: who would be shown a page that is old, or not theirs?

Each scheme is how a reader and a writer go about it, as generators that stop wherever somebody else
may come in between. `run` lets some of them loose in a random order, loses and evicts what is in
the cache, and says what was seen that never should be.
"""

import random
from collections import Counter

PEOPLE = ("alice", "bob")


class World:
    """A database with one text and one version a person, and a cache that promises nothing."""

    def __init__(self, chance, *, is_lossy=False):
        self.texts = dict.fromkeys(PEOPLE, 0)  # a text is a number: the higher, the newer
        self.versions = dict.fromkeys(PEOPLE, 0)
        self.told = dict.fromkeys(PEOPLE, 0)  # the newest text that its writer knows to be saved
        self.cache = {}
        self._chance, self._is_lossy = chance, is_lossy

    def commit(self, person):
        """Save a new text; its version moves in the same transaction. Return the text."""
        self.texts[person] += 1
        self.versions[person] += 1
        return self.texts[person]

    def put(self, key, value):
        if not self._is_lost():
            self.cache[key] = value

    def put_if_missing(self, key, value):
        if not self._is_lost():
            self.cache.setdefault(key, value)

    def delete(self, key):
        if not self._is_lost():
            self.cache.pop(key, None)

    def evict(self):
        if self.cache:
            del self.cache[self._chance.choice(sorted(self.cache, key=repr))]

    def _is_lost(self):
        return self._is_lossy and self._chance.random() < 0.1


class VersionInKey:
    """The scheme in use: the key carries the version that the database had before the load."""

    def read(self, world, person):
        version = world.versions[person]
        yield
        return (yield from self.find(world, person, (person, version)))

    def find(self, world, person, key):
        page = world.cache.get(key)
        yield
        if page is None:
            page = yield from self.render(world, person)
            world.put(key, page)
        return page

    def render(self, world, person):
        text = world.texts[person]
        yield
        return person, text

    def write(self, world, person):
        text = world.commit(person)
        yield
        return text


class VersionReadAfterLoad(VersionInKey):
    """Nearly the same; but the version is that of the moment when the page is stored."""

    def find(self, world, person, key):
        page = world.cache.get(key)
        yield
        if page is None:
            page = yield from self.render(world, person)
            version = world.versions[person]
            yield
            world.put((person, version), page)
        return page


class KeyWithoutVersion(VersionInKey):
    """What was stored once is shown for as long as it lives."""

    def read(self, world, person):
        yield
        return (yield from self.find(world, person, person))


class KeyWithoutPerson(VersionInKey):
    """Whoever comes first decides what everybody sees."""

    def read(self, world, person):
        version = world.versions[person]
        yield
        return (yield from self.find(world, person, version))


class DeleteOnCommit(KeyWithoutVersion):
    """The usual advice: a handler deletes the page once the write is committed."""

    def write(self, world, person):
        text = world.commit(person)
        yield
        world.delete(person)
        return text


class DeleteBeforeCommit(KeyWithoutVersion):
    """The same by `post_save`, while the transaction is still open."""

    def write(self, world, person):
        world.delete(person)
        yield
        text = world.commit(person)
        yield
        return text


class StampOnlyInCache(VersionInKey):
    """The version lives in the cache alone; the writer moves it there after the commit."""

    def read(self, world, person):
        stamp = world.cache.get(("stamp", person))
        yield
        if stamp is None:
            stamp = 1
            world.put_if_missing(("stamp", person), stamp)
        return (yield from self.find(world, person, (person, stamp)))

    def write(self, world, person):
        text = world.commit(person)
        yield
        stamp = world.cache.get(("stamp", person))
        yield
        world.put(("stamp", person), (stamp or 0) + 1)
        return text


def run(scheme, seed, *, is_lossy=False, is_evicting=False, writes=3, reads=6):
    """Play one random schedule; return how many pages were "stale" or "foreign"."""
    chance = random.Random(seed)  # noqa: S311
    world = World(chance, is_lossy=is_lossy)
    seen = Counter()
    people = [chance.choice(PEOPLE) for _ in range(writes + reads)]
    actors = [_write(scheme, world, person) for person in people[:writes]]
    actors += [_read(scheme, world, person, seen) for person in people[writes:]]
    while actors:
        if is_evicting and chance.random() < 0.1:
            world.evict()
        actor = chance.choice(actors)
        if next(actor, "done") == "done":
            actors.remove(actor)
    for person in PEOPLE:  # once all is quiet
        for _ in _read(scheme, world, person, seen):
            pass
    return seen


def _write(scheme, world, person):
    text = yield from scheme.write(world, person)
    world.told[person] = max(world.told[person], text)


def _read(scheme, world, person, seen):
    told = world.told[person]  # whoever asks from now on has to see at least this
    whose, text = yield from scheme.read(world, person)
    seen["foreign"] += whose != person
    seen["stale"] += whose == person and text < told
