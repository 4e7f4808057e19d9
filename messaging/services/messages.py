from copy import copy

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from messaging.models import Mailbox, Message, Standing

from .blocks import BlockService, ReceiverUnavailable
from .retries import retried

MOST_REVISIONS = 50  # of one message: both people keep them all


class TokenReused(Exception):
    """The client token has already sent another message; `.existing` is that one."""

    def __init__(self, existing):
        super().__init__(f"message {existing.pk}")
        self.existing = existing


class ParentDeleted(Exception):
    """The message that a reply hangs on has been deleted."""


class EditConflict(Exception):
    """Somebody was faster; `.message` is the message as it is now."""

    def __init__(self, message):
        super().__init__(f"message {message.pk} is at revision {message.revision}")
        self.message = message


class TooManyRevisions(Exception):
    """The message was edited so often that it stays as it is."""


class MessageService:
    """Sending, editing and deleting."""

    @staticmethod
    @retried
    def send(sender, *, receiver, content, client_token=None, parent=None):
        """Send a message, or a reply to `parent`; return it.

        The same `client_token` sends once: a second call with the same words returns the message of
        the first. Raises TokenReused, ParentDeleted, ReceiverUnavailable, Blocked.
        """
        if receiver is None or receiver.pk == sender.pk:
            raise ReceiverUnavailable
        try:
            with transaction.atomic():
                Mailbox.objects.lock(sender.pk, receiver.pk)
                BlockService.check(sender, receiver)
                message = Message(
                    sender=sender,
                    receiver=receiver,
                    content=content,
                    client_token=client_token,
                    parent_message=parent,
                )
                message.is_held = True
                message.save(force_insert=True)
                message.is_held = False
                return message
        except (Message.DoesNotExist, ValidationError) as error:
            existing = _sent_before(sender, client_token)
            if existing is None:
                raise ParentDeleted from error
        except IntegrityError as error:
            existing = _sent_before(sender, client_token)
            if existing is None and _are_there(sender, receiver):
                raise
            if existing is None:
                raise ReceiverUnavailable from error
        if _says(existing) != (receiver.pk, content, parent and parent.pk):
            raise TokenReused(existing)
        return existing

    @staticmethod
    def has_sent(sender, client_token):
        """Tell whether the message of this token is stored."""
        return _sent_before(sender, client_token) is not None

    @staticmethod
    @retried
    def edit(message, *, content, revision):
        """Give `message` a new text; return it as saved.

        `revision` is the one that the editor saw: if it is no longer the latest, raises
        EditConflict. The text that it has already is no edit, and no conflict. Raises
        TooManyRevisions if there are MOST_REVISIONS, Message.DoesNotExist if it was deleted,
        ReceiverUnavailable if its receiver can't be written to: an edit is new words. Who blocked
        the receiver may still mend what they wrote before.
        """
        with transaction.atomic():
            Mailbox.objects.lock(message.sender_id, message.receiver_id)
            current = Message.objects.not_deleted().with_people().get(pk=message.pk)
            _check_reader(current)
            if current.content == content:
                return current
            if current.revision != revision:
                raise EditConflict(current)
            if revision >= MOST_REVISIONS:
                raise TooManyRevisions
            current.content = content
            current.save()
        return current

    @staticmethod
    @retried
    def delete(message):
        """Delete the message as `Message.delete` does; the object in hand stays as it was."""
        copy(message).delete()


def _check_reader(message):
    if message.receiver is None:  # who wrote it is its only reader
        return
    if not Standing.of(message.sender, message.receiver).is_reachable:
        raise ReceiverUnavailable


def _sent_before(sender, client_token):
    if client_token is None:
        return None
    return Message.objects.sent_by(sender).filter(client_token=client_token).first()


def _are_there(*people):
    """Say whether all of them still have an account: one may have left a moment ago."""
    found = get_user_model()._base_manager.filter(pk__in=[person.pk for person in people])
    return found.count() == len(people)


def _says(message):
    return message.receiver_id, message.content, message.parent_message_id
