"""Everything that is counted, counted again from the messages alone."""

from collections import defaultdict

from messaging.models import (
    Mailbox,
    Message,
    MessageHistory,
    Notification,
    Participation,
    Thread,
)
from messaging.services import CheckService


def faults():
    """Return a list of sentences, one for each number or row that doesn't follow from the messages.

    Empty is what every test wants to see: `assert faults() == []`.
    """
    return [
        *_faults_of_trees(),
        *_faults_of_threads(),
        *_faults_of_people(),
        *_faults_of_texts(),
        *CheckService.find(),  # in SQL, for the million rows that Python would not hold
    ]


def _live():
    return [message for message in Message.objects.in_time_order() if not message.is_deleted]


def _faults_of_trees():
    message_set = Message.objects.in_bulk()
    live, all_replies = defaultdict(int), defaultdict(int)
    for message in message_set.values():
        parent = message_set.get(message.parent_message_id)
        if parent is None:
            yield from _differ(message, "depth", message.depth, 0)
            yield from _differ(message, "parent", message.parent_message_id, None)
            continue
        live[parent.pk] += not message.is_deleted
        all_replies[parent.pk] += 1
        yield from _differ(message, "depth", message.depth, parent.depth + 1)
        yield from _differ(message, "thread", message.thread_id, parent.thread_id)
        yield from _differ(message, "pair", _pair(message), _pair(parent))
    for message in message_set.values():
        yield from _differ(message, "reply_count", message.reply_count, live[message.pk])
        if message.is_deleted and not all_replies[message.pk]:
            yield f"{message} is a tombstone that nothing hangs on"


def _faults_of_threads():
    of_thread = defaultdict(list)
    for message in _live():
        of_thread[message.thread_id].append(message)
    for thread in Thread.objects.all():
        if not of_thread[thread.pk]:
            yield f"{thread} has no message"
            continue
        yield from _differ(thread, "message_count", thread.message_count, len(of_thread[thread.pk]))
        last = of_thread[thread.pk][-1]
        yield from _differ(thread, "last_message", thread.last_message_id, last.pk)
        people = set(thread.participations.values_list("user_id", flat=True))
        yield from _differ(thread, "people", people, _pair(last) - {None})


def _faults_of_people():
    received, sent, activity = defaultdict(int), {}, {}
    for message in _live():
        received[message.thread_id, message.receiver_id] += not message.read
        sent[message.thread_id, message.sender_id] = message.timestamp
        activity[message.thread_id] = message.timestamp
    totals = defaultdict(int)
    for place in Participation.objects.all():
        here = (place.thread_id, place.user_id)
        yield from _differ(place, "unread_count", place.unread_count, received[here])
        yield from _differ(place, "sent_at", place.sent_at, sent.get(here))
        yield from _differ(
            place, "last_activity", place.last_activity, activity.get(place.thread_id)
        )
        totals[place.user_id] += place.unread_count if place.is_counted else 0
    for mailbox in Mailbox.objects.all():
        total = totals.pop(mailbox.pk, 0)
        yield from _differ(mailbox, "unread_count", mailbox.unread_count, total)
    for pk in totals:
        yield f"Person {pk} has no mailbox"


def _faults_of_texts():
    history, notes = defaultdict(list), defaultdict(list)
    for message_id, revision in MessageHistory.objects.values_list("message", "revision"):
        history[message_id].append(revision)
    for note in Notification.objects.all():
        notes[note.message_id].append(note)
    for message in Message.objects.all():
        revisions, lines = sorted(history[message.pk]), notes[message.pk]
        expected = [] if message.is_deleted else list(range(1, message.revision))
        yield from _differ(message, "history", revisions, expected)
        yield from _differ(message, "edited", message.edited, bool(expected))
        rings = not message.is_deleted and message.receiver_id is not None
        whose = [message.receiver_id] if rings else []
        yield from _differ(message, "notifications", [line.user_id for line in lines], whose)
        if message.read and not all(line.is_read for line in lines):
            yield f"{message} is read, its notification isn't"


def _pair(message):
    return {message.sender_id, message.receiver_id}


def _differ(row, name, stored, counted):
    if stored != counted:
        yield f"{row}: {name} is {stored}, should be {counted}"
