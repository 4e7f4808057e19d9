"""The drill of BARS §7: back a site up while it is used, lose it, restore it, and look.

`rehearse(directory, ...)` does it on SQLite, or on PostgreSQL and Redis where it is given both. It
raises AssertionError where something isn't as it must be, and returns what it measured. For longer
than the tests have time for:

    python -m e2e.drill.restore 60 [postgres://… redis://…]
"""

import json
import pickle
import re
import shutil
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
import uuid
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from e2e.drill.visitor import Visitor
from e2e.server import ROOT, Server

MARKER = "planted-under-the-old-prefix"
PEOPLE = ("anna", "berta", "carla", "doris")
LEAVER = "leaver"
URLS = "database_url", "redis_url"
OPERATIONS = ROOT / "deploy" / "OPERATIONS.md"


@dataclass
class Load:
    """People who write to each other, one after the other each, and look at what they wrote.

    `acks` says of each message that the site said is there: when, and its exact words. Whatever is
    in `lost` must be on no page; what was just acknowledged must be on the next one.
    """

    visitors: list
    acks: dict = field(default_factory=dict)
    waits: list = field(default_factory=list)  # (when, seconds) of each write
    faults: list = field(default_factory=list)
    lost: frozenset = frozenset()

    @contextmanager
    def running(self):
        self._is_over = threading.Event()
        threads = [threading.Thread(target=self._run, args=[person]) for person in self.visitors]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            for thread in threads:
                thread.join()

    def _run(self, person):
        others = [visitor.name for visitor in self.visitors if visitor is not person]
        try:
            while not self._is_over.is_set():
                self._write_and_look(person, others[len(self.acks) % len(others)])
        except Exception as error:  # `check` tells it, in the thread of the drill
            self.faults.append(f"{person.name}: {error!r}")

    def _write_and_look(self, person, other):
        word, began = f"word-{uuid.uuid4().hex}", time.monotonic()
        pk = person.send(other, word)
        self.waits.append((began, time.monotonic() - began))
        if pk is None:
            self.faults.append(f"{person.name} could not send")
            return
        self.acks[pk] = (time.monotonic(), word)
        for page in (f"/messages/{pk}/", "/conversation/", "/inbox/?show=all"):
            status, _, text = person.get(page)
            if status != 200 or (word not in text and page != "/inbox/?show=all"):
                self.faults.append(f"{page} answers {status} without {word}")
            if MARKER in text:
                self.faults.append(f"{page} comes from the cache of before")
            if found := self.lost.intersection(re.findall(r"word-[0-9a-f]{32}", text)):
                self.faults.append(f"{page} shows what was lost: {found}")

    def check(self):
        assert self.faults == []


def rehearse(directory, *, seconds=6, database_url="", redis_url=""):
    """Do it all in a directory that is empty; return a dict of what was measured."""
    with Stage(Path(directory), database_url, redis_url) as stage:
        former = stage.site
        former.prepare()
        former.start()
        people = [Visitor(former.port, name) for name in (*PEOPLE, LEAVER)]
        for person in people:
            assert person.sign_up()[0] == 302
        *people, leaver = people
        secret = f"word-{uuid.uuid4().hex}"
        leaver.send(PEOPLE[0], secret)

        load = Load(people)
        with load.running():
            time.sleep(seconds / 4)
            began = time.monotonic()
            backup = stage.back_up()
            done = time.monotonic()
            assert leaver.leave()[0] == 302
            time.sleep(seconds * 3 / 4)
        load.check()
        stage.plant(people[0], backup)
        former.stop()

        check_refusals(stage, backup)
        stage.lose()
        restoring = time.monotonic()
        stage.new_site.manage("restore", str(backup), "--erasures", str(stage.log))
        restored = time.monotonic()
        kept = check_restored(stage, load.acks, began, secret)
        stage.new_site.start()
        check_signed_out(stage.new_site, people, leaver)
        again = Load(people, lost=frozenset(word for _, word in load.acks.values()) - kept)
        with again.running():
            time.sleep(seconds / 2)
        again.check()
        assert again.acks
    # (9) Who runs the site is told what is no backup.
    assert re.search(r"by `cp`.* is \*\*wrong\*\*", OPERATIONS.read_text())
    return {
        "messages": len(load.acks),
        "kept": len(kept),
        "messages afterwards": len(again.acks),
        "seconds of backup": round(done - began, 2),
        "seconds of restore": round(restored - restoring, 2),
        **slowest_writes(load.waits, began, done),
    }


# --- What must hold ------------------------------------------------------------------------------


def check_refusals(stage, backup):
    """(8) A truncated file, a flipped byte, a newer migration: refused, and nothing is touched."""
    before, whole = stage.summary(), backup.read_bytes()
    manifest = json.loads(Path(f"{backup}.json").read_text())
    newer = manifest | {"migrations": [*manifest["migrations"], "messaging.9999_newer"]}
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    bad = stage.directory / "bad"
    bad.mkdir()
    for number, (content, words, said) in enumerate(
        [
            (whole[:-1], manifest, "was cut off"),
            (flipped, manifest, "is damaged"),
            (whole, newer, "is of a newer release"),
        ]
    ):
        file = bad / f"{number}-{backup.name}"
        file.write_bytes(content)
        Path(f"{file}.json").write_text(json.dumps(words))
        refused = stage.site.manage("restore", str(file), check=False)
        assert refused.returncode == 1, refused
        assert said in refused.stderr, refused.stderr
        assert stage.summary() == before


def check_restored(stage, acks, began, secret):
    """(1) Every message acknowledged before the backup began is there, exact; (2) none is half;
    (6) who left since then is gone. Return the words of all messages that are there.
    """
    stored = dict(stage.rows("SELECT id, content FROM messaging_message"))
    for pk, (moment, word) in acks.items():
        if moment < began:
            assert stored.get(pk) == word, f"message {pk} is not as it was acknowledged"
    loose = stage.rows(
        "SELECT COUNT(*) FROM messaging_message m WHERE (SELECT COUNT(*) FROM"
        " messaging_notification n WHERE n.message_id = m.id AND n.user_id = m.receiver_id) <> 1"
    )
    assert loose == [(0,)], "messages without their notification"
    assert (LEAVER,) not in stage.rows("SELECT username FROM accounts_user")
    assert secret not in stored.values()
    assert stage.rows("SELECT COUNT(*) FROM accounts_erasure") == [(1,)]
    return set(stored.values())


def check_signed_out(site, people, leaver):
    """(3) Old cookies are worth nothing; (6) who left can't come back."""
    for person in (*people, leaver):
        person.port = site.port
        status, headers, _ = person.get("/inbox/")
        assert (status, headers["Location"]) == (302, "/accounts/login/?next=/inbox/")
    for person in people:
        assert person.sign_in()[0] == 302
    assert leaver.sign_in()[0] == 422


def slowest_writes(waits, began, done):
    """(7) Return the slowest of a hundred writes, with and without a backup being made."""
    during = [wait for moment, wait in waits if began <= moment <= done]
    other = [wait for moment, wait in waits if not began <= moment <= done]
    return {
        f"p99 of writes {name}, ms": round(1000 * statistics.quantiles(found, n=100)[98])
        for name, found in (("during the backup", during), ("otherwise", other))
        if len(found) > 1
    }


# --- Where it happens ----------------------------------------------------------------------------


class Stage:
    """A site, a second one that will be made of its backup, and a look into their database."""

    def __init__(self, directory, database_url, redis_url):
        self.directory, self._redis_url = directory, redis_url
        self._server_url, _, _ = database_url.rpartition("/")
        self._name = f"drill_{uuid.uuid4().hex[:8]}"
        shared = {"REDIS_URL": redis_url}
        if database_url:
            shared["DATABASE_URL"] = f"{self._server_url}/{self._name}"
        for name in ("former", "new"):
            (directory / name).mkdir()
        self.site = Server(directory / "former", **shared)
        self.new_site = Server(directory / "new", **shared)
        self.log = self.site.data_dir / "erasures.log"
        self._current = self.site

    def __enter__(self):
        if self._server_url:
            self._on_server(f"CREATE DATABASE {self._name}")
        return self

    def __exit__(self, *error):
        self.site.stop()
        self.new_site.stop()
        if self._server_url:
            self._on_server(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")

    def back_up(self):
        self.site.manage("backup", str(self.directory / "backups"))
        [manifest] = (self.directory / "backups").glob("*.json")
        return manifest.with_suffix("")

    def plant(self, person, backup):
        """(4) Put a marker wherever the cache has something from before the restore."""
        if not self._redis_url:
            return  # the memory of processes that are gone
        import redis

        epoch = json.loads(Path(f"{backup}.json").read_text())["epoch"]
        with closing(redis.Redis.from_url(self._redis_url)) as cache:
            # More than once: on a busy machine the site may take Redis for slow, and rest from it.
            for _attempt in range(20):
                person.get("/conversation/")
                for key in cache.scan_iter(f"*{epoch}*"):
                    cache.set(key, pickle.dumps(MARKER), ex=600)
                if MARKER in person.get("/conversation/")[2]:
                    return
                time.sleep(0.5)
        raise AssertionError("the marker is not read even before the restore: it proves nothing")

    def lose(self):
        """Have a new machine: nothing but the backup, the key and the log of erasures."""
        shutil.copy(self.site.data_dir / "secret_key", self.new_site.data_dir)
        (self.new_site.data_dir / "static").symlink_to((self.site.data_dir / "static").resolve())
        if self._server_url:
            self._on_server(f"DROP DATABASE {self._name}")
        self._current = self.new_site

    def summary(self):
        """Return enough of the database to see whether it was touched."""
        tables = ("messaging_message", "accounts_user", "messaging_mailbox", "django_session")
        counts = [self.rows(f"SELECT COUNT(*) FROM {table}") for table in tables]
        return counts, self.rows("SELECT value FROM messaging_cacheepoch")

    def rows(self, sql):
        """Ask the database, past the site."""
        if not self._server_url:
            with closing(sqlite3.connect(self._current.database)) as database:
                return database.execute(sql).fetchall()
        import psycopg

        with psycopg.connect(f"{self._server_url}/{self._name}") as database:
            return database.execute(sql).fetchall()

    def _on_server(self, sql):
        import psycopg

        with psycopg.connect(f"{self._server_url}/postgres", autocommit=True) as server:
            server.execute(sql)


if __name__ == "__main__":
    length, *urls = sys.argv[1:] or ["60"]
    with tempfile.TemporaryDirectory() as place:
        found = rehearse(place, seconds=float(length), **dict(zip(URLS, urls, strict=False)))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
