from django.db import models
from django.utils.translation import gettext_lazy as _


class ThrottleCount(models.Model):
    """What somebody has tried of late: see `messaging.throttles`, which alone reads and writes it.

    Nobody can be found in here: `key` is of a keyed hash of what is counted and of whom.
    """

    key = models.BigIntegerField(primary_key=True)
    tries = models.TextField()  # the moment of each, the latest first
    kept_until = models.BigIntegerField(db_index=True)  # microseconds since 1970

    class Meta:
        verbose_name = _("throttle count")
        verbose_name_plural = _("throttle counts")

    def __str__(self):
        return str(self.key)
