"""Every write, and the rule that guards it."""

import uuid
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from messaging.models import Mailbox, Message, Notification, Participation, Thread
from messaging.services import (
    EditConflict,
    MailboxService,
    MessageHistoryService,
    MessageService,
    NotificationService,
    ParentDeleted,
    ReceiverUnavailable,
    ThreadService,
    TokenReused,
    UserCleanupService,
)

from .factories import bell, fresh, place, reply, unread, versions, write
from .ledger import faults

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def token():
    return uuid.uuid4()


# --- Sending ---


def test_a_message_is_sent(alice, bob):
    message = MessageService.send(alice, receiver=bob, content="Hello")
    assert (message.sender, message.receiver, message.content) == (alice, bob, "Hello")
    assert (unread(bob), bell(bob)) == (1, 1)
    assert faults() == []


def test_a_reply_reaches_the_other_person(alice, bob):
    first = write(alice, bob)
    answer = MessageService.send(bob, receiver=alice, content="Yes?", parent=first)
    assert (answer.parent_message, answer.thread) == (first, first.thread)
    assert unread(alice) == 1


def test_the_same_token_sends_once(alice, bob, token):
    sent = [
        MessageService.send(alice, receiver=bob, content="Hello", client_token=token)
        for _ in range(3)
    ]
    assert [message.pk for message in sent] == [Message.objects.get().pk] * 3
    assert Notification.objects.count() == 1
    assert faults() == []


def test_a_second_try_moves_nothing(alice, bob, token):
    MessageService.send(alice, receiver=bob, content="Hello", client_token=token)
    before = versions(alice, bob)
    MessageService.send(alice, receiver=bob, content="Hello", client_token=token)
    assert versions(alice, bob) == before


def test_a_token_does_not_send_other_words(alice, bob, token):
    first = MessageService.send(alice, receiver=bob, content="Hello", client_token=token)
    with pytest.raises(TokenReused) as caught:
        MessageService.send(alice, receiver=bob, content="Bye", client_token=token)
    assert caught.value.existing == first
    assert Message.objects.get().content == "Hello"


def test_a_token_does_not_send_to_another_person(alice, bob, mallory, token):
    MessageService.send(alice, receiver=bob, content="Hello", client_token=token)
    with pytest.raises(TokenReused):
        MessageService.send(alice, receiver=mallory, content="Hello", client_token=token)
    assert not Message.objects.for_user(mallory).exists()


def test_a_token_does_not_send_under_another_message(alice, bob, token):
    first, second = write(bob, alice), write(bob, alice)
    more = {"receiver": bob, "content": "Yes", "client_token": token}
    MessageService.send(alice, parent=first, **more)
    for parent in (second, None):
        with pytest.raises(TokenReused):
            MessageService.send(alice, parent=parent, **more)
    assert fresh(second).reply_count == 0


def test_a_token_is_each_persons_own(alice, bob, token):
    one = MessageService.send(alice, receiver=bob, content="Hello", client_token=token)
    other = MessageService.send(bob, receiver=alice, content="Hello", client_token=token)
    assert one != other


def test_without_a_token_the_same_words_are_sent_again(alice, bob):
    for _ in range(2):
        MessageService.send(alice, receiver=bob, content="Hello")
    assert Message.objects.count() == 2


def test_a_deleted_message_takes_no_reply(alice, bob):
    first = write(alice, bob)
    reply(first)
    stale = fresh(first)
    first.delete()
    with pytest.raises(ParentDeleted):
        MessageService.send(bob, receiver=alice, content="Too late", parent=stale)
    assert faults() == []


def test_a_message_that_is_gone_takes_no_reply(alice, bob):
    first = write(alice, bob)
    stale = fresh(first)
    first.delete()
    with pytest.raises(ParentDeleted):
        MessageService.send(bob, receiver=alice, content="Too late", parent=stale)
    assert not Message.objects.exists()


def test_a_second_try_finds_the_reply_though_the_parent_was_deleted_meanwhile(alice, bob, token):
    first = write(alice, bob)
    more = {"receiver": alice, "content": "Yes", "client_token": token, "parent": first}
    answer = MessageService.send(bob, **more)
    fresh(first).delete()
    assert MessageService.send(bob, **more) == answer
    with pytest.raises(TokenReused):
        MessageService.send(bob, **more | {"content": "No"})


def test_nobody_writes_to_oneself(alice):
    with pytest.raises(ReceiverUnavailable):
        MessageService.send(alice, receiver=alice, content="Hello")


def test_nobody_writes_to_one_who_left_or_is_inactive(alice, bob):
    bob.is_active = False
    bob.save()
    for receiver in (None, bob):
        with pytest.raises(ReceiverUnavailable):
            MessageService.send(alice, receiver=receiver, content="Hello")
    assert not Thread.objects.exists()


def test_a_text_that_the_database_refuses_is_not_taken_for_a_second_try(alice, bob, token):
    with pytest.raises(IntegrityError):
        MessageService.send(alice, receiver=bob, content="", client_token=token)
    assert not Thread.objects.exists()
    assert faults() == []


# --- Editing ---


def test_an_edit_gives_a_message_a_new_text(alice, bob):
    message = write(alice, bob, "First")
    edited = MessageService.edit(message, content="Second", revision=1)
    assert (edited.content, edited.revision, edited.edited) == ("Second", 2, True)
    assert edited.edited_at == edited.history.get().edited_at
    assert edited.history.get().editor == alice
    assert faults() == []


@pytest.mark.parametrize("revision", [0, 1, 3])
def test_an_edit_of_another_revision_is_a_conflict(alice, bob, revision):
    message = write(alice, bob, "First")
    MessageService.edit(message, content="Second", revision=1)
    with pytest.raises(EditConflict) as caught:
        MessageService.edit(message, content="Mine", revision=revision)
    assert (caught.value.message.content, caught.value.message.revision) == ("Second", 2)
    assert fresh(message).content == "Second"
    assert message.history.count() == 1


def test_the_same_text_is_no_edit(alice, bob):
    message = write(alice, bob, "First")
    before = versions(alice, bob)
    same = MessageService.edit(message, content="First", revision=1)
    assert (same.revision, same.edited, versions(alice, bob)) == (1, False, before)


@pytest.mark.parametrize("has_reply", [True, False])
def test_a_deleted_message_is_not_edited(alice, bob, has_reply):
    message = write(alice, bob, "First")
    if has_reply:
        reply(message)
    stale = fresh(message)
    message.delete()
    with pytest.raises(Message.DoesNotExist):
        MessageService.edit(stale, content="Second", revision=1)


def test_an_edit_does_not_make_a_message_unread(alice, bob):
    message = write(alice, bob, read=True)
    MessageService.edit(message, content="Second", revision=1)
    assert (unread(bob), fresh(message).read) == (0, True)


# --- History ---


def test_a_logged_edit_is_the_revision_that_it_replaced(alice, bob):
    message = write(alice, bob, "First")
    message.content = "Second"
    row = MessageHistoryService.log_edit(message, "First")
    assert (row.old_content, row.revision, row.message) == ("First", 1, message)
    assert (fresh(message).edited, fresh(message).revision) == (True, 2)


def test_no_change_is_logged_as_none(alice, bob):
    message = write(alice, bob, "First")
    assert MessageHistoryService.log_edit(message, "First") is None
    assert not fresh(message).edited


def test_a_tombstone_gets_no_history(alice, bob):
    message = write(alice, bob, "First")
    reply(message)
    message.delete()
    assert MessageHistoryService.log_edit(message, "First") is None
    assert faults() == []


# --- Read and unread ---


@pytest.fixture
def letters(alice, bob):
    """Three messages from alice with two from bob in between, a minute apart."""
    first = write(alice, bob, timestamp=NOON)
    pairs = [(bob, alice), (alice, bob), (bob, alice), (alice, bob)]
    return [first] + [
        write(sender, receiver, parent_message=first, timestamp=NOON + minute * MINUTE)
        for minute, (sender, receiver) in enumerate(pairs, 1)
    ]


def read_states(letters):
    rows = Message.objects.in_bulk([message.pk for message in letters])
    return [rows[message.pk].read for message in letters]


def test_reading_up_to_a_message_marks_what_one_received(bob, letters):
    assert ThreadService.mark_read(bob, message=letters[2]) == 2
    assert read_states(letters) == [True, False, True, False, False]
    assert (unread(bob), place(letters[0], bob).unread_count, bell(bob)) == (1, 1, 1)
    assert faults() == []


def test_reading_up_to_ones_own_message_marks_what_came_before(alice, letters):
    assert ThreadService.mark_read(alice, message=letters[2]) == 1
    assert read_states(letters) == [False, True, False, False, False]
    assert faults() == []


def test_unread_from_a_message_on_marks_what_one_received(bob, letters):
    ThreadService.mark_read(bob, message=letters[4])
    assert unread(bob) == 0
    assert ThreadService.mark_unread(bob, message=letters[1]) == 2
    assert read_states(letters) == [True, False, False, False, False]
    assert (unread(bob), fresh(letters[2]).read_at) == (2, None)
    assert faults() == []


def test_what_is_read_has_a_moment(bob, letters):
    before = timezone.now()
    ThreadService.mark_read(bob, message=letters[0])
    assert before <= fresh(letters[0]).read_at <= timezone.now()


def test_other_threads_stay_unread(alice, bob, letters):
    other = write(alice, bob, timestamp=NOON - MINUTE)
    ThreadService.mark_read(bob, message=letters[4])
    assert (fresh(other).read, unread(bob)) == (False, 1)


def test_reading_again_moves_nothing(alice, bob, letters):
    ThreadService.mark_read(bob, message=letters[4])
    before = versions(alice, bob), fresh(letters[0].thread).version
    assert ThreadService.mark_read(bob, message=letters[4]) == 0
    assert (versions(alice, bob), fresh(letters[0].thread).version) == before


def test_who_is_not_in_the_thread_marks_nothing(mallory, letters):
    assert ThreadService.mark_read(mallory, message=letters[4]) == 0
    assert ThreadService.mark_unread(mallory, message=letters[0]) == 0
    assert not any(read_states(letters))
    assert faults() == []


def test_tombstones_are_neither_read_nor_unread(bob, letters):
    letters[0].delete()
    assert ThreadService.mark_read(bob, message=letters[4]) == 2
    assert ThreadService.mark_unread(bob, message=fresh(letters[0])) == 2
    assert unread(bob) == 2
    assert faults() == []


def test_reading_a_message_reads_its_line_in_the_bell(bob, letters):
    ThreadService.mark_read(bob, message=letters[2])
    waiting = Notification.objects.visible_to(bob).unread()
    assert waiting.get().message == letters[4]


def test_marked_unread_a_message_does_not_ring_again(bob, letters):
    ThreadService.mark_read(bob, message=letters[4])
    ThreadService.mark_unread(bob, message=letters[0])
    assert bell(bob) == 0


@pytest.mark.parametrize("state", ["muted_at", "trashed_at"])
def test_muted_and_trashed_threads_are_not_in_the_unread_number(alice, bob, letters, state):
    for _ in range(5):
        write(alice, bob)  # threads that count
    Participation.objects.filter(thread=letters[0].thread, user=bob).update(**{state: NOON})
    MailboxService.recount([bob.pk])

    def numbers():
        return unread(bob), place(letters[0], bob).unread_count

    assert numbers() == (5, 3)
    another = write(alice, bob, parent_message=letters[0], timestamp=NOON + 9 * MINUTE)
    assert numbers() == (5, 4)
    ThreadService.mark_read(bob, message=letters[2])
    assert numbers() == (5, 2)
    ThreadService.mark_unread(bob, message=letters[2])
    assert numbers() == (5, 3)
    another.delete()
    assert numbers() == (5, 2)
    letters[4].read = True
    letters[4].save()
    assert numbers() == (5, 1)
    assert faults() == []


def test_a_thread_that_only_one_muted_counts_for_the_other(alice, bob, letters):
    Participation.objects.filter(thread=letters[0].thread, user=bob).update(muted_at=NOON)
    write(bob, alice, parent_message=letters[0], timestamp=NOON + 9 * MINUTE)
    assert unread(alice) == 3


# --- Notifications ---


def test_a_message_rings_once(alice, bob):
    message = write(alice, bob)
    again = NotificationService.create_notification(message)
    assert again == Notification.objects.get()
    assert (again.user, again.message, again.created_at) == (bob, message, message.timestamp)


def test_nobody_rings_for_one_who_left(alice, bob):
    message = write(alice, bob)
    message.receiver = None
    assert NotificationService.create_notification(message) is None


def test_nobody_rings_for_a_tombstone(alice, bob):
    message = write(alice, bob)
    reply(message)
    message.delete()
    assert NotificationService.create_notification(message) is None
    assert faults() == []


def test_one_line_is_read_and_its_message_is_not(alice, bob):
    message, other = write(alice, bob), write(alice, bob)
    NotificationService.mark_read(message.notifications.get())
    assert Notification.objects.visible_to(bob).unread().get().message == other
    assert not fresh(message).read
    assert unread(bob) == 2


def test_all_lines_of_one_person_are_read(alice, bob):
    for _ in range(3):
        write(alice, bob)
    write(bob, alice)
    assert NotificationService.mark_all_read(bob) == 3
    assert (bell(bob), bell(alice)) == (0, 1)
    assert NotificationService.mark_all_read(bob) == 0


# --- Mailboxes ---


def test_a_bump_moves_a_version_by_one(alice, bob):
    MailboxService.bump([alice.pk, None], unread={alice.pk: 2})
    assert versions(alice, bob) == {"alice": 1, "bob": 0}
    assert (unread(alice), unread(bob)) == (2, 0)


def test_a_bump_makes_a_missing_mailbox_ahead_of_none(alice, bob):
    Mailbox.objects.filter(user=alice).delete()
    MailboxService.bump([alice.pk, bob.pk])
    assert versions(alice, bob) == {"alice": 1, "bob": 1}


def test_the_unread_number_never_falls_below_nothing(alice):
    MailboxService.bump([alice.pk], unread={alice.pk: -5})
    assert unread(alice) == 0


def test_a_recount_mends_the_unread_number(alice, bob):
    write(alice, bob)
    Mailbox.objects.update(unread_count=77)
    MailboxService.recount([alice.pk, bob.pk])
    assert faults() == []


def test_a_mailbox_of_nobody_is_not_made(alice):
    Mailbox.objects.lock(alice.pk, 10**9, None)
    assert Mailbox.objects.get().user == alice


# --- Who sees a change, and who doesn't ---


@pytest.fixture
def scene(alice, bob, mallory):
    """A thread of alice and bob, with one of alice and mallory beside it."""
    first = write(alice, bob, "First", timestamp=NOON)
    answer = reply(first, timestamp=NOON + MINUTE)
    beside = write(mallory, alice, timestamp=NOON)
    return {"first": first, "answer": answer, "beside": beside, "alice": alice, "bob": bob}


def send(scene):
    MessageService.send(scene["alice"], receiver=scene["bob"], content="New")


def send_reply(scene):
    MessageService.send(
        scene["alice"], receiver=scene["bob"], content="New", parent=scene["answer"]
    )


def edit(scene):
    MessageService.edit(scene["first"], content="Second", revision=1)


def edit_in_a_shell(scene):
    scene["first"].content = "Second"
    scene["first"].save()


def entomb(scene):
    scene["first"].delete()


def remove(scene):
    scene["answer"].delete()


def remove_by_queryset(scene):
    Message.objects.filter(pk=scene["answer"].pk).delete()


def mark_read(scene):
    ThreadService.mark_read(scene["bob"], message=scene["first"])


def mark_read_in_a_shell(scene):
    scene["first"].read = True
    scene["first"].save()


def mark_unread(scene):
    ThreadService.mark_unread(scene["bob"], message=scene["first"])


def read_line(scene):
    NotificationService.mark_read(scene["first"].notifications.get())


def read_lines(scene):
    NotificationService.mark_all_read(scene["bob"])


def delete_line(scene):
    scene["first"].notifications.get().delete()


def rename(scene):
    scene["bob"].username = "robert"
    scene["bob"].save()


def change_e_mail(scene):
    scene["bob"].email = "robert@example.com"
    scene["bob"].save()


def sign_in(scene):
    scene["bob"].last_login = timezone.now()
    scene["bob"].save(update_fields=["last_login"])


def leave(scene):
    scene["bob"].delete()


def clean_up(scene):
    UserCleanupService.cleanup_user_data(scene["bob"])


BOTH, ALICE, BOB, NOBODY = {"alice", "bob"}, {"alice"}, {"bob"}, set()
WHO_SEES = [
    (send, BOTH),
    (send_reply, BOTH),
    (edit, BOTH),
    (edit_in_a_shell, BOTH),
    (entomb, BOTH),
    (remove, BOTH),
    (remove_by_queryset, BOTH),
    (mark_read, BOB),
    (mark_read_in_a_shell, BOB),
    (mark_unread, NOBODY),
    (read_line, BOB),
    (read_lines, BOB),
    (delete_line, BOB),
    (rename, BOTH),
    (change_e_mail, NOBODY),
    (sign_in, NOBODY),
    (leave, ALICE),
    (clean_up, BOTH),
]


@pytest.mark.parametrize(
    ("act", "seers"), WHO_SEES, ids=lambda value: getattr(value, "__name__", "")
)
def test_versions_move_for_all_who_see_it_and_for_nobody_else(
    alice, bob, mallory, scene, act, seers
):
    people = [alice.pk, bob.pk, mallory.pk]
    names = dict(zip(people, ["alice", "bob", "mallory"], strict=True))
    before = dict(Mailbox.objects.values_list("user", "version"))
    act(scene)
    after = dict(Mailbox.objects.filter(user__in=people).values_list("user", "version"))
    assert {names[pk] for pk, version in after.items() if version != before[pk]} == seers
    assert all(version >= before[pk] for pk, version in after.items())


@pytest.mark.parametrize("act", [send_reply, edit, entomb, remove, mark_read, rename])
def test_the_version_of_the_thread_moves_with_what_it_shows(scene, act):
    thread, beside = scene["first"].thread, scene["beside"].thread
    before, before_beside = fresh(thread).version, fresh(beside).version
    act(scene)
    assert fresh(thread).version > before
    assert fresh(beside).version == before_beside


@pytest.mark.parametrize("act", [send, mark_unread, read_line, change_e_mail, sign_in])
def test_the_version_of_the_thread_stays_with_what_it_shows(scene, act):
    before = fresh(scene["first"].thread).version
    act(scene)
    assert fresh(scene["first"].thread).version == before


def test_a_rename_saved_among_other_fields_is_told(alice, bob, scene):
    before = versions(alice)["alice"]
    bob.username = "robert"
    bob.save(update_fields=["username"])
    assert versions(alice)["alice"] > before
    again = versions(alice)["alice"]
    bob.save()
    assert versions(alice)["alice"] == again


# --- Any order of deeds leaves every count right ---

MOMENTS = st.integers(-3, 3).map(lambda minute: NOON + minute * MINUTE)
NUMBERS = st.integers(0, 30)
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), NUMBERS, MOMENTS),
        st.tuples(st.just("reply"), NUMBERS, MOMENTS),
        st.tuples(st.just("reply"), NUMBERS, MOMENTS),
        st.tuples(st.sampled_from(["edit", "delete", "read", "unread", "toggle"]), NUMBERS),
        st.tuples(st.sampled_from(["delete_some", "mute", "leave", "read_lines"]), NUMBERS),
    ),
    min_size=8,
    max_size=16,
)


class Walk:
    """Three people who do what the numbers say."""

    def __init__(self, *people):
        self.people = list(people)

    def pick(self, number):
        message_list = list(Message.objects.order_by("pk"))
        return message_list[number % len(message_list)] if message_list else None

    def write(self, number, moment):
        if len(self.people) > 1:
            sender = self.people[number % len(self.people)]
            receiver = self.people[(number + 1) % len(self.people)]
            write(sender, receiver, timestamp=moment, read=number % 5 == 0)

    def reply(self, number, moment):
        message = self.pick(number)
        if message and not message.is_deleted:
            reply(message, timestamp=moment)

    def edit(self, number):
        message = self.pick(number)
        if message and not message.is_deleted:
            content = f"Edit {number}"
            MessageService.edit(message, content=content, revision=message.revision)

    def delete(self, number):
        if message := self.pick(number):
            message.delete()

    def delete_some(self, number):
        Message.objects.filter(
            pk__in=list(Message.objects.values_list("pk", flat=True)[::3])
        ).delete()

    def read(self, number):
        if message := self.pick(number):
            ThreadService.mark_read(message.receiver, message=message)

    def unread(self, number):
        if message := self.pick(number):
            ThreadService.mark_unread(message.receiver, message=message)

    def toggle(self, number):
        if message := self.pick(number):
            message.read = not message.read
            message.save()

    def mute(self, number):
        if message := self.pick(number):
            places = Participation.objects.filter(thread=message.thread, user=message.receiver)
            places.update(muted_at=None if places.get().muted_at else NOON)
            MailboxService.recount([message.receiver_id])

    def read_lines(self, number):
        NotificationService.mark_all_read(self.people[number % len(self.people)])

    def leave(self, number):
        if len(self.people) > 2:
            self.people.pop(number % len(self.people)).delete()


@pytest.fixture
def begin_walk(alice, bob, mallory):
    """Give a walk that begins anew and leaves nothing behind."""

    @contextmanager
    def begin():
        with transaction.atomic():
            yield Walk(fresh(alice), fresh(bob), fresh(mallory))
            transaction.set_rollback(True)

    return begin


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # the shortest way to a fault takes minutes to find
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(deeds=DEEDS)
def test_any_order_of_deeds_leaves_every_count_right(begin_walk, deeds):
    with begin_walk() as walk:
        for name, *numbers in deeds:
            getattr(walk, name)(*numbers)
            assert faults() == [], deeds
