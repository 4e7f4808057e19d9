from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class MessageHistoryQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The earlier texts that both parties of the message may read."""
        if user.pk is None:  # signed out; in the rows, null is a person who left
            return self.none()
        return self.filter(
            models.Q(message__sender_id=user.pk) | models.Q(message__receiver_id=user.pk)
        )


class MessageHistory(models.Model):
    """What a message said before an edit, and when that edit replaced it."""

    message = models.ForeignKey(
        "messaging.Message",
        on_delete=models.CASCADE,
        related_name="history",
        verbose_name=_("message"),
    )
    revision = models.PositiveIntegerField(_("revision"))
    old_content = models.TextField(_("old content"))
    edited_at = models.DateTimeField(_("edited at"), default=timezone.now)
    editor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,  # services.cleanup does it in bulk
        null=True,
        related_name="+",
        verbose_name=_("editor"),
    )

    objects = MessageHistoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("message history")
        verbose_name_plural = _("message histories")
        constraints = [
            models.UniqueConstraint(
                fields=["message", "revision"], name="one_history_row_a_revision"
            ),
        ]

    def __str__(self):
        return f"Revision {self.revision} of message {self.message_id}"
