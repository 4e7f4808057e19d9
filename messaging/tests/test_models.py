"""What a message is, how it is saved, and what is left when it is deleted."""

import uuid
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from messaging.models import (
    Mailbox,
    Message,
    MessageHistory,
    Notification,
    Participation,
    Thread,
)

from .factories import bell, fresh, place, reply, unread, versions, write
from .ledger import faults

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def chain(alice, bob, length):
    """Return messages of which each answers the one before."""
    message_list = [write(alice, bob, "0")]
    for number in range(1, length):
        message_list.append(reply(message_list[-1], str(number)))
    return message_list


def refuses(**fields):
    """Say whether the database itself refuses such a row: no `save`, no validator."""
    try:
        with transaction.atomic():
            Message.objects.bulk_create([Message(**fields)])
    except IntegrityError:
        return True
    return False


# --- What the database holds ---


@pytest.fixture
def row(alice, bob):
    thread = Thread.objects.create()
    return {"sender": alice, "receiver": bob, "content": "Hello", "thread": thread}


@pytest.mark.parametrize("content", ["", "x" * 5001, "🎉" * 5001])
def test_the_database_refuses_a_text_that_is_empty_or_too_long(row, content):
    assert refuses(**row | {"content": content})


@pytest.mark.parametrize("content", ["x", "x" * 5000, "🎉" * 5000, "é" * 5000])
def test_the_database_takes_1_to_5000_characters(row, content):
    assert not refuses(**row | {"content": content})
    assert Message.objects.get().content == content


def test_the_database_refuses_a_message_to_oneself(row, alice):
    assert refuses(**row | {"receiver": alice})


def test_the_database_refuses_a_message_of_nobody(row):
    assert refuses(**row | {"sender": None, "receiver": None})


@pytest.mark.parametrize("who", ["sender", "receiver"])
def test_the_database_takes_a_message_of_one_who_left(row, who):
    assert not refuses(**row | {who: None})


def test_the_database_refuses_words_on_a_tombstone(row):
    assert refuses(**row | {"deleted_at": NOON})
    assert not refuses(**row | {"deleted_at": NOON, "content": ""})


def test_a_client_token_is_unique_with_its_sender(row, alice, bob):
    token = uuid.uuid4()
    assert not refuses(**row, client_token=token)
    assert refuses(**row, client_token=token)
    assert not refuses(**row | {"sender": bob, "receiver": alice}, client_token=token)


def test_no_client_token_is_no_token_to_share(alice, bob):
    assert write(alice, bob).client_token is None
    assert write(alice, bob).client_token is None


def test_5000_emoji_are_sent_edited_and_kept(alice, bob):
    message = write(alice, bob, "🎉" * 5000)
    message.content = "👩‍🚀" * 1666
    message.save()
    assert fresh(message).content == "👩‍🚀" * 1666
    assert message.history.get().old_content == "🎉" * 5000


# --- Who may see ---


def test_nobody_who_is_signed_out_sees_a_message(alice, bob):
    message = write(alice, bob)
    Message.objects.filter(pk=message.pk).update(receiver=None)
    nobody = AnonymousUser()
    assert not Message.objects.visible_to(nobody).exists()
    assert not Message.unread.for_user(nobody).exists()
    assert not Message.objects.received_by(nobody).exists()
    Message.objects.filter(pk=message.pk).update(receiver=bob, sender=None)
    assert not Message.objects.sent_by(nobody).exists()


def test_nobody_who_is_signed_out_sees_an_earlier_text(alice, bob):
    message = write(alice, bob)
    message.content = "Bye"
    message.save()
    Message.objects.filter(pk=message.pk).update(receiver=None)
    assert not MessageHistory.objects.visible_to(AnonymousUser()).exists()


def test_an_earlier_text_is_seen_by_both_and_nobody_else(alice, bob, mallory):
    message = write(alice, bob)
    message.content = "Bye"
    message.save()
    seen = [MessageHistory.objects.visible_to(person).count() for person in (alice, bob, mallory)]
    assert seen == [1, 1, 0]


def test_what_two_people_wrote_to_each_other_is_between_them(alice, bob, mallory):
    ours = [write(alice, bob), write(bob, alice)]
    write(alice, mallory)
    assert list(Message.objects.between(alice, bob).in_time_order()) == ours
    assert list(Message.objects.between(bob, alice).in_time_order()) == ours


def test_each_sees_the_other(alice, bob):
    message = write(alice, bob)
    assert message.other_person(alice) == bob
    assert message.other_person(bob) == alice
    Message.objects.filter(pk=message.pk).update(receiver=None)
    assert fresh(message).other_person(alice) is None


# --- Threads ---


def test_a_message_without_a_parent_starts_a_thread(alice, bob):
    message = write(alice, bob)
    assert (message.depth, message.thread.message_set.get()) == (0, message)
    assert write(alice, bob).thread != message.thread


def test_a_reply_joins_its_parents_thread_one_level_down(alice, bob):
    first, second, third = chain(alice, bob, 3)
    assert first.thread == second.thread == third.thread
    assert [message.depth for message in (first, second, third)] == [0, 1, 2]
    assert [fresh(message).reply_count for message in (first, second, third)] == [1, 1, 0]
    assert faults() == []


def test_both_may_reply_to_the_same_message(alice, bob):
    first = write(alice, bob)
    write(alice, bob, "And another thing.", parent_message=first)
    reply(first)
    assert fresh(first).reply_count == 2
    assert list(first.replies.in_time_order().values_list("sender__username", flat=True)) == [
        "alice",
        "bob",
    ]


def test_nobody_else_may_reply(alice, bob, mallory):
    first = write(alice, bob)
    for sender, receiver in [(mallory, alice), (alice, mallory), (mallory, bob)]:
        with pytest.raises(ValidationError):
            write(sender, receiver, parent_message=first)
    assert Message.objects.count() == Thread.objects.count() == 1
    assert faults() == []


def test_a_tombstone_takes_no_reply(alice, bob):
    first = write(alice, bob)
    reply(first)
    stale = fresh(first)
    first.delete()
    with pytest.raises(ValidationError):
        reply(stale)
    assert faults() == []


def test_a_reply_to_a_message_that_is_gone_fails_and_leaves_nothing(alice, bob):
    first = write(alice, bob)
    stale = fresh(first)
    first.delete()
    with pytest.raises(Message.DoesNotExist):
        reply(stale)
    assert not Thread.objects.exists()


def test_timestamps_out_of_order_are_sorted_out(alice, bob):
    first = write(alice, bob, timestamp=NOON)
    latest = reply(first, timestamp=NOON + 2 * HOUR)
    early = reply(first, timestamp=NOON - 2 * HOUR)
    first.thread.refresh_from_db()
    assert first.thread.last_message == latest
    assert place(first, bob).sent_at == place(first, bob).last_activity == NOON + 2 * HOUR
    assert list(first.thread.message_set.in_time_order()) == [early, first, latest]
    assert faults() == []


def test_at_the_same_moment_the_later_row_is_the_latest(alice, bob):
    first = write(alice, bob, timestamp=NOON)
    second = reply(first, timestamp=NOON)
    assert fresh(first.thread).last_message == second
    assert list(Message.objects.in_time_order().up_to(first)) == [first]
    assert list(Message.objects.in_time_order().onward_from(second)) == [second]


def test_a_moment_of_another_time_zone_is_the_same_moment(alice, bob):
    first = write(alice, bob, timestamp=NOON)
    tokyo = (NOON + HOUR).astimezone(timezone(timedelta(hours=9)))
    reply(first, timestamp=tokyo)
    write(alice, bob, parent_message=first, timestamp=NOON.astimezone(timezone(-3 * HOUR)))
    assert place(first, bob).sent_at == NOON + HOUR
    assert place(first, alice).sent_at == NOON
    assert faults() == []


# --- Saving ---


def test_a_stale_copy_does_not_undo_an_edit(alice, bob):
    message = write(alice, bob, "First")
    stale = fresh(message)
    message.content = "Second"
    message.save()
    stale.read = True
    stale.save()
    assert (fresh(message).content, fresh(message).read) == ("Second", True)
    assert (stale.content, stale.revision, stale.edited) == ("Second", 2, True)
    assert faults() == []


def test_a_stale_copy_does_not_undo_that_a_message_was_read(alice, bob):
    message = write(alice, bob, "First")
    stale = fresh(message)
    message.read = True
    message.save()
    stale.content = "Second"
    stale.save()
    assert (fresh(message).content, fresh(message).read) == ("Second", True)
    assert fresh(message).read_at is not None
    assert faults() == []


def test_a_copy_from_bulk_create_is_no_change_either(alice, bob):
    thread = write(alice, bob).thread
    [copy] = Message.objects.bulk_create(
        [Message(sender=alice, receiver=bob, content="First", thread=thread)]
    )
    message = fresh(copy)
    message.content = "Second"
    message.save()
    copy.read = True
    copy.save()
    assert fresh(message).content == "Second"


def test_two_stale_edits_both_stand_in_the_history(alice, bob):
    message = write(alice, bob, "First")
    one, other = fresh(message), fresh(message)
    one.content = "Second"
    one.save()
    other.content = "Third"
    other.save()
    assert fresh(message).content == "Third"
    history = message.history.order_by("revision").values_list("revision", "old_content")
    assert list(history) == [(1, "First"), (2, "Second")]
    assert faults() == []


def test_a_save_that_changes_nothing_moves_nothing(alice, bob):
    message = write(alice, bob)
    before = versions(alice, bob), fresh(message.thread).version
    message.save()
    fresh(message).save()
    fresh(message).save(update_fields=["content", "read"])
    assert (versions(alice, bob), fresh(message.thread).version) == before
    assert not message.history.exists()


def test_only_content_and_read_are_taken_from_memory(alice, bob, mallory):
    message = write(alice, bob)
    before = Message.objects.values().get()
    message.sender, message.receiver = mallory, alice
    message.timestamp, message.depth, message.reply_count = NOON, 7, 7
    message.revision, message.edited, message.deleted_at = 7, True, NOON
    message.thread = Thread.objects.create()
    message.save()
    assert Message.objects.values().get() == before
    assert (message.sender, message.depth) == (alice, 0)


def test_update_fields_keeps_the_rest_for_a_later_save(alice, bob):
    message = write(alice, bob, "First")
    message.content, message.read = "Second", True
    message.save(update_fields=["read"])
    assert (fresh(message).content, fresh(message).read) == ("First", True)
    assert faults() == []


@pytest.mark.parametrize("queryset", ["only", "defer"])
def test_a_deferred_text_is_not_touched(alice, bob, queryset):
    message = write(alice, bob, "First")
    rows = {"only": Message.objects.only("read"), "defer": Message.objects.defer("content")}
    copy = rows[queryset].get()
    message.content = "Second"
    message.save()
    copy.read = True
    copy.save()
    assert (fresh(message).content, fresh(message).read) == ("Second", True)
    assert faults() == []


def test_a_text_given_to_a_copy_that_never_loaded_it_is_an_edit(alice, bob):
    write(alice, bob, "First")
    copy = Message.objects.only("read").get()
    copy.content = "Second"
    copy.save()
    assert fresh(copy).content == "Second"
    assert copy.history.get().old_content == "First"


def test_a_deferred_text_that_was_loaded_later_is_no_edit(alice, bob):
    message = write(alice, bob, "First")
    copy = Message.objects.defer("content").get()
    assert copy.content == "First"
    message.content = "Second"
    message.save()
    copy.read = True
    copy.save()
    assert fresh(message).content == "Second"


def test_refresh_from_db_forgets_what_was_changed(alice, bob):
    message = write(alice, bob, "First")
    other = fresh(message)
    message.content = "Draft"
    message.refresh_from_db()
    other.content = "Second"
    other.save()
    message.read = True
    message.save()
    assert fresh(message).content == "Second"


def test_refresh_of_one_field_leaves_a_change_of_another(alice, bob):
    message = write(alice, bob, "First")
    message.content = "Second"
    message.refresh_from_db(fields=["read"])
    message.save()
    assert fresh(message).content == "Second"


def test_an_edit_back_and_forth_in_memory_is_none(alice, bob):
    message = write(alice, bob, "First")
    message.content = "Second"
    message.content = "First"
    message.save()
    assert not message.history.exists()


def test_saving_a_message_that_is_gone_does_not_bring_it_back(alice, bob):
    message = write(alice, bob)
    stale = fresh(message)
    message.delete()
    stale.content = "I am still here"
    with pytest.raises(Message.DoesNotExist):
        stale.save()
    assert not Message.objects.exists()


def test_words_do_not_come_back_to_a_tombstone(alice, bob):
    message = write(alice, bob)
    reply(message)
    stale = fresh(message)
    message.delete()
    stale.content = "I am still here"
    with pytest.raises(IntegrityError), transaction.atomic():
        stale.save()
    assert fresh(message).content == ""
    assert faults() == []


def test_reading_a_tombstone_late_takes_nothing_from_the_count(alice, bob):
    message = write(alice, bob)
    write(alice, bob, "And?", parent_message=message)
    stale = fresh(message)
    message.delete()
    assert unread(bob) == 1
    stale.read = True
    stale.save()
    assert unread(bob) == 1
    assert faults() == []


def test_a_creation_that_failed_can_be_tried_again(alice, bob):
    message = Message(sender=alice, receiver=bob, content="")
    with pytest.raises(IntegrityError), transaction.atomic():
        message.save()
    assert not Thread.objects.exists()
    message.content = "Hello"
    message.save()
    assert faults() == []


def test_a_message_sent_as_read_counts_as_read(alice, bob):
    write(alice, bob, read=True)
    assert (unread(bob), bell(bob)) == (0, 0)
    assert faults() == []


# --- Deleting ---


def test_a_message_that_nothing_hangs_on_goes_with_its_thread(alice, bob):
    message = write(alice, bob)
    message.content = "Bye"
    message.save()
    total, by_model = message.delete()
    assert by_model["messaging.Message"] == 1
    assert total == sum(by_model.values())
    for model in (Message, MessageHistory, Notification, Participation, Thread):
        assert not model.objects.exists()
    assert unread(bob) == 0


def test_a_leaf_goes_and_the_rest_stays(alice, bob):
    first, leaf = chain(alice, bob, 2)
    leaf.delete()
    assert Message.objects.get() == first
    assert fresh(first).reply_count == 0
    assert faults() == []


def test_a_message_with_replies_leaves_a_tombstone(alice, bob):
    first, answer = chain(alice, bob, 2)
    first.content = "Edited"
    first.save()
    assert first.delete() == (1, {"messaging.Message": 1})
    tombstone = fresh(first)
    assert (tombstone.content, tombstone.edited, tombstone.is_deleted) == ("", False, True)
    assert not tombstone.history.exists()
    assert not tombstone.notifications.exists()
    assert fresh(answer).content == "1"
    assert faults() == []


def test_a_tombstone_in_the_middle_keeps_the_branch_together(alice, bob):
    first, middle, leaf = chain(alice, bob, 3)
    middle.delete()
    assert fresh(leaf).parent_message == fresh(middle)
    assert fresh(first).reply_count == 0  # a tombstone is no reply
    assert fresh(middle).reply_count == 1
    assert fresh(first.thread).message_count == 2
    assert faults() == []


def test_the_last_reply_takes_a_chain_of_tombstones_with_it(alice, bob):
    first, *middle, leaf = chain(alice, bob, 5)
    for message in middle:
        message.delete()
    assert Message.objects.count() == 5
    leaf.delete()
    assert Message.objects.get() == first
    assert faults() == []


def test_a_chain_collapses_up_to_where_something_else_hangs(alice, bob):
    first, second, third, leaf = chain(alice, bob, 4)
    other = reply(second, "A branch of its own")
    for message in (second, third):
        message.delete()
    leaf.delete()
    assert set(Message.objects.all()) == {first, second, other}
    assert faults() == []


def test_the_whole_thread_goes_with_its_last_words(alice, bob):
    message_list = chain(alice, bob, 4)
    for message in message_list:
        message.delete()
    for model in (Message, Notification, Participation, Thread):
        assert not model.objects.exists()
    assert (unread(alice), unread(bob)) == (0, 0)


def test_from_the_leaf_up_nothing_is_left_either(alice, bob):
    for message in reversed(chain(alice, bob, 4)):
        message.delete()
        assert faults() == []
    assert not Thread.objects.exists()


def test_300_levels_collapse_without_recursion(alice, bob):
    first = write(alice, bob)
    row = {"sender": alice, "receiver": bob, "thread": first.thread}
    gone = row | {"content": "", "deleted_at": NOON}
    rows = [Message(**gone, depth=depth) for depth in range(1, 300)]
    rows[-1].reply_count = 1
    branch = Message.objects.bulk_create([*rows, Message(**row, content="Leaf", depth=300)])
    for parent, child in pairwise([first, *branch]):
        child.parent_message = parent
    Message.objects.bulk_update(branch, ["parent_message"])
    Thread.objects.update(message_count=2)
    branch[-1].delete()
    assert Message.objects.get() == first
    first.delete()
    assert not Thread.objects.exists()


def test_deleting_twice_is_deleting_once(alice, bob):
    first, answer = chain(alice, bob, 2)
    stale, stale_answer = fresh(first), fresh(answer)
    first.delete()
    before = versions(alice, bob)
    assert first.delete() == stale.delete() == (0, {})
    assert versions(alice, bob) == before
    assert faults() == []
    answer.delete()
    assert stale_answer.delete() == (0, {})


def test_a_queryset_deletes_each_as_its_own_delete_does(alice, bob):
    first, middle, leaf = chain(alice, bob, 3)
    other = write(alice, bob, "Apart")
    total, by_model = Message.objects.filter(pk__in=[first.pk, other.pk]).delete()
    assert by_model == {"messaging.Message": total}
    assert set(Message.objects.not_deleted()) == {middle, leaf}
    assert fresh(first).is_deleted
    assert faults() == []


def test_a_queryset_deletes_all_in_any_order(alice, bob):
    chain(alice, bob, 4)
    write(bob, alice)
    Message.objects.order_by("pk").delete()
    assert not Message.objects.exists()
    chain(alice, bob, 4)
    Message.objects.order_by("-pk").delete()
    assert not Message.objects.exists()
    assert not Thread.objects.exists()


def test_the_admin_deletes_as_everybody_does(admin_client, alice, bob):
    first, leaf = chain(alice, bob, 2)
    other = write(alice, bob)
    data = {"action": "delete_selected", "_selected_action": [first.pk, other.pk], "post": "yes"}
    assert admin_client.post("/admin/messaging/message/", data).status_code == 302
    assert set(Message.objects.all()) == {first, leaf}
    url = f"/admin/messaging/message/{leaf.pk}/delete/"
    assert admin_client.post(url, {"post": "yes"}).status_code == 302
    assert not Message.objects.exists()
    assert faults() == []


def test_the_admin_deletes_an_edited_message(admin_client, alice, bob):
    message = write(alice, bob)
    message.content = "Edited"
    message.save()
    url = f"/admin/messaging/message/{message.pk}/delete/"
    assert admin_client.post(url, {"post": "yes"}).status_code == 302
    assert not Message.objects.exists()


def test_an_empty_queryset_deletes_nothing(db):
    assert Message.objects.all().delete() == (0, {})


def test_an_unread_message_takes_its_count_along(alice, bob):
    first = write(alice, bob)
    second = write(alice, bob, parent_message=first)
    assert unread(bob) == 2
    first.delete()
    assert (unread(bob), bell(bob)) == (1, 1)
    second.delete()
    assert (unread(bob), bell(bob)) == (0, 0)


@pytest.mark.parametrize("has_reply", [True, False])
def test_a_message_that_was_read_takes_no_count_along(alice, bob, has_reply):
    message = write(alice, bob)
    write(alice, bob, parent_message=message if has_reply else None)
    message.read = True
    message.save()
    message.delete()
    assert unread(bob) == 1
    assert faults() == []


def test_after_a_delete_the_latest_is_the_one_before(alice, bob):
    first = write(alice, bob, timestamp=NOON)
    answer = reply(first, timestamp=NOON + HOUR)
    latest = reply(first, timestamp=NOON + 2 * HOUR)
    latest.delete()
    assert fresh(first.thread).last_message == answer
    assert place(first, bob).sent_at == place(first, alice).last_activity == NOON + HOUR
    answer.delete()
    assert place(first, bob).sent_at is None
    assert faults() == []


# --- Mailboxes ---


def test_everybody_has_a_mailbox_from_the_start(alice):
    assert alice.mailbox.version == 0


def test_a_missing_mailbox_is_at_version_0(alice, bob):
    Mailbox.objects.all().delete()
    alice = fresh(alice)
    assert (Mailbox.of(alice).version, Mailbox.of(alice).unread_count) == (0, 0)
    write(bob, alice)
    assert Mailbox.of(fresh(alice)).version > 0
    assert unread(alice) == 1
    assert faults() == []


def test_a_mailbox_joined_to_its_person_costs_no_query(alice, django_assert_num_queries):
    person = type(alice).objects.select_related("mailbox").get(pk=alice.pk)
    with django_assert_num_queries(0):
        assert Mailbox.of(person).version == 0


def test_the_unread_tab_has_neither_muted_nor_trashed_threads(alice, bob):
    plain, muted, trashed, quiet = (write(alice, bob) for _ in range(4))
    Participation.objects.filter(thread=muted.thread, user=bob).update(muted_at=NOON)
    Participation.objects.filter(thread=trashed.thread, user=bob).update(trashed_at=NOON)
    quiet.read = True
    quiet.save()
    places = Participation.objects.for_user(bob)
    assert places.unread().get().thread == plain.thread
    assert {row.thread for row in places.listed()} == {plain.thread, muted.thread, quiet.thread}
    assert not places.sent().exists()
    assert Participation.objects.for_user(alice).sent().count() == 4
