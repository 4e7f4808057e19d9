from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from site_config.backups.files import Refusal
from site_config.backups.services import RestoreService


class Command(BaseCommand):
    help = (
        "Put a backup in the place of the database. The site has to be stopped. Everybody is "
        "signed out, and who deleted their account since then stays deleted. Whatever goes wrong, "
        "the database stays as it is."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="the backup; its manifest lies beside it")
        parser.add_argument(
            "--erasures",
            action="append",
            default=[],
            type=Path,
            metavar="LOG",
            help="another erasures.log: of the machine that was, of each machine of the site",
        )
        parser.add_argument(
            "--discard",
            action="store_true",
            help="don't back up what is there now: it is gone",
        )

    def handle(self, *, file, erasures, discard, **options):
        try:
            RestoreService.restore(file, logs=erasures, discard=discard, tell=self.stdout.write)
        except (Refusal, OSError) as error:
            raise CommandError(f"Nothing was restored. {error}") from error
