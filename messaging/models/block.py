from typing import NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from messaging.composed import Composed

from .message import Message


class BlockQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The blocks that `user` has set up: nobody sees those that others have."""
        return self.filter(blocker_id=user.pk)

    def of_pair(self, user):
        """In a query of messages: whether `user` has blocked the other party of one."""
        party = Q(blocked_id=OuterRef("sender_id")) | Q(blocked_id=OuterRef("receiver_id"))
        return self.visible_to(user).filter(party)

    def with_blocked(self):
        return self.select_related("blocked")


class Block(models.Model):
    """One person doesn't want to be written to by another, who isn't told."""

    blocker = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,  # services.cleanup does it in bulk
        related_name="+",
        db_index=False,
        verbose_name=_("who blocked"),
    )
    blocked = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        related_name="+",
        verbose_name=_("who is blocked"),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    objects = BlockQuerySet.as_manager()

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("blocks")
        constraints = [
            models.UniqueConstraint(fields=["blocker", "blocked"], name="one_block_a_pair"),
            models.CheckConstraint(
                condition=~Q(blocker=F("blocked")), name="block_of_someone_else"
            ),
        ]
        indexes = [
            models.Index(fields=["blocker", "-created_at", "-id"], name="block_list"),
        ]

    def __str__(self):
        return f"Block {self.pk}"


class Standing(NamedTuple):
    """How one person stands to another: asked wherever it matters, and by one query whoever it is.

    A person who left, or never was, is not active, and nothing else.
    """

    is_active: bool = False  # the other
    has_blocked: bool = False  # the one has blocked the other
    is_blocked: bool = False  # the other has blocked the one
    shares_message: bool = False

    @classmethod
    def of(cls, user, other):
        """Return how `user` stands to `other`; None is nobody, and costs as much as somebody."""
        found = find_standing(user.pk, (other or user).pk)
        return cls(*found[0]) if other is not None and found else cls()

    @property
    def is_reachable(self):
        """Whether the other can be written to: who blocks is as one whose account is closed."""
        return self.is_active and not self.is_blocked

    @property
    def can_write(self):
        return self.is_reachable and not self.has_blocked


def _standings(user, other):
    User = get_user_model()  # noqa: N806
    return User._base_manager.filter(pk=other).values_list(
        "is_active",
        Exists(Block.objects.filter(blocker_id=user, blocked_id=other)),
        Exists(Block.objects.filter(blocker_id=other, blocked_id=user)),
        Exists(Message.objects.not_deleted().between(User(user), User(other))),
    )


find_standing = Composed(_standings)  # in every send
