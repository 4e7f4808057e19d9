"""Stores whole threads of messages in a few statements, with all that hangs on them.

What `Message.objects.create` and its signal handlers do one message at a time, at a tenth of the
price; a test holds the two together.
"""

from itertools import chain
from operator import attrgetter

from django.db.models import OuterRef, Subquery

from messaging.models import Message, Notification, Participation, Thread


def reply_to(parent, **fields):
    """Return an unsaved message that answers `parent`, itself unsaved; None starts a thread."""
    if parent is not None:
        parent.reply_count += 1
    depth = parent.depth + 1 if parent else 0
    return Message(parent_message=parent, depth=depth, **fields)


def store(drafts):
    """Save these threads, each a list of unsaved messages in order of time.

    The caller holds the mailboxes of the people, and recounts them when all is stored.
    """
    threads = Thread.objects.bulk_create(
        Thread(message_count=len(thread_drafts), version=len(thread_drafts))
        for thread_drafts in drafts
    )
    for thread, thread_drafts in zip(threads, drafts, strict=True):
        for draft in thread_drafts:
            draft.thread = thread
    messages = sorted(chain.from_iterable(drafts), key=attrgetter("timestamp"))
    _save_in_order(messages)
    _point_to_last_messages(threads)
    Participation.objects.bulk_create(chain.from_iterable(map(_places, drafts)))
    Notification.objects.bulk_create(map(_notification, messages))


def _save_in_order(messages):
    """Ids follow time; and a parent needs its id before its replies are saved."""
    waiting = []
    for message in messages:
        parent = message.parent_message
        if parent is not None and parent.pk is None:
            Message.objects.bulk_create(waiting)
            waiting = []
        waiting.append(message)
    Message.objects.bulk_create(waiting)


def _point_to_last_messages(threads):
    last = Message.objects.filter(thread=OuterRef("pk")).order_by("-timestamp", "-pk")
    Thread.objects.filter(pk__in=[thread.pk for thread in threads]).update(
        last_message=Subquery(last.values("pk")[:1])
    )


def _places(drafts):
    first, last = drafts[0], drafts[-1]
    for user_id in (first.sender_id, first.receiver_id):
        sent = [draft.timestamp for draft in drafts if draft.sender_id == user_id]
        yield Participation(
            thread=first.thread,
            user_id=user_id,
            last_activity=last.timestamp,
            sent_at=max(sent, default=None),
            unread_count=sum(not d.read for d in drafts if d.receiver_id == user_id),
        )


def _notification(message):
    return Notification(
        user_id=message.receiver_id,
        message=message,
        created_at=message.timestamp,
        is_read=message.read,
    )
