"""Whatever people do, and whatever becomes of the cache: a page is what it is without one."""

import itertools
import uuid

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from messaging import fragments
from messaging.models import Block, Message, Notification
from messaging.services import AccessService, CacheEpochService

from .caches import Unreliable, evict
from .factories import fresh
from .leaks import secret
from .nightly import IS_NIGHTLY, examples
from .visits import Visitor, Window, polled, unpolled

NAMES = ("alice", "bob", "carol")
POLLS, PAGES = (1, 1) if IS_NIGHTLY else (4, 90)  # one in so many is looked at, in turn
someone = st.integers(0, len(NAMES) - 1)
some = st.integers(0, 99)


class Mailing(RuleBasedStateMachine):
    """Three people write to each other, each with pages open; two processes answer them."""

    visitors = ()  # of all who were there at the beginning

    def __init__(self):
        super().__init__()
        self._undo = transaction.atomic()
        self._undo.__enter__()
        # Versions went back with the run before; a cache that failed a moment ago can't be cleared.
        CacheEpochService.renew()
        self._process = 0
        self._fragments = caches["template_fragments"] = Unreliable()
        self._windows = {visitor: {} for visitor in self.visitors}
        self._names = 0

    def teardown(self):
        transaction.set_rollback(True)
        self._undo.__exit__(None, None, None)
        fragments.forget_epoch()
        caches["default"] = self.processes[0]
        for visitor in self.visitors:
            visitor.person.refresh_from_db()

    # --- What people do ---

    @initialize(turn=st.integers(0, PAGES))
    def begin(self, turn):
        self._turns = itertools.count(turn)
        self.send(0, 1)

    @rule(sender=someone, step=st.integers(1, 2))
    def send(self, sender, step):
        visitor, receiver = self._visitor(sender), self._visitor(sender + step).person
        if visitor.person != receiver:
            fields = {"to": receiver.get_username(), "content": secret(visitor.person, receiver)}
            fields |= {"client_token": uuid.uuid4()}
            self._write(visitor, receiver, "/messages/new/", fields)

    @rule(which=some, is_sender=st.booleans())
    def reply(self, which, is_sender):
        if message := self._message(which):
            pair = (message.sender, message.receiver)
            visitor = self._visitor_of(pair[not is_sender])
            fields = {"content": secret(*pair), "client_token": uuid.uuid4(), "at": message.pk}
            self._write(visitor, pair[is_sender], f"/messages/{message.pk}/reply/", fields)

    @rule(which=some)
    def edit(self, which):
        if message := self._message(which):
            text = secret(message.sender, message.receiver)
            fields = {"content": text, "revision": message.revision}
            author = self._visitor_of(message.sender)
            is_refused = self._has_blocked(message.receiver, message.sender)
            status = 422 if is_refused else 200
            self._post(author, f"/messages/{message.pk}/edit/", fields, status)

    @rule(which=some)
    def delete(self, which):
        if message := self._message(which):
            author = self._visitor_of(message.sender)
            fields = {"at": message.pk, "thread": message.thread_id}
            self._post(author, f"/messages/{message.pk}/delete/", fields)

    @rule(which=some, state=st.sampled_from(["read", "unread"]))
    def mark(self, which, state):
        if message := self._message(which):
            reader = self._visitor_of(message.receiver)
            self._post(reader, f"/messages/{message.pk}/read/", {"state": state})

    @rule(which=some, is_sender=st.booleans(), view=st.sampled_from(["tree", "flat"]))
    def choose_view(self, which, is_sender, view):
        if message := self._message(which):
            reader = self._visitor_of((message.sender, message.receiver)[not is_sender])
            self._post(reader, f"/messages/{message.pk}/view/", {"view": view})

    @rule(which=some)
    def read_notification(self, which):
        if line := self._pick(Notification.objects.unread().order_by("pk"), which):
            self._post(self._visitor_of(line.user), f"/notifications/{line.pk}/read/")

    @rule(person=someone)
    def read_all_notifications(self, person):
        self._post(self._visitor(person), "/notifications/read/")

    @rule(person=someone, step=st.integers(1, 2), state=st.sampled_from(["blocked", "unblocked"]))
    def block(self, person, step, state):
        visitor, other = self._visitor(person), self._visitor(person + step).person
        address = f"/people/{fresh(other).get_username()}/block/"
        if visitor.person != other and visitor.get(address).status_code == 200:
            self._post(visitor, address, {"state": state})

    @rule(person=someone, which=some)
    def take_note_of_a_look(self, person, which):
        visitor = self._visitor(person)
        if message := self._pick(Message.objects.visible_to(visitor.person).order_by("pk"), which):
            self._post(visitor, f"/messages/{message.pk}/access/")

    @rule(person=someone)
    def rename(self, person):
        visitor = self._visitor(person)
        self._names += 1
        visitor.person.username = f"{NAMES[person]}-{self._names}"
        visitor.person.save()

    @precondition(lambda self: len(self._windows) == len(NAMES))
    @rule(person=someone)
    def leave(self, person):
        visitor = self._visitor(person)
        get_user_model().objects.get(pk=visitor.person.pk).delete()
        del self._windows[visitor]
        assert visitor.get("/inbox/").status_code == 302

    # --- What scripts and staff do ---

    @rule(which=some, name=st.sampled_from(["read", "content"]))
    def save_in_a_script(self, which, name):
        if message := self._message(which):
            text = secret(message.sender, message.receiver)
            setattr(message, name, text if name == "content" else not message.read)
            message.save()

    @rule(which=some)
    def save_in_the_admin(self, which):
        if message := self._message(which):
            message.read = not message.read
            admin.site._registry[Message].save_model(None, message, None, True)

    @rule(which=some)
    def delete_in_the_admin(self, which):
        if message := self._message(which):
            admin.site._registry[Message].delete_model(None, message)

    @rule(which=some)
    def delete_many_in_the_admin(self, which):
        chosen = [message.pk for message in (self._message(which), self._message(7)) if message]
        message_set = Message.objects.filter(pk__in=chosen)
        admin.site._registry[Message].delete_queryset(None, message_set)

    @rule(which=some, is_kept=st.booleans())
    def change_a_notification_in_the_admin(self, which, is_kept):
        if line := self._pick(Notification.objects.order_by("pk"), which):
            line.is_read = not line.is_read
            line.save() if is_kept else line.delete()

    @rule(which=some)
    def read_text_in_the_admin(self, which):
        if message := self._pick(Message.objects.order_by("pk"), which):
            AccessService.read_text(None, [message.pk], reason="Report 12")

    # --- What becomes of the cache ---

    @rule()
    def go_on_in_another_process(self):
        self._process = 1 - self._process
        caches["default"] = self.processes[self._process]

    @rule(mode=st.sampled_from(["store", "lose", "hold"]))
    def store_otherwise(self, mode):
        self._fragments.mode = mode

    @rule()
    def store_late(self):
        self._fragments.mode = "store"
        self._fragments.release()

    @rule(which=some)
    def forget_some(self, which):
        evict(which)

    @rule()
    def forget_all(self):
        caches["default"].clear()

    # --- What has to hold ---

    @invariant()
    def every_page_is_what_it_is_without_a_cache(self):
        connection.check_constraints()
        for visitor, windows in self._windows.items():
            visitor.blink()
            self._look_at_polls(visitor, windows)
            self._look_at_pages(visitor)

    def _look_at_polls(self, visitor, windows):
        for address in polled(visitor.person):
            windows.setdefault(address, Window(visitor, address))
        for address, window in self._in_turn(windows.items(), POLLS):
            window.poll()
            if not window.is_open:
                del windows[address]

    def _look_at_pages(self, visitor):
        pages = [(address, False) for address in polled(visitor.person)]
        pages += [(address, htmx) for address in unpolled(visitor.person) for htmx in (False, True)]
        for address, htmx in self._in_turn(pages, PAGES):
            visitor.look(address, htmx=htmx)

    def _in_turn(self, rows, step):
        """Return one in so many, and with each call others."""
        return [row for row in rows if next(self._turns) % step == 0]

    # --- Who and what ---

    def _visitor(self, number):
        present = list(self._windows)
        return present[number % len(present)]

    def _visitor_of(self, person):
        return next(visitor for visitor in self._windows if visitor.person == person)

    def _message(self, number):
        return self._pick(Message.objects.not_deleted().with_people().order_by("pk"), number)

    def _pick(self, rows, number):
        found = list(rows)
        return fresh(found[number % len(found)]) if found else None

    def _has_blocked(self, person, other):
        return Block.objects.filter(blocker=person, blocked=other).exists()

    def _write(self, visitor, receiver, address, fields):
        pair = (visitor.person, receiver)
        is_refused = self._has_blocked(*pair) or self._has_blocked(*reversed(pair))
        self._post(visitor, address, fields, 422 if is_refused else 200)

    def _post(self, visitor, address, fields=(), status=200):
        response = visitor.post(address, fields)
        assert response.status_code == status, f"{address}: {response.status_code}"


@pytest.fixture
def mailing(db, no_throttles):
    """The machine, with people who are there for each of its runs."""
    people = get_user_model().objects
    visitors = [
        Visitor(people.create_user(username=name, email=f"{name}@example.com")) for name in NAMES
    ]
    processes = [caches["default"], LocMemCache("elsewhere", {})]
    counted = caches["template_fragments"]
    yield type("Mailing", (Mailing,), {"visitors": visitors, "processes": processes})
    caches["default"], caches["template_fragments"] = processes[0], counted


def test_every_page_is_what_it_is_without_a_cache(mailing):
    run_state_machine_as_test(
        mailing, settings=examples(stateful_step_count=8 if IS_NIGHTLY else 5)
    )
