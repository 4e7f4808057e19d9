import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


def new_epoch():
    return uuid.uuid4().hex


class CacheEpoch(models.Model):
    """The one row that every cache key begins with.

    Versions go back when a backup is restored; a new epoch makes sure that they never meet a
    fragment that was stored under the same number before.
    """

    value = models.CharField(max_length=32, default=new_epoch)

    class Meta:
        verbose_name = _("cache epoch")
        verbose_name_plural = _("cache epochs")

    def __str__(self):
        return self.value
