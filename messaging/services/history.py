from django.db import transaction
from django.utils import timezone

from messaging.models import Mailbox, Message, MessageHistory

from .threads import ThreadService


class MessageHistoryService:
    """What messages said before they were edited."""

    @staticmethod
    @transaction.atomic(savepoint=False)
    def log_edit(message, old_content):
        """Keep `old_content` as an earlier revision of `message`, and mark the message edited.

        Return the new MessageHistory; None if the text is the same, or if the message is deleted.
        """
        if old_content == message.content or message.is_deleted:
            return None
        Mailbox.objects.lock(message.sender_id, message.receiver_id)
        row = MessageHistory.objects.create(
            message=message,
            revision=message.revision,
            old_content=old_content,
            edited_at=timezone.now(),
            editor_id=message.sender_id,
        )
        message.edited, message.edited_at = True, row.edited_at
        message.revision += 1
        Message.objects.filter(pk=message.pk).update(
            edited=True, edited_at=message.edited_at, revision=message.revision
        )
        ThreadService.touch(message)
        return row
