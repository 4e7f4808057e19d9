"""Readers and writers that stop between any two deeds, while the cache forgets and loses.

Each page is held against all that was true from the last write that was acknowledged before it was
asked for, to the last one committed before it came. Then the same with the mistakes that are easily
made: each is caught.
"""

import itertools
import random
import re
import secrets
import threading
from contextlib import suppress

import pytest
from django.core.cache import caches
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from messaging import fragments
from messaging.models import Mailbox, Message
from messaging.services import (
    EditConflict,
    MailboxService,
    MessageService,
    NotificationService,
    ThreadService,
    UserCleanupService,
)
from messaging.views.inbox import InboxView
from messaging.views.mixins import refresh_mailbox

from .caches import evict, stored_keys
from .factories import fresh, write
from .leaks import SECRET, secret
from .nightly import examples
from .stage import READING, WRITING, Stage, Watched
from .visits import Visitor, no_caching, said

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_throttles")]


class Stale(AssertionError):
    pass


class Play:
    """alice and bob have a thread; some write into it, while others look at a page."""

    def __init__(self, alice, bob, address):
        UserCleanupService.cleanup_user_data(alice)
        caches["default"].clear()
        Watched.losing.clear()
        self.alice, self.bob = alice, bob
        self.message = write(alice, bob, secret(alice, bob))
        self._address = address.format(pk=self.message.pk)
        self.rename()  # to a name that is looked for: whoever shows nobody at all is caught by it
        self._truths = [self._truth()]
        self._committed, self._told = {}, 0  # the truth that a writer has made; that all know of
        self.stage = Stage()

    def __enter__(self):
        self.stage.__enter__()
        return self

    def __exit__(self, *problem):
        self.stage.__exit__(*problem)

    # --- Who acts ---

    def reader(self, name, *, times=2):
        self.stage.enter(name, lambda: self._read(times), READING)

    def writer(self, name, *deeds):
        self.stage.enter(name, lambda: [self._write(deed) for deed in deeds], WRITING)

    def _read(self, times):
        visitor, oldest, ptag, before = Visitor(self.bob), 0, "", None
        for _ in range(times):
            oldest = max(oldest, self._told)
            response = visitor.get(self._address, htmx=True, ptag=ptag)
            assert response.status_code in (200, 304, 404)
            shown = before if response.status_code == 304 else words(response)
            oldest = self._check(shown, oldest)
            before, ptag = shown, response.get("HX-PTag", "")

    def _check(self, shown, oldest):
        """Hold a page against the truth; return how old at least that is which it shows."""
        possible = self._truths[oldest:]
        missing = set.intersection(*possible) - shown
        outdated = shown - set.union(*possible)
        if missing or outdated:
            raise Stale(f"missing: {missing}, outdated: {outdated}")
        same = (oldest + n for n, truth in enumerate(possible) if truth == shown)
        return next(same, oldest)

    def _write(self, deed):
        with suppress(EditConflict, Message.DoesNotExist, ValidationError):
            deed(self)
        # Told to whoever asked for it: from now on everybody has to see it.
        self._told = max(self._told, self._committed.get(threading.current_thread().name, 0))

    # --- What they do ---

    def edit(self):
        message, text = fresh(self.message), secret(self.alice, self.bob)
        MessageService.edit(message, content=text, revision=message.revision)

    def reply(self):
        write(self.bob, self.alice, secret(self.alice, self.bob), parent_message=self.message)

    def begin(self):
        write(self.bob, self.alice, secret(self.alice, self.bob))

    def delete(self):
        Message.objects.get(pk=self.message.pk).delete()

    def rename(self):
        person = fresh(self.alice)
        person.username = f"name-{secrets.token_hex(4)}"
        person.save()

    def mark_read(self):
        ThreadService.mark_read(self.bob, message=self.message)

    def read_all(self):
        NotificationService.mark_all_read(self.bob)

    # --- How it goes ---

    def run(self, name, until="end"):
        while (point := self.step(name)) != until:
            assert point != "end", f"{name} never came to {until}"

    def step(self, name):
        point = self.stage.step(name)
        if point == "committed":
            self._committed[name] = len(self._truths)
            self._truths.append(self._truth())
        return point

    def all_at_once(self, deeds, schedule):
        """Let two do these deeds while two look, by this schedule, and then what is left."""
        self.reader("first reader")
        self.reader("second reader")
        self.writer("first writer", *deeds[::2])
        self.writer("second writer", *deeds[1::2])
        for choice in schedule:
            if choice in CHANCES:
                CHANCES[choice]()
            elif ready := self.stage.ready():
                self.step(ready[choice % len(ready)])
        while ready := self.stage.ready():
            self.step(ready[0])

    def rest(self):
        """Once all is quiet, the whole page is right, byte for byte."""
        visitor = Visitor(self.bob)
        shown = said(visitor.get(self._address))
        with no_caching():
            if shown != said(visitor.get(self._address)):
                raise Stale(f"{self._address} at rest")

    def _truth(self):
        with no_caching():
            return words(Visitor(self.bob).get(self._address, htmx=True))


WORDS = re.compile(SECRET.pattern.decode() + r"|name-[0-9a-f]{8}")


def words(response):
    """Return the texts and the new names on a page."""
    return {found[0] for found in WORDS.finditer(response.content.decode())}


CHANCES = {
    "evict some": lambda: evict(0),
    "evict others": lambda: evict(1),
    "flush": lambda: caches["default"].clear(),
    "lose": Watched.losing.set,
}
INBOX, THREAD = "/inbox/?show=all", "/messages/{pk}/"
PAGES = [INBOX, THREAD, "/conversation/", "/notifications/"]
DEEDS = [
    *(Play.edit, Play.reply, Play.begin, Play.delete),
    *(Play.rename, Play.mark_read, Play.read_all),
]
STEPS = [*range(12), *sorted(CHANCES)]  # a number: who goes on, of those who can
MOST = 80


@examples()
@given(
    address=st.sampled_from(PAGES),
    deeds=st.lists(st.sampled_from(DEEDS), min_size=2, max_size=4),
    schedule=st.lists(st.sampled_from(STEPS), min_size=MOST, max_size=MOST),
)
def test_no_order_of_things_shows_what_is_past(alice, bob, address, deeds, schedule):
    tell(alice, bob, lambda play: play.all_at_once(deeds, schedule), address)


# --- Mistakes ---


def read_the_version_after_the_load(monkeypatch):
    get_context_data = InboxView.get_context_data

    def get_late(self, **kwargs):
        context = get_context_data(self, **kwargs)
        assert context["page"].row_list is not None  # loaded
        refresh_mailbox(self.request)
        before = str(self.before or "")
        key = fragments.mailbox_key("inbox", self.request.user, self.tab, before)
        return context | {"list_key": key}

    monkeypatch.setattr(InboxView, "get_context_data", get_late)


def leave_the_version_out_of_the_key(monkeypatch):
    def make_key(name, user, *rest):
        return fragments.key(name, user.pk, *rest)

    monkeypatch.setattr(fragments, "mailbox_key", make_key)


def leave_the_revision_out_of_the_key(monkeypatch):
    def make_key(pk, revision, is_deleted, is_mine):
        return fragments.key("message", pk, is_deleted, is_mine)

    monkeypatch.setattr(fragments, "_message_keys", lambda: make_key)


def delete_instead(monkeypatch):
    """Even when all there is gets deleted, after each commit."""
    leave_the_version_out_of_the_key(monkeypatch)
    after_each_bump(monkeypatch, lambda people: caches["default"].clear())


def keep_the_stamp_in_the_cache_alone(monkeypatch):
    def of(cls, user):
        stamp = caches["default"].get_or_set(f"stamp:{user.pk}", 1)
        return cls(user_id=user.pk, version=stamp, unread_count=user.mailbox.unread_count)

    def move(people):
        for pk in people:
            stamp = caches["default"].get(f"stamp:{pk}", 0)
            caches["default"].set(f"stamp:{pk}", stamp + 1)

    monkeypatch.setattr(Mailbox, "of", classmethod(of))
    after_each_bump(monkeypatch, move)


def after_each_bump(monkeypatch, deed):
    bump = MailboxService.bump

    def bump_and_tell(people, **kwargs):
        people = list(people)
        bump(people, **kwargs)
        transaction.on_commit(lambda: deed(people))

    monkeypatch.setattr(MailboxService, "bump", staticmethod(bump_and_tell))


# --- How they come out ---


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize(
    "deeds",
    [(Play.edit, Play.rename), (Play.reply, Play.delete), (Play.delete,)],
    ids=["edit, rename", "reply, delete", "delete"],
)
def test_a_write_at_any_moment_of_a_look_is_seen(alice, bob, address, deeds):
    moments = itertools.count()
    while tell(alice, bob, write_at(next(moments), deeds), address):
        pass
    assert next(moments) > 10


def test_a_version_read_after_the_load_is_caught(alice, bob, monkeypatch):
    read_the_version_after_the_load(monkeypatch)
    assert is_caught(alice, bob, *map(write_at, range(1, 10)))


def test_a_key_without_a_version_is_caught(alice, bob, monkeypatch):
    leave_the_version_out_of_the_key(monkeypatch)
    assert is_caught(alice, bob, write_after_a_look)


def test_a_message_without_its_revision_in_the_key_is_caught(alice, bob, monkeypatch):
    leave_the_revision_out_of_the_key(monkeypatch)
    assert is_caught(alice, bob, write_after_a_look, address=THREAD)


def test_deleting_instead_of_a_key_is_caught(alice, bob, monkeypatch):
    delete_instead(monkeypatch)
    tell(alice, bob, write_after_a_look)  # one after the other, it works
    assert is_caught(alice, bob, *map(write_at, range(1, 10)))


def test_a_stamp_only_in_the_cache_is_caught(alice, bob, monkeypatch):
    keep_the_stamp_in_the_cache_alone(monkeypatch)
    tell(alice, bob, write_after_a_look)
    assert is_caught(alice, bob, forget_stamps)


def write_at(moment, deeds=(Play.edit, Play.rename)):
    """Tell of somebody who looks, and of a write after so many of their stops.

    The story says whether they had more than that.
    """

    def story(play):
        play.reader("reader", times=1)
        play.writer("writer", *deeds)
        is_early = all(play.step("reader") != "end" for _ in range(moment))
        play.run("writer")
        if is_early:
            play.run("reader")
        return is_early

    return story


def write_after_a_look(play):
    assert not write_at(1000)(play)


def forget_stamps(play):
    forget_all_stamps()
    write_after_a_look(play)
    forget_all_stamps()


def forget_all_stamps():
    for key in stored_keys(caches["default"]):
        if "stamp" in key:
            caches["default"].delete(key)


def is_caught(alice, bob, *stories, address=INBOX):
    """Say whether a mistake comes out: in one of these stories, and among random orders too."""
    random_orders = (in_random_order(seed) for seed in range(100))
    return all(
        any(is_stale(alice, bob, story, address) for story in tries)
        for tries in (stories, random_orders)
    )


def is_stale(alice, bob, story, address):
    try:
        tell(alice, bob, story, address)
    except Stale:
        return True
    return False


def tell(alice, bob, story, address=INBOX):
    with Play(alice, bob, address) as play:
        result = story(play)
        play.rest()
    return result


def in_random_order(seed):
    schedule = random.Random(seed).choices(STEPS, k=MOST)  # noqa: S311
    return lambda play: play.all_at_once([Play.edit, Play.begin, Play.edit], schedule)
