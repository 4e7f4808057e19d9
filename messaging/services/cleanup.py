from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from messaging.models import (
    AccessNotice,
    AccessRecord,
    Block,
    Message,
    MessageHistory,
    Notification,
    Participation,
    Thread,
)

from .mailboxes import MailboxService
from .recount import derive


class UserCleanupService:
    """What becomes of messages when a person leaves.

    The setting MESSAGING_ACCOUNT_DELETION says it: with "erase" every message that the person sent
    or received goes, with its history and notifications; with "keep" that is so of what they wrote
    alone. What others wrote to them stays, its receiver a deleted user.
    """

    @staticmethod
    @transaction.atomic(savepoint=False)
    def cleanup_user_data(user):
        """Remove what has to go of `user`, in bulk: a row at a time would take far too long.

        A thread has two people, so "erase" removes each thread of this person whole. Nothing that
        others wrote to each other is ever touched.
        """
        people = MailboxService.lock_around(user)
        threads = Message.objects.for_user(user).order_by().values_list("thread_id", flat=True)
        thread_ids = list(threads.distinct())
        for start in range(0, len(thread_ids), BATCH):
            some = thread_ids[start : start + BATCH]
            if keeps_words_of_others():
                _remove_alone(user, some)
                _remove_words(user, some)
            else:
                _remove_threads(some)
        _raw_delete(Participation.objects.for_user(user))
        _raw_delete(Notification.objects.filter(user_id=user.pk))
        _raw_delete(Block.objects.filter(Q(blocker_id=user.pk) | Q(blocked_id=user.pk)))
        _raw_delete(AccessNotice.objects.visible_to(user))
        AccessRecord.objects.filter(staff_id=user.pk).update(staff=None)
        MessageHistory.objects.filter(editor_id=user.pk).update(editor=None)
        MailboxService.recount(people)

    @staticmethod
    def counts(user):
        """Return how much there is of a person: a dict of sent, received, threads, notifications.

        With "keep", what was received does not go.
        """
        mine = Message.objects.for_user(user).not_deleted()
        return {
            "sent": mine.sent_by(user).count(),
            "received": mine.received_by(user).count(),
            "threads": Participation.objects.for_user(user).count(),
            "notifications": Notification.objects.visible_to(user).count(),
        }


def keeps_words_of_others():
    return getattr(settings, "MESSAGING_ACCOUNT_DELETION", "erase") == "keep"


BATCH = 500  # threads; SQLite takes no more than 999 parameters where it is old


def _remove_threads(thread_ids):
    message_set = Message.objects.filter(thread_id__in=thread_ids)
    Thread.objects.filter(pk__in=thread_ids).update(last_message=None)
    _raw_delete(MessageHistory.objects.filter(message__in=message_set))
    _raw_delete(Notification.objects.filter(message__in=message_set))
    _remove_access(message_set)
    _raw_delete(message_set)
    _raw_delete(Participation.objects.filter(thread_id__in=thread_ids))
    _raw_delete(Thread.objects.filter(pk__in=thread_ids))


def _remove_alone(user, thread_ids):
    """Remove the threads that nobody else is in any more: the other person left before."""
    others = Participation.objects.filter(thread_id__in=thread_ids).exclude(user_id=user.pk)
    _remove_threads(set(thread_ids) - set(others.values_list("thread_id", flat=True)))


def _remove_words(user, thread_ids):
    """Take the person out of these threads: nothing is left of them but where a reply hangs."""
    message_set = Message.objects.filter(thread_id__in=thread_ids)
    mine = message_set.sent_by(user)
    Thread.objects.filter(pk__in=thread_ids).update(last_message=None, version=F("version") + 1)
    _raw_delete(MessageHistory.objects.filter(message__in=mine))
    _raw_delete(Notification.objects.filter(message__in=mine))
    _remove_access(mine)
    _raw_delete(Participation.objects.for_user(user).filter(thread_id__in=thread_ids))
    message_set.received_by(user).update(receiver=None)
    mine.update(
        sender=None,
        content="",
        edited=False,
        client_token=None,
        deleted_at=Coalesce(F("deleted_at"), timezone.now()),
    )
    while _raw_delete(message_set.bare_tombstones()):
        pass
    alive = message_set.order_by().values_list("thread_id", flat=True)
    _remove_threads(set(thread_ids) - set(alive.distinct()))
    derive(message_set)
    derive(Thread.objects.filter(pk__in=thread_ids))
    derive(Participation.objects.filter(thread_id__in=thread_ids))


def _remove_access(message_set):
    _raw_delete(AccessNotice.objects.filter(record__message__in=message_set))
    _raw_delete(AccessRecord.objects.filter(message__in=message_set))


def _raw_delete(rows):
    """Delete in one statement: no signals, no tombstones, nothing loaded. Return how many went."""
    return rows._raw_delete(rows.db)
