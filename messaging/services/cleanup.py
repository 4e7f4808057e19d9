from django.db import transaction

from messaging.models import (
    Message,
    MessageHistory,
    Notification,
    Participation,
    Thread,
)

from .mailboxes import MailboxService


class UserCleanupService:
    """What becomes of messages when a person leaves."""

    @staticmethod
    @transaction.atomic(savepoint=False)
    def cleanup_user_data(user):
        """Remove every message that `user` sent or received, with its history and notifications.

        A thread has two people, so each thread of this person goes whole, and nothing of anybody
        else's does. In bulk: a row at a time, 10,000 messages would take seconds.
        """
        people = MailboxService.lock_around(user)
        threads = Message.objects.for_user(user).order_by().values_list("thread_id", flat=True)
        thread_ids = list(threads.distinct())
        for start in range(0, len(thread_ids), BATCH):
            _remove_threads(thread_ids[start : start + BATCH])
        _raw_delete(Participation.objects.for_user(user))
        _raw_delete(Notification.objects.filter(user_id=user.pk))
        MessageHistory.objects.filter(editor_id=user.pk).update(editor=None)
        MailboxService.recount(people)

    @staticmethod
    def counts(user):
        """Return how much would go: a dict of sent, received, threads, notifications."""
        mine = Message.objects.for_user(user).not_deleted()
        return {
            "sent": mine.sent_by(user).count(),
            "received": mine.received_by(user).count(),
            "threads": Participation.objects.for_user(user).count(),
            "notifications": Notification.objects.visible_to(user).count(),
        }


BATCH = 500  # threads; SQLite takes no more than 999 parameters where it is old


def _remove_threads(thread_ids):
    message_set = Message.objects.filter(thread_id__in=thread_ids)
    Thread.objects.filter(pk__in=thread_ids).update(last_message=None)
    _raw_delete(MessageHistory.objects.filter(message__in=message_set))
    _raw_delete(Notification.objects.filter(message__in=message_set))
    _raw_delete(message_set)
    _raw_delete(Participation.objects.filter(thread_id__in=thread_ids))
    _raw_delete(Thread.objects.filter(pk__in=thread_ids))


def _raw_delete(rows):
    """Delete in one statement: no signals, no tombstones, nothing loaded."""
    rows._raw_delete(rows.db)
