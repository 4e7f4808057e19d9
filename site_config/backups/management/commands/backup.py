from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from site_config.backups.files import Refusal
from site_config.backups.services import BackupService


class Command(BaseCommand):
    help = (
        "Copy the database, while it is in use, into a file that is checked and has a manifest "
        "beside it. (A copy by cp or rsync of the file in use is none: it may be torn.)"
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "directory",
            nargs="?",
            type=Path,
            default=settings.DATA_DIR / "backups",
            help="where to (default: %(default)s)",
        )
        parser.add_argument(
            "--keep",
            type=_at_least_one,
            metavar="N",
            help="remove all backups in there but the N newest, and nothing else",
        )

    def handle(self, *, directory, keep, **options):
        try:
            backup, removed = BackupService.make(directory, keep=keep)
        except (Refusal, OSError) as error:
            raise CommandError(f"There is no new backup. {error}") from error
        self.stdout.write(f"{backup.path}: {backup.manifest['bytes']:,} bytes, checked.")
        for name in removed:
            self.stdout.write(f"Removed {name}.")


def _at_least_one(word):
    if int(word) < 1:
        raise ValueError(word)
    return int(word)
