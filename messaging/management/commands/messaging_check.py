from itertools import islice

from django.core.management.base import BaseCommand, CommandError

from messaging.services import CheckService
from messaging.statistics import analyze

SHOWN = 50  # sentences; a rule that is broken a million times need not be told so often


class Command(BaseCommand):
    help = (
        "Look whether every message, thread and number agrees with the others. Exits with 1 where "
        "something is broken, unless it was mended with --repair."
    )

    def add_arguments(self, parser):
        parser.add_argument("--repair", action="store_true", help="mend what is broken")

    def handle(self, *, repair, **options):
        analyze()
        found = CheckService.repair() if repair else islice(CheckService.find(), SHOWN + 1)
        found = list(found)
        for sentence in found[:SHOWN]:
            self.stdout.write(sentence)
        if len(found) > SHOWN:
            self.stdout.write("... and more.")
        if not found:
            self.stdout.write("Nothing is broken.")
        elif not repair:
            raise CommandError("To mend this: messaging_check --repair")
        else:
            self._tell_the_rest()

    def _tell_the_rest(self):
        if next(CheckService.find(), None):
            raise CommandError("Not all of this could be mended. A backup may help.")
        self.stdout.write("All of this was mended. Restart the web processes now.")
