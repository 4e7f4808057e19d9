from django.db import transaction

from messaging.models import Block, Mailbox, Standing

from .mailboxes import MailboxService


class Blocked(Exception):
    """Who writes has blocked the person they write to."""


class ReceiverUnavailable(Exception):
    """Nobody by that name can be written to: unknown, inactive, gone, oneself, or who blocked."""


class BlockService:
    """Who doesn't want to be written to by whom.

    Both take the mailboxes that sending and editing take: once a block is acknowledged, nothing
    arrives any more. Only the version of who blocks moves; nothing that the other sees does.
    """

    @staticmethod
    @transaction.atomic
    def block(user, other):
        """Let `other` write to `user` no more; say whether that is new.

        The other person must be there: raises ReceiverUnavailable if not.
        """
        Mailbox.objects.lock(user.pk, other.pk)
        if not type(other)._base_manager.filter(pk=other.pk).exists():
            raise ReceiverUnavailable
        _, is_new = Block.objects.get_or_create(blocker=user, blocked=other)
        if is_new:
            MailboxService.bump([user.pk])
        return is_new

    @staticmethod
    @transaction.atomic
    def unblock(user, other):
        """Let `other` write to `user` again; say whether they could not."""
        Mailbox.objects.lock(user.pk, other.pk)
        number, _ = Block.objects.filter(blocker=user, blocked=other).delete()
        if number:
            MailboxService.bump([user.pk])
        return bool(number)

    @staticmethod
    def check(user, other):
        """Raise Blocked or ReceiverUnavailable unless `user` may write to `other` now.

        The caller holds the mailboxes of both.
        """
        standing = Standing.of(user, other)
        if standing.has_blocked:
            raise Blocked
        if not standing.is_reachable:
            raise ReceiverUnavailable
