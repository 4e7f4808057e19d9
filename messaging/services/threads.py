from django.db import transaction
from django.db.models import Case, F, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from messaging.models import Mailbox, Message, Notification, Participation, Thread

from .mailboxes import MailboxService
from .retries import retried


class ThreadService:
    """Keeps what is counted of a thread, and of each person's place in it.

    Those that take a message run inside the transaction that saved or deleted it, which holds the
    mailboxes of both people; they are called by the signal handlers.
    """

    @staticmethod
    @transaction.atomic(savepoint=False)
    def add(message):
        """Count a new message: in its thread, its parent, both participations and mailboxes."""
        if message.parent_message_id is None:
            is_counted = True
            Thread.objects.filter(pk=message.thread_id).update(
                message_count=1, version=1, last_message=message
            )
            _make_places(message)
        else:
            is_counted = _receiver_counts(message)
            _extend_thread(message)
            _count_reply(message, +1)
            _move_places(message)
        unread = int(is_counted and not message.read)
        MailboxService.bump(_people(message), unread={message.receiver_id: unread})

    @staticmethod
    @transaction.atomic(savepoint=False)
    def remove(message):
        """Take a message that was deleted, or became a tombstone, out of every count."""
        if message.parent_message_id:
            _count_reply(message, -1)
        unread = {}
        if not message.read:
            unread = _count_unread(message.thread_id, message.receiver_id, -1)
        MailboxService.bump(_people(message), unread=unread)
        last = Message.objects.filter(thread_id=message.thread_id).not_deleted()
        last = last.order_by("-timestamp", "-pk").first()
        Thread.objects.filter(pk=message.thread_id).update(
            message_count=F("message_count") - 1, version=F("version") + 1, last_message=last
        )
        if last is not None:
            _place_again(message, last)

    @staticmethod
    def remove_if_empty(thread_id):
        """Delete the thread, with the places in it, if no message is left there."""
        if not Message.objects.filter(thread_id=thread_id).exists():
            Thread.objects.filter(pk=thread_id).delete()

    @staticmethod
    @transaction.atomic(savepoint=False)
    def touch(message):
        """Move the versions of all that shows this message."""
        MailboxService.bump(_people(message))
        Thread.objects.filter(pk=message.thread_id).update(version=F("version") + 1)

    @staticmethod
    @transaction.atomic(savepoint=False)
    def count_read(message):
        """Follow one message that was just marked read, or unread again."""
        if message.read:
            _read_notifications(message.receiver_id, [message.pk])
        _follow_read(message.thread_id, message.receiver_id, -1 if message.read else +1)

    @staticmethod
    def mark_read(user, *, message):
        """Mark read all that `user` received in this thread up to `message`, itself included.

        Return how many messages that were.
        """
        return _mark(user, message, read=True)

    @staticmethod
    def mark_unread(user, *, message):
        """Mark unread all that `user` received in this thread from `message` on, itself included.

        Return how many messages that were.
        """
        return _mark(user, message, read=False)

    @staticmethod
    @transaction.atomic(savepoint=False)
    def choose_view(user, *, message, is_flat):
        """Remember how `user` wants to see the thread of `message`: in time order, or as a tree."""
        Mailbox.objects.lock(user.pk)
        place = Participation.objects.for_user(user).filter(thread_id=message.thread_id)
        if place.exclude(is_flat=is_flat).update(is_flat=is_flat):
            MailboxService.bump([user.pk])


@retried
@transaction.atomic(savepoint=False)
def _mark(user, message, *, read):
    Mailbox.objects.lock(user.pk)
    received = Message.objects.filter(thread_id=message.thread_id).received_by(user).not_deleted()
    meant = received.up_to(message) if read else received.onward_from(message)
    if read:
        _read_notifications(user.pk, meant.values("pk"))
    now = timezone.now() if read else None
    changed = meant.filter(read=not read).update(read=read, read_at=now)
    if changed:
        _follow_read(message.thread_id, user.pk, -changed if read else changed)
    return changed


def _read_notifications(user_id, message_ids):
    waiting = Notification.objects.filter(user_id=user_id, message_id__in=message_ids).unread()
    if waiting.update(is_read=True):
        MailboxService.bump([user_id])


def _follow_read(thread_id, user_id, number):
    unread = _count_unread(thread_id, user_id, number)
    MailboxService.bump([user_id], unread=unread)
    Thread.objects.filter(pk=thread_id).update(version=F("version") + 1)


def _people(message):
    return message.sender_id, message.receiver_id


def _count_reply(message, number):
    Message.objects.filter(pk=message.parent_message_id).update(
        reply_count=F("reply_count") + number
    )


def _count_unread(thread_id, user_id, number):
    """Add to this person's unread number in the thread; return what that adds to the total."""
    place = Participation.objects.filter(thread_id=thread_id, user_id=user_id)
    place.update(unread_count=Greatest(F("unread_count") + number, Value(0)))
    place = place.first()
    return {user_id: number} if place is not None and place.is_counted else {}


def _receiver_counts(message):
    place = Participation.objects.filter(
        thread_id=message.thread_id, user_id=message.receiver_id
    ).first()
    return place is not None and place.is_counted


def _extend_thread(message):
    last = Message.objects.filter(thread_id=message.thread_id).not_deleted()
    last = last.order_by("-timestamp", "-pk").values("pk")[:1]
    Thread.objects.filter(pk=message.thread_id).update(
        message_count=F("message_count") + 1,
        version=F("version") + 1,
        last_message=Subquery(last),
    )


def _make_places(message):
    Participation.objects.bulk_create(
        Participation(
            thread_id=message.thread_id,
            user_id=user_id,
            last_activity=message.timestamp,
            sent_at=message.timestamp if user_id == message.sender_id else None,
            unread_count=int(user_id == message.receiver_id and not message.read),
        )
        for user_id in _people(message)
        if user_id is not None
    )


def _move_places(message):
    by_sender = When(user_id=message.sender_id, then=_later("sent_at", message.timestamp))
    to_receiver = When(user_id=message.receiver_id, then=Value(int(not message.read)))
    Participation.objects.filter(thread_id=message.thread_id).update(
        last_activity=_later("last_activity", message.timestamp),
        sent_at=Case(by_sender, default=F("sent_at")),
        unread_count=F("unread_count") + Case(to_receiver, default=Value(0)),
    )


def _later(field, moment):
    return Greatest(Coalesce(F(field), Value(moment)), Value(moment))


def _place_again(message, last):
    mine = Message.objects.filter(thread_id=message.thread_id, sender_id=message.sender_id)
    sent_at = mine.not_deleted().order_by("-timestamp", "-pk").values_list("timestamp", flat=True)
    places = Participation.objects.filter(thread_id=message.thread_id)
    places.update(last_activity=last.timestamp)
    places.filter(user_id=message.sender_id).update(sent_at=sent_at.first())
