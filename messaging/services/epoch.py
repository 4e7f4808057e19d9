from django.db import transaction

from messaging import fragments
from messaging.models import CacheEpoch


class CacheEpochService:
    @staticmethod
    def renew():
        """Let nothing that is cached be found again, by any process that starts from now on.

        For after a write that moved no version, or moved versions back: a fixture, a backup that
        was restored, SQL by hand.
        """
        with transaction.atomic():
            CacheEpoch.objects.all().delete()
            CacheEpoch.objects.create()
        fragments.forget_epoch()

    @staticmethod
    def make_missing():
        """Have an epoch: after `flush` there is none, and ids begin anew at 1."""
        if not CacheEpoch.objects.exists():
            CacheEpochService.renew()
