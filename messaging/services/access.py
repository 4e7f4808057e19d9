from django.db import transaction

from messaging.models import AccessNotice, AccessRecord, Mailbox, Message

from .mailboxes import MailboxService
from .threads import ThreadService


class AccessService:
    """The looks of staff at text, which both parties of a message see."""

    @staticmethod
    @transaction.atomic
    def read_text(staff, message_ids, *, reason):
        """Record that `staff` reads these messages, and why; return them as they are now.

        No text is had without its record: both are of one transaction, and so are the versions of
        whoever sees that. A message that was deleted has no text, and no look is recorded.
        """
        chosen = Message.objects.filter(pk__in=message_ids).order_by("pk")
        Mailbox.objects.lock(*_parties(chosen))
        message_list = list(chosen.with_people())
        for message in message_list:
            if not message.is_deleted:
                _record(staff, message, reason)
        return message_list

    @staticmethod
    @transaction.atomic(savepoint=False)
    def take_note(user, *, message=None):
        """Have `user` told no more of the looks at a message, or at any; return how many."""
        Mailbox.objects.lock(user.pk)
        notices = AccessNotice.objects.visible_to(user)
        if message is not None:
            notices = notices.filter(record__message=message)
        number, _ = notices.delete()
        if number:
            MailboxService.bump([user.pk])
        return number


def _parties(message_set):
    pairs = message_set.order_by().values_list("sender_id", "receiver_id")
    return [pk for pair in pairs for pk in pair]


def _record(staff, message, reason):
    record = AccessRecord.objects.create(message=message, staff=staff, reason=reason)
    parties = [pk for pk in (message.sender_id, message.receiver_id) if pk is not None]
    AccessNotice.objects.bulk_create(AccessNotice(user_id=pk, record=record) for pk in parties)
    ThreadService.touch(message)
