from django.db import transaction

from messaging.models import Mailbox, Notification

from .access import AccessService
from .mailboxes import MailboxService
from .retries import retried


class NotificationService:
    """The lines in the bell."""

    @staticmethod
    @transaction.atomic(savepoint=False)
    def create_notification(message):
        """Return the receiver's notification of `message`; made on the first call only.

        None when the receiver has left, or the message is deleted.
        """
        if message.receiver_id is None or message.is_deleted:
            return None
        found = None if message.is_arriving else _of(message)
        return found or Notification.objects.create(
            user_id=message.receiver_id,
            message=message,
            created_at=message.timestamp,
            is_read=message.read,
        )

    @staticmethod
    @retried
    @transaction.atomic(savepoint=False)
    def mark_read(notification):
        """Mark one notification read; the message itself stays as it is."""
        Mailbox.objects.lock(notification.user_id)
        waiting = Notification.objects.filter(pk=notification.pk).unread()
        if waiting.update(is_read=True):
            MailboxService.bump([notification.user_id])

    @staticmethod
    @retried
    @transaction.atomic(savepoint=False)
    def mark_all_read(user):
        """Mark every notification of `user` read; return how many were not.

        What tells of looks of the staff is taken note of as well, and counted.
        """
        Mailbox.objects.lock(user.pk)
        count = Notification.objects.visible_to(user).unread().update(is_read=True)
        if count:
            MailboxService.bump([user.pk])
        return count + AccessService.take_note(user)


def _of(message):
    return Notification.objects.filter(user_id=message.receiver_id, message=message).first()
