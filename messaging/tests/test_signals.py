"""Each receiver alone, all the others disconnected: what it does, and what only it does."""

from contextlib import contextmanager

import pytest
from django.contrib.auth import get_user_model
from django.core import serializers
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import post_delete, post_save, pre_delete, pre_save

from messaging import signals
from messaging.models import (
    Mailbox,
    Message,
    MessageHistory,
    Notification,
    Participation,
    Thread,
)
from messaging.services import NotificationService, ThreadService

from .factories import fresh, reply, versions, write
from .ledger import faults

User = get_user_model()

# The name of each receiver, with every signal and model that it listens to.
RECEIVERS = {
    "log_edit": [(pre_save, Message)],
    "notify_receiver": [(post_save, Message)],
    "count_saved": [(post_save, Message)],
    "count_deleted": [(post_delete, Message)],
    "refresh_bell": [(post_save, Notification), (post_delete, Notification)],
    "make_mailbox": [(post_save, User)],
    "note_old_name": [(pre_save, User)],
    "follow_rename": [(post_save, User)],
    "hold_mailboxes": [(pre_delete, User)],
    "clean_up_user": [(post_delete, User)],
}


SIGNALS = {signal for places in RECEIVERS.values() for signal, _ in places}


@contextmanager
def only(*names):
    """Disconnect every receiver of messaging but these."""
    others = [
        (signal, name, sender)
        for name, places in RECEIVERS.items()
        for signal, sender in places
        if name not in names
    ]
    for signal, name, sender in others:
        assert signal.disconnect(sender=sender, dispatch_uid=f"messaging.{name}")
    try:
        yield
    finally:
        for signal, name, sender in others:
            signal.connect(getattr(signals, name), sender=sender, dispatch_uid=f"messaging.{name}")


def connected():
    """Return the names of the receivers of messaging that are connected."""
    uids = [key[0] for signal in SIGNALS for key, *_ in signal.receivers]
    return {str(uid) for uid in uids if str(uid).startswith("messaging.")}


def test_every_receiver_is_known_by_its_name():
    assert connected() == {f"messaging.{name}" for name in RECEIVERS}


def test_connecting_again_connects_nothing_twice(alice, bob):
    for name, places in RECEIVERS.items():
        for signal, sender in places:
            before = len(signal.receivers)
            signal.connect(getattr(signals, name), sender=sender, dispatch_uid=f"messaging.{name}")
            assert len(signal.receivers) == before


def test_without_any_receiver_a_message_still_has_its_thread(alice, bob):
    with only():
        message = write(alice, bob)
        answer = reply(message)
    assert (message.depth, answer.depth) == (0, 1)
    assert answer.thread == message.thread
    assert (Thread.objects.get().message_count, Participation.objects.count()) == (0, 0)
    assert not Notification.objects.exists()
    assert versions(alice, bob) == {"alice": 0, "bob": 0}


# --- Messages ---


def test_log_edit_keeps_the_text_that_an_edit_replaced(alice, bob):
    with only("log_edit"):
        message = write(alice, bob, "First")
        message.content = "Second"
        message.save()
    row = message.history.get()
    assert (row.old_content, row.revision, row.editor) == ("First", 1, alice)
    assert (fresh(message).edited, fresh(message).revision) == (True, 2)
    assert not Notification.objects.exists()


def test_log_edit_takes_the_old_text_from_the_database(alice, bob):
    with only("log_edit"):
        stale = fresh(write(alice, bob, "First"))
        Message.objects.update(content="Changed by hand")
        stale.content = "Second"
        stale.save()
    assert MessageHistory.objects.get().old_content == "Changed by hand"


def test_log_edit_leaves_new_read_and_deleted_messages_alone(alice, bob):
    with only("log_edit"):
        message = write(alice, bob, "First")
        message.read = True
        message.save()
        message.save()
        reply(message)
        message.delete()
    assert not MessageHistory.objects.exists()


def test_without_log_edit_an_edit_leaves_no_trace(alice, bob):
    with only("notify_receiver", "count_saved"):
        message = write(alice, bob, "First")
        message.content = "Second"
        message.save()
    assert (fresh(message).content, fresh(message).edited) == ("Second", False)
    assert not MessageHistory.objects.exists()


def test_notify_receiver_rings_for_a_new_message(alice, bob):
    with only("notify_receiver"):
        message = write(alice, bob)
    line = Notification.objects.get()
    assert (line.user, line.message, line.is_read) == (bob, message, False)
    assert versions(alice, bob) == {"alice": 0, "bob": 0}


def test_notify_receiver_rings_for_nothing_else(alice, bob):
    with only("notify_receiver"):
        message = write(alice, bob)
        Notification.objects.all().delete()
        message.content = "Second"
        message.save()
        message.read = True
        message.save()
        reply(message).delete()
    assert not Notification.objects.exists()


def test_count_saved_counts_a_new_message(alice, bob):
    with only("count_saved"):
        message = write(alice, bob)
        reply(message)
    thread = fresh(message.thread)
    assert (thread.message_count, fresh(message).reply_count) == (2, 1)
    assert versions(alice, bob) == {"alice": 2, "bob": 2}
    assert list(Mailbox.objects.order_by("pk").values_list("unread_count", flat=True)) == [1, 1]


def test_count_saved_follows_what_is_read(alice, bob):
    with only("count_saved"):
        message = write(alice, bob)
        message.read = True
        message.save()
    assert Participation.objects.get(user=bob).unread_count == 0
    assert versions(alice, bob) == {"alice": 1, "bob": 2}


def test_count_saved_moves_versions_with_a_new_text(alice, bob):
    with only("count_saved"):
        message = write(alice, bob)
        message.content = "Second"
        message.save()
    assert versions(alice, bob) == {"alice": 2, "bob": 2}
    assert fresh(message.thread).version == 2


def test_count_saved_takes_a_tombstone_out_of_the_counts(alice, bob):
    with only("count_saved"):
        message = write(alice, bob)
        reply(message)
        message.delete()
    assert fresh(message.thread).message_count == 1
    assert Participation.objects.get(user=bob).unread_count == 0


def test_count_deleted_takes_a_message_out_of_the_counts(alice, bob):
    first = write(alice, bob)
    answer = reply(first)
    with only("count_deleted"):
        answer.delete()
    assert (fresh(first).reply_count, fresh(first.thread).message_count) == (0, 1)
    assert faults() == []


def test_count_deleted_takes_an_empty_thread_away(alice, bob):
    message = write(alice, bob)
    with only("count_deleted"):
        message.delete()
    assert not Thread.objects.exists()
    assert not Participation.objects.exists()


def test_without_count_deleted_the_counts_stay(alice, bob):
    first = write(alice, bob)
    answer = reply(first)
    with only():
        answer.delete()
    assert fresh(first.thread).message_count == 2


# --- Notifications ---


def test_refresh_bell_moves_one_mailbox(alice, bob):
    message = write(alice, bob)
    before = versions(alice, bob)
    with only("refresh_bell"):
        line = message.notifications.get()
        line.is_read = True
        line.save()
    assert versions(alice, bob) == before | {"bob": before["bob"] + 1}
    with only("refresh_bell"):
        line.delete()
    assert versions(alice, bob) == before | {"bob": before["bob"] + 2}


def test_without_refresh_bell_a_line_moves_nothing(alice, bob):
    message = write(alice, bob)
    before = versions(alice, bob)
    with only():
        message.notifications.get().save()
    assert versions(alice, bob) == before


# --- People ---


def test_make_mailbox_gives_everybody_one(db):
    with only("make_mailbox"):
        person = User.objects.create_user(username="carol")
        person.save()
    assert Mailbox.objects.get().user == person


def test_without_make_mailbox_there_is_none_yet(db):
    with only():
        User.objects.create_user(username="carol")
    assert not Mailbox.objects.exists()


def test_follow_rename_needs_the_name_that_was_noted_before(alice, bob):
    write(alice, bob)
    with only("follow_rename"):
        bob.username = "robert"
        bob.save()
    assert versions(alice, bob) == {"alice": 1, "robert": 1}
    with only("note_old_name", "follow_rename"):
        bob.username = "bobby"
        bob.save()
    assert versions(alice, bob) == {"alice": 2, "bobby": 2}


def test_follow_rename_leaves_other_changes_alone(alice, bob):
    write(alice, bob)
    before = versions(alice, bob)
    with only("note_old_name", "follow_rename"):
        bob.email = "robert@example.com"
        bob.save()
        bob.save(update_fields=["email"])
    assert versions(alice, bob) == before


def test_clean_up_user_removes_what_a_person_leaves(alice, bob):
    write(alice, bob)
    with only("clean_up_user"):
        alice.delete()
    assert not Message.objects.exists()
    assert not Notification.objects.exists()


def test_without_clean_up_user_the_database_refuses_to_let_one_go(alice, bob):
    write(alice, bob)
    with only():
        alice.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        connection.check_constraints()
    Message.objects.all().delete()


def test_hold_mailboxes_changes_nothing(alice, bob):
    write(alice, bob)
    before = versions(alice, bob)
    with only():
        signals.hold_mailboxes(User, alice)
    assert versions(alice, bob) == before


# --- Together or not at all ---


def everything():
    models = (Message, MessageHistory, Notification, Participation, Thread, Mailbox)
    return {model: list(model.objects.order_by("pk").values()) for model in models}


@pytest.mark.parametrize(
    ("service", "deed"),
    [
        (NotificationService, "create_notification"),
        (ThreadService, "add"),
    ],
)
def test_a_message_is_not_sent_if_what_follows_fails(alice, bob, monkeypatch, service, deed):
    before = everything()

    def fail(message):
        raise RuntimeError

    monkeypatch.setattr(service, deed, fail)
    with pytest.raises(RuntimeError):
        write(alice, bob)
    assert everything() == before


@pytest.mark.parametrize("deed", ["touch", "count_read"])
def test_a_message_is_not_changed_if_what_follows_fails(alice, bob, monkeypatch, deed):
    message = write(alice, bob)
    before = everything()

    def fail(message):
        raise RuntimeError

    monkeypatch.setattr(ThreadService, deed, fail)
    message.content, message.read = "Second", True
    with pytest.raises(RuntimeError):
        message.save()
    assert everything() == before


@pytest.mark.parametrize("has_reply", [True, False])
def test_a_message_is_not_deleted_if_what_follows_fails(alice, bob, monkeypatch, has_reply):
    message = write(alice, bob)
    if has_reply:
        reply(message)
    before = everything()

    def fail(message):
        raise RuntimeError

    monkeypatch.setattr(ThreadService, "remove", fail)
    with pytest.raises(RuntimeError):
        message.delete()
    assert everything() == before


def test_of_many_none_is_deleted_if_what_follows_fails(alice, bob, monkeypatch):
    write(alice, bob)
    write(alice, bob)
    before, remove = everything(), ThreadService.remove

    def fail_the_second_time(message):
        if Message.objects.count() == 0:
            raise RuntimeError
        remove(message)

    monkeypatch.setattr(ThreadService, "remove", fail_the_second_time)
    with pytest.raises(RuntimeError):
        Message.objects.all().delete()
    assert everything() == before


# --- Fixtures ---


def test_fixtures_trigger_nothing(alice, bob):
    first = write(alice, bob, "First")
    first.content = "Second"
    first.save()
    reply(first)
    before = everything() | {User: list(User.objects.order_by("pk").values())}
    models = [User, Thread, Message, MessageHistory, Notification, Participation, Mailbox]
    rows = [row for model in models for row in model.objects.order_by("pk")]
    fixture = serializers.serialize("python", rows)
    for model in reversed(models):
        model.objects.all()._raw_delete("default")
    assert not any(everything().values())
    for row in serializers.deserialize("python", fixture):
        row.save()
    assert everything() | {User: list(User.objects.order_by("pk").values())} == before
    assert faults() == []


def test_loading_a_fixture_over_what_is_there_changes_nothing(alice, bob):
    message = write(alice, bob)
    fixture = serializers.serialize("python", [message, *message.notifications.all(), alice])
    before = everything()
    for row in serializers.deserialize("python", fixture):
        row.save()
    assert everything() == before
