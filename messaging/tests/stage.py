"""Threads that stop at named points, and go on when they are told to, one at a time.

A reader stops after its version is read, after each look-up in the cache, before and after each
load, and before it stores. A writer stops before its transaction begins, before the versions move,
before the commit, and after it, before anything that follows it.
"""

import threading
from functools import partial

from django.core.cache import caches
from django.db import connection

from .caches import Unreliable

PATIENCE = 20  # seconds; who is stuck for longer fails the test, and never holds up the suite

READING = ("version", "look-up", "load", "render", "store")
WRITING = ("begin", "handlers", "commit", "committed")


class Stuck(AssertionError):
    pass


class Stage:
    """Those who act, by name."""

    def __init__(self):
        self.actors = {}
        self._writing = None  # who is in a transaction: as rows are locked, there is only one

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        for actor in self.actors.values():
            actor.go_free()
        for actor in self.actors.values():
            actor.join(PATIENCE)

    def enter(self, name, deed, points):
        """Let somebody wait in the wings who will do `deed()`, stopping at these points."""
        actor = self.actors[name] = Actor(name, deed, points)
        actor.start()

    def ready(self):
        """Return the names of those who can go on."""
        return [
            actor.name
            for actor in self.actors.values()
            if not actor.is_done and not (actor.point == "begin" and self._writing)
        ]

    def step(self, name):
        """Let one go on to the next point; return it, or "end"."""
        actor = self.actors[name]
        if actor.point == "begin":
            self._writing = actor
        point = actor.go_on()
        if actor is self._writing and point in ("committed", "end"):
            self._writing = None
        return point


class Actor(threading.Thread):
    def __init__(self, name, deed, points):
        super().__init__(name=name, daemon=True)
        self.is_done, self.point = False, "start"
        self._deed, self._points, self._error = deed, points, None
        self._may_go, self._has_stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._is_free = False

    def go_on(self):
        self._may_go.release()
        if not self._has_stopped.acquire(timeout=PATIENCE):
            raise Stuck(f"{self.name}, since {self.point}")
        if self._error is not None:
            raise self._error
        return self.point

    def go_free(self):
        self._is_free = True
        self._may_go.release()

    def stop(self, point):
        if point not in self._points or self._is_free:
            return
        self.point = point
        self._has_stopped.release()
        self._may_go.acquire(timeout=PATIENCE)

    def run(self):
        self._may_go.acquire(timeout=PATIENCE)
        try:
            self._watch_cache()
            self._watch_transactions()
            with connection.execute_wrapper(self._watch_query):
                self._deed()
        except BaseException as error:  # told to whoever lets this one go on
            self._error = error
        finally:
            connection.close()
            self.is_done, self.point = True, "end"
            self._has_stopped.release()

    def _watch_cache(self):
        caches["template_fragments"] = Watched(self.stop)

    def _watch_transactions(self):
        # Of the connection of this thread alone, which ends with it.
        connection.set_autocommit = partial(self._set_autocommit, connection.set_autocommit)
        connection.commit = partial(self._commit, connection.commit)

    def _set_autocommit(self, set_autocommit, autocommit, *args, **kwargs):
        if not autocommit:
            self.stop("begin")
        set_autocommit(autocommit, *args, **kwargs)

    def _commit(self, commit):
        self.stop("commit")
        commit()
        self.stop("committed")

    def _watch_query(self, execute, sql, *args):
        if sql.startswith("SELECT"):
            return self._watch_load(execute, sql, *args)
        if sql.startswith("UPDATE") and "messaging_mailbox" in sql:
            self.stop("handlers")
        return execute(sql, *args)

    def _watch_load(self, execute, sql, *args):
        if 'FROM "accounts_user"' in sql:
            found = execute(sql, *args)
            self.stop("version")
            return found
        self.stop("load")
        found = execute(sql, *args)
        self.stop("render")
        return found


class Watched(Unreliable):
    """The cache of fragments as one thread has it."""

    losing = threading.Event()  # the next that is stored gets lost

    def __init__(self, stop):
        super().__init__()
        self._stop = stop

    def get(self, *args, **kwargs):
        found = super().get(*args, **kwargs)
        self._stop("look-up")
        return found

    def get_many(self, *args, **kwargs):
        found = super().get_many(*args, **kwargs)
        self._stop("look-up")
        return found

    def set(self, *args, **kwargs):
        self._stop("store")
        if self.losing.is_set():
            self.losing.clear()
        else:
            super().set(*args, **kwargs)
