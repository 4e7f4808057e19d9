"""A Parley to be mistreated: gunicorn over data of its own, and servers of its own behind it."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from e2e.server import ROOT, Server
from messaging.tests.redis_server import RedisServer

from . import postgres
from .people import Person

SHAPES = ("sqlite", "servers")


class NotRunnable(Exception):
    """This machine, or this shape of a site, can't do that to itself; the text says why."""


class Site(Server):
    """One shape of a site: `sqlite`, or `servers` (PostgreSQL and Redis)."""

    def __init__(self, shape, *, root=ROOT, directory=None, **environment):
        if shape == "servers" and (reason := why_no_servers()):
            raise NotRunnable(reason)
        self.shape, self.postgres, self.redis = shape, None, None
        self.directory = directory or Path(tempfile.mkdtemp(prefix="drill-"))
        if shape == "servers":
            self.postgres = postgres.PostgresServer()
            self.redis = RedisServer(self.directory)
            servers = {"DATABASE_URL": self.postgres.address, "REDIS_URL": self.redis.address}
            environment = servers | environment
        super().__init__(self.directory, root=root, **environment)

    # --- Its processes ---

    def begin(self, *, own_static=False):
        """Start it; with `own_static`, its static files are its own, for a release to change."""
        if own_static:
            self.run_release()
        else:
            self.prepare()
        started = time.monotonic()
        self.start()
        self.starting = time.monotonic() - started  # seconds, without anything going wrong
        return self

    def run_release(self):
        """Do what a new release does before its processes start."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{self._environment['PATH']}"
        environment = self._environment | {"PATH": path}
        command = ["sh", "deploy/release.sh"]
        quiet = {"stdout": subprocess.DEVNULL}
        subprocess.run(command, cwd=self.root, env=environment, check=True, **quiet)

    def end(self):
        self.kill()
        if self.redis:
            self.redis.go_on()
            self.redis.kill()
        if self.postgres:
            self.postgres.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def master(self):
        return self._process.pid

    @property
    def workers(self):
        """The ids of its processes that answer requests."""
        return children(self.master)

    def kill(self):
        """As a machine does that loses its power: all processes, at once."""
        if self._process:
            os.killpg(self.master, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def reload(self):
        self._process.send_signal(signal.SIGHUP)

    @contextmanager
    def started_with(self, **environment):
        """Start again with other settings, and at the end once more with the usual ones."""
        usual = self._environment
        self.stop()
        self._environment = usual | environment
        try:
            self.start()
            yield self
        finally:
            self.stop()
            self._environment = usual
            self.start()

    # --- Its data ---

    def query(self, sql, *values):
        """Ask the database itself, past the application."""
        with self.connect() as connection:
            return self._execute(connection, sql, values).fetchall()

    def do(self, sql, *values):
        """Tell the database itself to do something that has no answer."""
        with self.connect() as connection:
            self._execute(connection, sql, values)

    def _execute(self, connection, sql, values):
        # Without values a % in the statement is only a %.
        return connection.execute(self.spell(sql), *([values] if values else []))

    @contextmanager
    def connect(self):
        if self.postgres:
            with self.postgres.connect() as connection:
                yield connection
        else:
            connection = sqlite3.connect(self.database, timeout=10, isolation_level=None)
            try:
                yield connection
            finally:
                connection.close()

    def spell(self, sql):
        return sql.replace("?", "%s") if self.postgres else sql

    def people(self, number):
        """Return people who have just signed up, and are signed in."""
        return [Person.sign_up(self.url) for _ in range(number)]

    # --- What it said ---

    @property
    def said(self):
        return self.log.read_text(errors="replace")

    def wait_until_well(self, seconds=20):
        """Return how long it took until a page of the database was there again."""
        started = time.monotonic()
        while time.monotonic() < started + seconds:
            if Person(self.url).get("/readyz").status == 200:
                return time.monotonic() - started
            time.sleep(0.05)
        return seconds


def why_no_servers():
    """Say why there can be no PostgreSQL and Redis of one's own here; empty if there can."""
    return postgres.why_not() or ("" if RedisServer.PROGRAM else "redis-server isn't installed")


def children(pid):
    """Return the ids of the processes that this one has started."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in found.read_text().split()]
