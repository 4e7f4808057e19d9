"""What every test shares: quick settings, an empty cache, and the cast."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client, TransactionTestCase

from messaging import throttles
from messaging.tests.leaks import no_leaks  # noqa: F401
from messaging.tests.world import committed_world  # noqa: F401

# Playwright keeps an event loop in the thread that runs the tests.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_configure():
    """Trade what only a live site needs for speed: hashed file names and slow passwords."""
    staticfiles = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": staticfiles}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Each new client reads all that is in there: nothing, though the journeys have collected it.
    settings.STATIC_ROOT = settings.DATA_DIR / "no-static"
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # whitenoise warns without it
    settings.ERASURE_LOG = Path(settings.DATA_DIR) / f"erasures-{os.getpid()}.log"
    _part_redis(os.environ.get("PYTEST_XDIST_WORKER", ""))
    _spare_the_disk(settings.DATABASES["default"])
    TransactionTestCase._fixture_teardown = _empty_tables


def pytest_unconfigure():
    Path(settings.ERASURE_LOG).unlink(missing_ok=True)


def _part_redis(worker):
    """Give each parallel worker a Redis database of its own: tests empty theirs."""
    address = settings.CACHES["default"].get("LOCATION", "")
    if worker and address.startswith("redis"):
        server, _, number = address.rpartition("/")
        number = int(number) + int(worker.removeprefix("gw"))
        settings.CACHES["default"]["LOCATION"] = f"{server}/{number}"


def _spare_the_disk(database):
    """Let no commit of the tests' own wait for it; the sites that they start wait all the same."""
    if database["ENGINE"] == "django.db.backends.postgresql":
        database["OPTIONS"]["options"] += " -c synchronous_commit=off"


# What migrations put there, and no test takes away: made anew, it would cost more than many a test.
KEPT = {"django_content_type", "auth_permission", "messaging_cacheepoch"}


def _empty_tables(self):
    """Forget what a test has committed. Django would TRUNCATE: of small tables, half a second."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    with transaction.atomic(), connection.cursor() as cursor:
        for name in set(names) - KEPT:
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(name)}")  # noqa: S608


# Those that take longest begin first, so that in the end no process waits for the other.
LONGEST = (
    *("test_restore_drill", "test_coherence", "test_throttles_served", "test_write_paths"),
    *("test_access", "test_interleavings", "test_races", "test_reading_never_writes"),
    *("test_throttles", "test_backups", "test_plans", "test_drill", "test_access_for_all"),
)


def pytest_collection_modifyitems(items):
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(LONGEST)))


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()
    throttles.forget_looks()
    yield
    cache.clear()


@pytest.fixture
def clock(monkeypatch):
    """Let the throttles have a clock that stands still: `clock.now` are its seconds."""
    clock = SimpleNamespace(now=1_760_000_000.0)
    monkeypatch.setattr(throttles, "_now", lambda: int(clock.now * throttles.MICRO))
    return clock


@pytest.fixture
def no_throttles(settings):
    """For people who are as fast as the machine."""
    settings.MESSAGING_THROTTLES = False


def create_person(username):
    return get_user_model().objects.create_user(
        username=username, email=f"{username}@example.com", password="correct horse battery"
    )


@pytest.fixture
def alice(db):
    """Writes with bob."""
    return create_person("alice")


@pytest.fixture
def bob(db):
    """Writes with alice."""
    return create_person("bob")


@pytest.fixture
def mallory(db):
    """Shares nothing with anyone."""
    return create_person("mallory")


@pytest.fixture
def signed_in():
    """Return a test client that is signed in: `signed_in(alice).get("/inbox/")`."""

    def sign_in(person):
        client = Client()
        client.force_login(person)
        return client

    return sign_in
