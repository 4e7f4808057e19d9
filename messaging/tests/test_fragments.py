"""Cached HTML: a pure function of its key, and the key moves with everything that it shows."""

import itertools
import random
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from messaging import fragments, tally
from messaging.models import CacheEpoch, Mailbox, Message
from messaging.services import MessageService, ThreadService

from .factories import fresh, reply, write

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def no_counts_yet():
    tally.counts.clear()


def stamp(message, viewer):
    return message.pk, message.revision, message.is_deleted, message.sender_id == viewer.pk


def show(viewer, *message_list):
    """Return the fragments of these messages, joined."""
    stamps = [stamp(fresh(message), viewer) for message in message_list]
    return "".join(fragments.message_fragments(stamps, viewer).values())


# --- Keys ---


@pytest.fixture
def epoch(db, monkeypatch):
    """The row that a migration makes; tests that commit may have emptied the table."""
    monkeypatch.setattr(fragments, "_epoch", None)
    return CacheEpoch.objects.first() or CacheEpoch.objects.create()


def test_a_key_says_epoch_code_language_name_and_versions(epoch):
    value, markup, *rest = fragments.key("inbox", 7, 3).split(":")
    assert value == epoch.value
    assert re.fullmatch(r"[0-9a-f]{12}", markup)
    assert rest == ["en", "inbox", "7", "3"]


def test_keys_of_different_things_differ(alice, bob):
    message, other = write(alice, bob), write(alice, bob)
    keys = [
        fragments.mailbox_key("inbox", alice),
        fragments.mailbox_key("bell", alice),
        fragments.mailbox_key("inbox", bob),
        fragments.mailbox_key("inbox", alice, "all"),
        fragments.thread_key("thread", alice, message.thread),
        fragments.thread_key("thread", bob, message.thread),
        fragments.thread_key("thread", alice, other.thread),
    ]
    assert len(set(keys)) == len(keys)


def test_the_key_of_a_mailbox_moves_with_its_version(alice, bob):
    before = fragments.mailbox_key("inbox", fresh(alice))
    assert fragments.mailbox_key("inbox", fresh(alice)) == before
    write(bob, alice)
    assert fragments.mailbox_key("inbox", fresh(alice)) != before


def test_the_key_of_a_thread_moves_with_its_version(alice, bob):
    message = write(bob, alice)
    before = fragments.thread_key("thread", alice, fresh(message.thread))
    reply(message)
    assert fragments.thread_key("thread", alice, fresh(message.thread)) != before


def test_a_key_moves_with_the_language(db):
    before = fragments.key("inbox")
    with translation.override("fr"):
        assert fragments.key("inbox") != before


def test_a_new_epoch_forgets_everything(epoch, monkeypatch):
    before = fragments.key("inbox")
    CacheEpoch.objects.update(value="another")
    assert fragments.key("inbox") == before  # read once a process
    monkeypatch.setattr(fragments, "_epoch", None)
    assert fragments.key("inbox").startswith("another:")


def test_every_key_fits_every_cache(alice):
    key = fragments.mailbox_key("conversation", alice, fragments.digest("x" * 10_000), "before")
    assert len(key) < 200
    assert re.fullmatch(r"[!-~]+", key)


def test_a_digest_cannot_be_met_by_other_words():
    words = [("a", "b"), ("a b",), ("ab",), ("b", "a"), ("a", "b", ""), ("", "a", "b")]
    digests = {fragments.digest(*parts) for parts in words}
    assert len(digests) == len(words)


def test_no_other_module_spells_a_key_or_asks_a_cache():
    root = Path(fragments.__file__).parent
    allowed = {root / "fragments.py", root / "cache.py", root / "standby.py"}
    for path in set(root.rglob("*.py")) - allowed:
        if not {"tests", "bench"} & set(path.parts):
            source = path.read_text()
            assert "from django.core.cache import" not in source, path
            assert "cache_page" not in source, path


# --- Remembering ---


def test_what_is_built_once_is_not_built_again():
    built = []

    def build():
        built.append(1)
        return "html"

    assert fragments.remember("key", build) == fragments.remember("key", build) == "html"
    assert built == [1]


def test_even_nothing_at_all_is_remembered():
    fragments.remember("key", lambda: "")
    assert fragments.remember("key", lambda: "built again") == ""
    fragments.remember("number", lambda: 0)
    assert fragments.remember("number", lambda: 1) == 0


def test_hits_and_misses_are_counted():
    for _ in range(3):
        fragments.remember("key", lambda: "html")
    assert (tally.counts["hits"], tally.counts["misses"], tally.counts["errors"]) == (2, 1, 0)
    fragments.cache().get_many(["key", "other"])
    assert (tally.counts["hits"], tally.counts["misses"]) == (3, 2)


def test_a_fragment_is_given_a_lifetime(monkeypatch):
    assert 0 < fragments.LIFETIME <= 600
    monkeypatch.setattr(fragments, "LIFETIME", 0.1)
    fragments.remember("key", lambda: "html")
    time.sleep(0.15)
    assert fragments.remember("key", lambda: "built again") == "built again"


# --- Messages ---


def test_the_fragments_of_a_page_are_fetched_and_stored_at_once(alice, bob):
    first = write(alice, bob, "One")
    rest = [reply(first, word) for word in ("Two", "Three")]
    stamps = [stamp(message, bob) for message in (first, *rest)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        cold = fragments.message_fragments(stamps, bob)
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        warm = fragments.message_fragments(stamps, bob)
    assert len(queries) == 0
    assert warm == cold
    assert [
        word in cold[pk] for word, (pk, *_) in zip(("One", "Two", "Three"), stamps, strict=True)
    ]


def test_nothing_asked_is_nothing_given(alice):
    assert fragments.message_fragments([], alice) == {}


def test_a_message_of_others_is_given_to_nobody(alice, bob, mallory):
    message = write(alice, bob, "Not for mallory")
    assert fragments.message_fragments([stamp(message, mallory)], mallory) == {}
    show(bob, message)
    assert "Edit" not in show(bob, message)


def test_who_wrote_it_may_edit_and_the_other_may_not(alice, bob):
    message = write(alice, bob)
    for _ in range(2):  # the second time from the cache
        assert f"/messages/{message.pk}/edit/" in show(alice, message)
        assert f"/messages/{message.pk}/edit/" not in show(bob, message)


def test_an_edit_is_shown_at_once(alice, bob):
    message = write(alice, bob, "Before")
    assert "Before" in show(bob, message)
    MessageService.edit(message, content="After", revision=1)
    shown = show(bob, message)
    assert "After" in shown
    assert "Before" not in shown


def test_a_deleted_text_is_shown_no_more(alice, bob):
    message = write(alice, bob, "Regretted")
    reply(message)
    assert "Regretted" in show(bob, message)
    message.delete()
    assert "Regretted" not in show(bob, message)
    assert "Regretted" not in show(alice, message)


def test_a_stamp_that_is_behind_is_shown_as_it_is_now_and_stored_as_such(alice, bob):
    message = write(alice, bob, "Before")
    old_stamp = stamp(message, bob)
    message = MessageService.edit(message, content="After", revision=1)
    assert "After" in fragments.message_fragments([old_stamp], bob)[message.pk]
    with CaptureQueriesContext(connection) as queries:
        assert "After" in show(bob, message)
    assert len(queries) == 1  # that of `fresh`: the fragment was there


def test_a_message_that_went_meanwhile_is_missing(alice, bob):
    message, other = write(alice, bob, "Gone"), write(alice, bob, "Here")
    stamps = [stamp(message, bob), stamp(other, bob)]
    message.delete()
    assert list(fragments.message_fragments(stamps, bob)) == [other.pk]


def test_a_fragment_holds_nothing_that_its_key_does_not(alice, bob):
    message = write(alice, bob, "Hello")
    shown = show(bob, message)
    for word in ("alice", "bob", "csrf", "ago"):
        assert word not in shown
    ThreadService.mark_read(bob, message=message)
    reply(message)
    cold = fragments._render_message(fresh(message), bob)
    assert cold == shown


def test_a_text_cannot_break_out_of_its_fragment(alice, bob):
    message = write(alice, bob, '<script>alert(1)</script></div><div hx-get="/x">{{ 7*7 }}')
    shown = show(bob, message)
    assert "<script>" not in shown
    assert '<div hx-get="/x">' not in shown
    assert "{{ 7*7 }}" in shown


# --- Any order of writes, reads and losses ---


@pytest.mark.parametrize("seed", range(2))
def test_no_reader_ever_sees_an_older_text_than_the_database_holds(alice, bob, seed):
    chance = random.Random(seed)  # noqa: S311
    counter = itertools.count()
    message_list = [write(alice, bob, f"text-{next(counter)}.") for _ in range(3)]
    for message in message_list:
        reply(message)
    for _ in range(30):
        message = fresh(chance.choice(message_list))
        deed = chance.choice(["edit", "show", "show", "show", "lose", "flush", "delete", "late"])
        if deed == "edit" and not message.is_deleted:
            content = f"text-{next(counter)}."
            MessageService.edit(message, content=content, revision=message.revision)
        elif deed == "lose":
            key = fragments._message_keys()(*stamp(message, bob))
            caches["default"].delete(key)
        elif deed == "flush":
            caches["default"].clear()
        elif deed == "delete" and chance.random() < 0.2:
            message.delete()
        elif deed == "late" and not message.is_deleted:
            # A slow reader stores what it loaded, under the stamp that it loaded it with.
            slow = fresh(message)
            content = f"text-{next(counter)}."
            MessageService.edit(message, content=content, revision=message.revision)
            fragments.message_fragments([stamp(slow, bob)], bob)
        for viewer in (alice, bob):
            for message in map(fresh, message_list):
                texts = re.findall(r"text-\d+\.", show(viewer, message))
                assert texts == ([] if message.is_deleted else [message.content])


@pytest.mark.parametrize("seed", range(2))
def test_a_list_under_the_version_of_a_mailbox_is_never_stale(alice, bob, mallory, seed):
    chance = random.Random(seed)  # noqa: S311
    people = [alice, bob, mallory]

    def load(person):
        texts = Message.objects.for_user(person).in_time_order().values_list("content", "read")
        return "|".join(f"{content}{read}" for content, read in texts)

    for number in range(40):
        sender, receiver = chance.sample(people, 2)
        message = Message.objects.for_user(sender).order_by("?").first()
        deed = chance.choice(["write", "reply", "edit", "delete", "read", "nothing"])
        if deed == "write":
            write(sender, receiver, f"{number}")
        elif deed == "nothing" or message is None or message.is_deleted:
            pass
        elif deed == "reply":
            reply(message, f"{number}")
        elif deed == "edit":
            MessageService.edit(message, content=f"e{number}", revision=message.revision)
        elif deed == "delete":
            message.delete()
        else:
            ThreadService.mark_read(message.receiver, message=message)
        for person in map(fresh, people):
            key = fragments.mailbox_key("list", person)
            shown = fragments.remember(key, lambda: load(person))  # noqa: B023
            # What a sender sees of being read is not part of the promise: their list has no marks.
            assert re.sub("True|False", "", shown) == re.sub("True|False", "", load(person))
            mine = Mailbox.of(person).unread_count
            assert load(person).count("False") >= mine


def test_two_processes_agree_on_the_code_they_run(db):
    code = (
        "import django; django.setup();"
        "from messaging.fragments import markup_version; print(markup_version())"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    fragments.markup_version.cache_clear()
    assert done.stdout.strip() == fragments.markup_version()


def test_the_code_is_known_from_the_start_of_a_process():
    """The files may be of another release by the time of the first request."""
    fragments.markup_version.cache_clear()
    apps.get_app_config("messaging").ready()
    assert fragments.markup_version.cache_info().currsize == 1
