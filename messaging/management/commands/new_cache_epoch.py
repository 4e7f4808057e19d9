from django.core.management.base import BaseCommand

from messaging.services import CacheEpochService


class Command(BaseCommand):
    help = (
        "Let no page that was cached so far be shown again. Needed after whatever changed the "
        "database behind the back of the site: loaddata, a backup restored, SQL by hand. The web "
        "processes read the epoch when they start: restart them afterwards."
    )

    def handle(self, **options):
        CacheEpochService.renew()
        self.stdout.write("Nothing cached so far is valid. Now restart the web processes.")
