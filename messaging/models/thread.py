from django.conf import settings
from django.db import models
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _


class Thread(models.Model):
    """A first message and every reply below it, between the same two people."""

    last_message = models.ForeignKey(
        "messaging.Message",
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=True,
        verbose_name=_("last message"),
    )
    message_count = models.PositiveIntegerField(_("messages"), default=0)
    version = models.PositiveBigIntegerField(_("version"), default=0)

    class Meta:
        verbose_name = _("thread")
        verbose_name_plural = _("threads")

    def __str__(self):
        return f"Thread {self.pk}"


class ParticipationQuerySet(models.QuerySet):
    """The tabs of the inbox; the index of each is on `Participation`."""

    def for_user(self, user):
        return self.filter(user_id=user.pk)

    def unread(self):
        """The threads that the unread number counts: neither muted nor trashed."""
        # The zero is spelt in the SQL: SQLite uses a partial index only when it sees the constant.
        return self.filter(
            unread_count__gt=RawSQL("0", []), muted_at__isnull=True, trashed_at__isnull=True
        )

    def listed(self):
        return self.filter(archived_at__isnull=True, trashed_at__isnull=True)

    def sent(self):
        return self.filter(sent_at__isnull=False, trashed_at__isnull=True)


class Participation(models.Model):
    """One person's place in a thread."""

    thread = models.ForeignKey(
        Thread, on_delete=models.CASCADE, related_name="participations", verbose_name=_("thread")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,  # services.cleanup does it in bulk
        related_name="participations",
        db_index=False,
        verbose_name=_("user"),
    )
    unread_count = models.PositiveIntegerField(_("unread messages"), default=0)
    last_activity = models.DateTimeField(_("last activity"))
    sent_at = models.DateTimeField(_("last sent at"), null=True, blank=True)
    # No page sets these four yet; lists and counts heed them.
    archived_at = models.DateTimeField(_("archived at"), null=True, blank=True)
    muted_at = models.DateTimeField(_("muted at"), null=True, blank=True)
    starred_at = models.DateTimeField(_("starred at"), null=True, blank=True)
    trashed_at = models.DateTimeField(_("trashed at"), null=True, blank=True)
    is_flat = models.BooleanField(_("shown in time order"), default=False, db_default=False)

    objects = ParticipationQuerySet.as_manager()

    class Meta:
        verbose_name = _("participation")
        verbose_name_plural = _("participations")
        constraints = [
            models.UniqueConstraint(fields=["thread", "user"], name="one_participation_each"),
        ]
        indexes = [
            models.Index(
                fields=["user", "-last_activity", "-id"],
                condition=models.Q(
                    unread_count__gt=0, muted_at__isnull=True, trashed_at__isnull=True
                ),
                name="participation_unread",
            ),
            models.Index(
                fields=["user", "-last_activity", "-id"],
                condition=models.Q(archived_at__isnull=True, trashed_at__isnull=True),
                name="participation_listed",
            ),
            models.Index(
                fields=["user", "-sent_at", "-id"],
                condition=models.Q(sent_at__isnull=False, trashed_at__isnull=True),
                name="participation_sent",
            ),
        ]

    def __str__(self):
        return f"Participation {self.pk}"

    @property
    def is_counted(self):
        """Whether what is unread here shows in the person's unread number."""
        return self.muted_at is None and self.trashed_at is None
