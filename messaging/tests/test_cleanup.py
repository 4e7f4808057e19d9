"""What becomes of messages when a person leaves."""

import re

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connection, models, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.models import (
    Mailbox,
    Message,
    MessageHistory,
    Notification,
    Participation,
    Thread,
)
from messaging.services import MailboxService, UserCleanupService

from .factories import fresh, reply, unread, versions, write
from .ledger import faults
from .many import write_many

User = get_user_model()
OURS = (Message, MessageHistory, Notification, Participation, Thread)


@pytest.fixture
def letters(alice, bob, mallory):
    """Everybody with everybody; alice's messages have history, replies and a tombstone."""
    first = write(alice, bob, "From alice")
    first.content = "From alice, edited"
    first.save()
    reply(reply(first, "From bob"), "From alice again")
    buried = write(bob, alice, "Buried")
    reply(buried, "Hangs on a tombstone")
    buried.delete()
    write(mallory, alice, "From mallory")
    write(bob, mallory, "Not for alice")
    return first


def rows_of_others(alice):
    """Every row of messaging that has nothing to do with alice, but for the mailboxes."""
    threads = Thread.objects.exclude(participations__user=alice)
    return {
        Thread: list(threads.order_by("pk").values()),
        **{
            model: list(model.objects.filter(**{f"{path}__in": threads}).order_by("pk").values())
            for model, path in [
                (Message, "thread"),
                (Participation, "thread"),
                (MessageHistory, "message__thread"),
                (Notification, "message__thread"),
            ]
        },
    }


def rows_naming(pk):
    """Return where in the whole database a foreign key still holds this person's id."""
    return [
        f"{model.__name__}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.related_model is User
        if model._base_manager.filter(**{field.attname: pk}).exists()
    ]


def test_all_that_one_sent_or_received_is_gone(alice, letters):
    alice.delete()
    assert list(Message.objects.values_list("content", flat=True)) == ["Not for alice"]
    assert not MessageHistory.objects.exists()
    assert Notification.objects.get().message == Message.objects.get()
    assert Thread.objects.count() == 1
    assert faults() == []


def test_what_others_wrote_to_each_other_stays_to_the_byte(alice, letters):
    before = rows_of_others(alice)
    assert before[Message]
    alice.delete()
    assert {model: list(model.objects.order_by("pk").values()) for model in OURS} == before


def test_no_row_names_the_person_any_more(alice, letters):
    pk = alice.pk
    assert "Message.sender" in rows_naming(pk)
    alice.delete()
    assert rows_naming(pk) == []


def test_the_others_count_anew_and_see_the_change(alice, bob, mallory, letters):
    before = versions(bob, mallory)
    assert unread(bob) == 3
    alice.delete()
    assert (unread(bob), unread(mallory)) == (0, 1)
    assert all(version > before[name] for name, version in versions(bob, mallory).items())


def test_who_shared_nothing_sees_no_change(alice, bob, mallory):
    write(alice, bob)
    before = versions(mallory)
    alice.delete()
    assert versions(mallory) == before


def test_a_person_without_a_message_leaves_too(alice, bob):
    before = versions(bob)
    alice.delete()
    assert (User.objects.get(), versions(bob)) == (bob, before)


def test_one_who_was_never_given_a_mailbox_leaves_too(alice, bob):
    write(alice, bob)
    Mailbox.objects.all().delete()
    fresh(alice).delete()
    assert not Message.objects.exists()


def test_rows_made_in_bulk_without_places_go_as_well(alice, bob):
    Message.objects.bulk_create(
        [Message(sender=alice, receiver=bob, content="x", thread=Thread.objects.create())]
    )
    with transaction.atomic():
        alice.delete()
        connection.check_constraints()
    assert not Message.objects.exists()
    assert not Thread.objects.exists()


def test_one_who_edited_the_words_of_others_is_forgotten_as_editor(alice, bob, mallory):
    message = write(alice, bob, "First")
    message.content = "Second"
    message.save()
    message.history.update(editor=mallory)
    mallory.delete()
    assert message.history.get().editor is None


def test_a_queryset_of_people_cleans_up_after_each(alice, bob, mallory, letters):
    User.objects.filter(pk__in=[alice.pk, mallory.pk]).delete()
    assert User.objects.get() == bob
    assert not any(model.objects.exists() for model in OURS)
    assert unread(bob) == 0
    connection.check_constraints()


def test_everybody_may_leave_at_once(alice, bob, mallory, letters):
    User.objects.all().delete()
    assert not any(model.objects.exists() for model in (*OURS, Mailbox))
    connection.check_constraints()


def test_the_admin_deletes_a_person_with_their_messages(admin_client, alice, bob, letters):
    url = f"/admin/accounts/user/{alice.pk}/delete/"
    response = admin_client.post(url, {"post": "yes"})
    assert response.status_code == 302, _reasons(response)
    assert list(Message.objects.values_list("content", flat=True)) == ["Not for alice"]
    assert faults() == []


def test_the_admin_deletes_chosen_people_with_their_messages(admin_client, alice, bob, letters):
    data = {"action": "delete_selected", "_selected_action": [alice.pk, bob.pk], "post": "yes"}
    response = admin_client.post("/admin/accounts/user/", data)
    assert response.status_code == 302, _reasons(response)
    assert not Message.objects.exists()


def _reasons(response):
    return re.findall(r"<li>[^<]*</li>", response.content.decode())


def test_cleaning_up_can_be_asked_for_without_leaving(alice, bob, letters):
    UserCleanupService.cleanup_user_data(alice)
    assert User.objects.filter(pk=alice.pk).exists()
    assert list(Message.objects.values_list("content", flat=True)) == ["Not for alice"]
    assert rows_naming(alice.pk) in ([], ["Mailbox.user"])
    assert unread(alice) == 0
    assert faults() == []
    write(alice, bob, "A new beginning")
    assert faults() == []


def test_the_counts_say_what_will_go(alice, letters):
    assert UserCleanupService.counts(alice) == {
        "sent": 3,
        "received": 2,
        "threads": 3,
        "notifications": 2,
    }


def test_counts_of_a_newcomer_are_nothing(alice):
    assert set(UserCleanupService.counts(alice).values()) == {0}


def test_it_all_happens_or_nothing_does(alice, bob, letters, monkeypatch):
    def fail(people):
        raise RuntimeError

    before = {model: list(model.objects.order_by("pk").values()) for model in (*OURS, User)}
    monkeypatch.setattr(MailboxService, "recount", fail)  # the last step
    with pytest.raises(RuntimeError), transaction.atomic():
        alice.delete()
    assert {model: list(model.objects.order_by("pk").values()) for model in (*OURS, User)} == before
    assert faults() == []


def queries_to_delete(person):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        person.delete()
    return len(queries)


def test_3000_messages_take_no_more_queries_than_3(alice, bob, mallory):
    write_many(mallory, bob, 3)
    few = queries_to_delete(mallory)
    thread = write(alice, bob).thread
    Message.objects.bulk_create(
        Message(sender=alice, receiver=bob, content=f"{n}", thread=thread, parent_message_id=None)
        for n in range(2999)
    )
    began = timezone.now()
    many = queries_to_delete(alice)
    assert not Message.objects.exists()
    assert many <= few
    assert (timezone.now() - began).total_seconds() < 5


def test_many_threads_go_in_batches(alice, bob):
    write_many(alice, bob, 3)
    write_many(bob, alice, 600)
    assert queries_to_delete(alice) < 60
    assert not any(model.objects.exists() for model in OURS)
    assert unread(bob) == 0
