from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

REASON_MAX_LENGTH = 300  # characters


class AccessRecordQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The looks at messages that `user` is a party of."""
        if user.pk is None:  # signed out; in the rows, null is a person who left
            return self.none()
        return self.filter(
            models.Q(message__sender_id=user.pk) | models.Q(message__receiver_id=user.pk)
        )


class AccessRecord(models.Model):
    """Somebody of the staff has read the text of a message: when, and why.

    It stays as long as the message does, on a tombstone too. The name of who looked is in no
    column: it goes with their account.
    """

    message = models.ForeignKey(
        "messaging.Message",
        on_delete=models.CASCADE,
        related_name="access_records",
        verbose_name=_("message"),
    )
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,  # services.cleanup does it in bulk; null: a person who left
        null=True,
        related_name="+",
        verbose_name=_("who read it"),
    )
    reason = models.CharField(_("reason"), max_length=REASON_MAX_LENGTH)
    accessed_at = models.DateTimeField(_("read at"), default=timezone.now)

    objects = AccessRecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("access record")
        verbose_name_plural = _("access records")

    def __str__(self):
        return f"Access record {self.pk}"


class AccessNoticeQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(user_id=user.pk)

    def newest_first(self):
        return self.order_by("-record_id")

    def with_people(self):
        return self.select_related("record__message__sender", "record__message__receiver")


class AccessNotice(models.Model):
    """One party of the message has not taken note of an access record yet."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,  # services.cleanup does it in bulk
        related_name="+",
        db_index=False,
        verbose_name=_("user"),
    )
    record = models.ForeignKey(
        AccessRecord,
        on_delete=models.CASCADE,
        related_name="notices",
        verbose_name=_("access record"),
    )

    objects = AccessNoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("access notice")
        verbose_name_plural = _("access notices")
        constraints = [
            models.UniqueConstraint(fields=["user", "record"], name="one_notice_an_access"),
        ]

    def __str__(self):
        return f"Access notice {self.pk}"
