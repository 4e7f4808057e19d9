"""What two people, or two tabs, do at the same moment: real threads, real commits."""

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction

from messaging.models import Block, Mailbox, Message, MessageHistory, Notification, Thread
from messaging.services import (
    Blocked,
    BlockService,
    EditConflict,
    MailboxService,
    MessageService,
    NotificationService,
    ParentDeleted,
    ReceiverUnavailable,
    ThreadService,
    TokenReused,
)

from .factories import fresh, reply, unread, write
from .ledger import faults

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 5


def at_once(*deeds):
    """Do all these at the same moment, a thread each; return what each returned or raised."""
    barrier = threading.Barrier(len(deeds))

    def run(deed):
        try:
            barrier.wait(timeout=10)
            return deed()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def expect(result, *refusals):
    """Let pass a result, or an exception of these kinds; raise any other."""
    if isinstance(result, Exception) and not isinstance(result, refusals):
        raise result
    return result


def is_refused(result):
    return isinstance(result, Exception)


def edit(message, content):
    return MessageService.edit(message, content=content, revision=message.revision)


# --- Two of the same ---


def test_of_two_edits_of_one_revision_exactly_one_wins(alice, bob):
    message = write(alice, bob, "Revision 1")
    for revision in range(1, 21):
        message = fresh(message)
        results = at_once(
            lambda: edit(message, f"Left {revision}"),  # noqa: B023
            lambda: edit(message, f"Right {revision}"),  # noqa: B023
        )
        [winner] = [result for result in results if not is_refused(expect(result, EditConflict))]
        [loser] = [result for result in results if is_refused(result)]
        assert loser.message.content == winner.content == fresh(message).content
        assert loser.message.revision == winner.revision == revision + 1
    assert message.history.count() == 20
    assert faults() == []


def test_one_token_in_ten_threads_sends_once(alice, bob):
    token = uuid.uuid4()
    results = at_once(
        *[lambda: MessageService.send(alice, receiver=bob, content="Hi", client_token=token)] * 10
    )
    message = Message.objects.get()
    assert [expect(result) for result in results] == [message] * 10
    assert Notification.objects.count() == 1
    assert unread(bob) == 1
    assert faults() == []


def test_one_token_with_two_texts_sends_one_of_them(alice, bob):
    token = uuid.uuid4()
    results = at_once(
        lambda: MessageService.send(alice, receiver=bob, content="One", client_token=token),
        lambda: MessageService.send(alice, receiver=bob, content="Two", client_token=token),
    )
    [loser] = [result for result in results if is_refused(expect(result, TokenReused))]
    assert loser.existing == Message.objects.get()


def test_two_who_write_to_each_other_never_lock_each_other_out(alice, bob):
    first = write(alice, bob)

    def write_25(sender, receiver, parent):
        for number in range(25):
            MessageService.send(sender, receiver=receiver, content=f"{number}", parent=parent)

    results = at_once(
        lambda: write_25(alice, bob, None),
        lambda: write_25(alice, bob, first),
        lambda: write_25(bob, alice, None),
        lambda: write_25(bob, alice, first),
    )
    assert results == [None] * 4
    assert Message.objects.count() == 101
    assert (unread(alice), unread(bob)) == (50, 51)
    assert faults() == []


def test_a_ring_of_three_never_locks_itself_out(alice, bob, mallory):
    def write_10(sender, receiver):
        for number in range(10):
            message = MessageService.send(sender, receiver=receiver, content=f"{number}")
            ThreadService.mark_read(receiver, message=message)

    results = at_once(
        lambda: write_10(mallory, bob),
        lambda: write_10(bob, alice),
        lambda: write_10(alice, mallory),
    )
    assert results == [None] * 3
    assert (unread(alice), unread(bob), unread(mallory)) == (0, 0, 0)
    assert faults() == []


def test_what_was_begun_first_is_seen_first_however_long_it_takes(alice, bob, mallory):
    begun = threading.Event()

    def write_slowly():
        with transaction.atomic():
            message = write(alice, bob, "Begun first")
            begun.set()
            time.sleep(0.2)
        return message

    def write_meanwhile():
        begun.wait(timeout=5)
        write(mallory, bob, "Begun second")
        return list(Message.objects.for_user(bob).order_by("pk"))

    first, seen = (expect(result) for result in at_once(write_slowly, write_meanwhile))
    assert [message.content for message in seen] == ["Begun first", "Begun second"]
    assert seen[0] == first


def test_two_first_messages_to_people_without_mailboxes_meet(alice, bob):
    for _ in range(5):
        Mailbox.objects.all().delete()
        for result in at_once(lambda: write(alice, bob), lambda: write(bob, alice)):
            expect(result)
        MailboxService.recount([alice.pk, bob.pk])  # the old numbers went with the mailboxes
    assert faults() == []


# --- Two that meet ---


def test_an_edit_and_a_delete(alice, bob):
    for number in range(ROUNDS):
        message = write(alice, bob, "First")
        if number % 2:
            reply(message)
        edited, deleted = at_once(
            lambda: edit(message, "Second"),  # noqa: B023
            lambda: fresh(message).delete(),  # noqa: B023
        )
        expect(edited, Message.DoesNotExist)
        expect(deleted)
        assert not Message.objects.not_deleted().filter(pk=message.pk).exists()
        assert not MessageHistory.objects.filter(message_id=message.pk).exists()
    assert faults() == []


def test_a_reply_and_the_delete_of_its_parent(alice, bob):
    for _ in range(ROUNDS):
        message = write(alice, bob)
        answer, deleted = at_once(
            lambda: MessageService.send(bob, receiver=alice, content="Yes", parent=message),  # noqa: B023
            lambda: fresh(message).delete(),  # noqa: B023
        )
        expect(deleted)
        if is_refused(expect(answer, ParentDeleted)):
            assert not Message.objects.filter(pk=message.pk).exists()
        else:
            assert fresh(message).is_deleted
            assert fresh(answer).content == "Yes"
    assert faults() == []


def test_the_delete_of_two_replies_of_one_tombstone(alice, bob):
    for _ in range(ROUNDS):
        message = write(alice, bob)
        one, other = reply(message), reply(message)
        fresh(message).delete()
        for result in at_once(one.delete, other.delete):
            expect(result)
    assert not Message.objects.exists()
    assert not Thread.objects.exists()
    assert (unread(alice), unread(bob)) == (0, 0)


def test_two_deletes_of_one_message(alice, bob):
    for number in range(ROUNDS):
        message = write(alice, bob)
        if number % 2:
            reply(message)
        one, other = fresh(message), fresh(message)
        totals = sorted(expect(result)[0] > 0 for result in at_once(one.delete, other.delete))
        assert totals == [False, True]
    assert faults() == []


def test_reading_and_an_edit(alice, bob):
    for _ in range(ROUNDS):
        message = write(alice, bob, "First")
        for result in at_once(
            lambda: ThreadService.mark_read(bob, message=message),  # noqa: B023
            lambda: edit(message, "Second"),  # noqa: B023
        ):
            expect(result)
        assert (fresh(message).content, fresh(message).read) == ("Second", True)
    assert unread(bob) == 0
    assert faults() == []


def test_reading_and_a_delete(alice, bob):
    for number in range(ROUNDS):
        message = write(alice, bob)
        write(alice, bob, parent_message=message)
        if number % 2:
            write(bob, alice)
        for result in at_once(
            lambda: ThreadService.mark_read(bob, message=message),  # noqa: B023
            lambda: fresh(message).delete(),  # noqa: B023
        ):
            expect(result)
    assert faults() == []


def test_reading_and_another_message(alice, bob):
    first = write(alice, bob)
    for _ in range(ROUNDS):
        for result in at_once(
            lambda: ThreadService.mark_read(bob, message=fresh(first)),
            lambda: write(alice, bob, parent_message=first),
            lambda: NotificationService.mark_all_read(bob),
            lambda: write(bob, alice, parent_message=first),
        ):
            expect(result)
    assert unread(bob) == ROUNDS
    assert faults() == []


def test_both_reading_one_thread_from_two_sides(alice, bob):
    for _ in range(ROUNDS):
        message = write(alice, bob)
        answer = reply(message)
        for result in at_once(
            lambda: ThreadService.mark_read(bob, message=answer),  # noqa: B023
            lambda: ThreadService.mark_read(alice, message=answer),  # noqa: B023
        ):
            expect(result)
    assert (unread(alice), unread(bob)) == (0, 0)
    assert faults() == []


def test_a_rename_and_a_message(alice, bob):
    write(alice, bob)

    def rename(name):
        bob.username = name
        bob.save()

    for number in range(ROUNDS):
        for result in at_once(
            lambda: rename(f"bob{number}"),  # noqa: B023
            lambda: write(alice, bob),
            lambda: write(bob, alice),
        ):
            expect(result)
    assert faults() == []


# --- Blocking ---


def test_after_a_block_nothing_arrives(alice, bob):
    """Neither words nor other words: who commits first wins."""
    first = write(bob, alice)

    def write_on():
        for number in range(40):
            MessageService.send(bob, receiver=alice, content=f"{number}")
            time.sleep(0.02)  # SQLite lets others wait for long

    def edit_on():
        for revision in range(1, 40):
            MessageService.edit(first, content=str(uuid.uuid4()), revision=revision)
            time.sleep(0.02)

    def block():
        time.sleep(0.05)
        BlockService.block(alice, bob)
        return Message.objects.count(), fresh(first).revision  # once it is acknowledged

    for _ in range(ROUNDS):
        Block.objects.all().delete()
        Message.objects.exclude(pk=first.pk).delete()
        MessageHistory.objects.all().delete()
        Message.objects.filter(pk=first.pk).update(revision=1, edited=False)
        written, edited, seen = at_once(write_on, edit_on, block)
        expect(written, ReceiverUnavailable)
        expect(edited, ReceiverUnavailable)
        assert (Message.objects.count(), fresh(first).revision) == expect(seen)
    assert faults() == []


def test_two_who_block_each_other_and_write_never_lock_each_other_out(alice, bob):
    for _ in range(ROUNDS):
        for result in at_once(
            lambda: BlockService.block(alice, bob),
            lambda: BlockService.block(bob, alice),
            lambda: MessageService.send(alice, receiver=bob, content="Hi"),
            lambda: MessageService.send(bob, receiver=alice, content="Hi"),
            lambda: BlockService.unblock(alice, bob),
        ):
            expect(result, Blocked, ReceiverUnavailable)
    assert faults() == []


# --- Leaving ---


@pytest.fixture
def leaver(django_user_model):
    """Make one person after another, to leave."""

    def make(number):
        return django_user_model.objects.create_user(username=f"leaver{number}")

    return make


def test_leaving_and_messages_from_all_sides(alice, bob, mallory, leaver):
    write(alice, bob)
    for number in range(ROUNDS):
        person = leaver(number)
        letters = [write(alice, person), write(person, bob)]
        results = at_once(
            fresh(person).delete,
            lambda: MessageService.send(alice, receiver=fresh(bob), content="Hi"),
            lambda: MessageService.send(alice, receiver=person, content="Hi", parent=letters[0]),  # noqa: B023
            lambda: MessageService.send(mallory, receiver=person, content="Hi"),  # noqa: B023
            lambda: MessageService.send(person, receiver=alice, content="Bye"),  # noqa: B023
            lambda: ThreadService.mark_read(bob, message=letters[1]),  # noqa: B023
        )
        for result in results:
            expect(result, ReceiverUnavailable, ParentDeleted)
        assert not Message.objects.filter(content="Bye").exists()
        assert faults() == []
    assert Thread.objects.count() == ROUNDS + 1


def test_leaving_and_ones_own_last_deeds(alice, leaver):
    for number in range(ROUNDS):
        person = leaver(number)
        sent, received = write(person, alice), write(alice, person)
        line = received.notifications.get()
        results = at_once(
            fresh(person).delete,
            lambda: edit(sent, "Edited"),  # noqa: B023
            lambda: fresh(sent).delete(),  # noqa: B023
            lambda: ThreadService.mark_read(person, message=received),  # noqa: B023
            lambda: NotificationService.mark_read(line),  # noqa: B023
            lambda: NotificationService.mark_all_read(person),  # noqa: B023
        )
        for result in results:
            expect(result, Message.DoesNotExist)
        assert not Message.objects.exists()
    assert unread(alice) == 0
    assert faults() == []


def test_leaving_and_being_blocked(alice, leaver):
    for number in range(ROUNDS):
        person = leaver(number)
        stale = fresh(person)
        for result in at_once(
            fresh(person).delete,
            lambda: BlockService.block(alice, stale),  # noqa: B023
        ):
            expect(result, ReceiverUnavailable)
        assert not Block.objects.exists()


def test_leaving_and_a_new_name(alice, leaver):
    for number in range(ROUNDS):
        person = leaver(number)
        write(alice, person)
        renamed = fresh(person)
        renamed.username = f"other{number}"
        for result in at_once(fresh(person).delete, renamed.save):
            assert not isinstance(result, OperationalError), "they waited for each other"
            expect(result, DatabaseError)  # there was nobody left to save
        assert fresh(alice).sent_messages.count() == 0
        assert faults() == []


def test_two_who_share_a_thread_leave_together(alice, leaver):
    for number in range(0, 2 * ROUNDS, 2):
        one, other = leaver(number), leaver(number + 1)
        write(one, other)
        write(other, alice)
        for result in at_once(fresh(one).delete, fresh(other).delete):
            expect(result)
    assert not Message.objects.exists()
    assert unread(alice) == 0


def test_who_has_left_writes_and_reads_no_more(alice, bob):
    message = write(alice, bob)
    stale = fresh(bob)
    bob.delete()
    with pytest.raises(ReceiverUnavailable):
        MessageService.send(alice, receiver=stale, content="Are you there?")
    with pytest.raises(ReceiverUnavailable):
        MessageService.send(stale, receiver=alice, content="I am.")
    assert ThreadService.mark_read(stale, message=message) == 0
    assert NotificationService.mark_all_read(stale) == 0
    assert not Message.objects.exists()
    assert faults() == []
