import json
import logging
import time
from pathlib import Path
from statistics import median

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from messaging.bench import floor, load, postman, report
from messaging.bench.caller import Caller
from messaging.bench.measure import measure
from messaging.bench.scene import find_or_make
from messaging.bench.scratch import default_name, scratch_database
from messaging.bench.works import STEADY, works

WARM_UP = 50  # requests


class Command(BaseCommand):
    help = (
        "Measure what pages cost, as multiples of an empty page, in a scratch database of its own. "
        "Exits with 1 where a bar of the table falls short."
    )

    def add_arguments(self, parser):
        parser.add_argument("--messages", type=int, help="how many messages (default: 28,000)")
        parser.add_argument("--database", help="the name of the scratch database")
        parser.add_argument(
            "--scratch", action="store_true", help="it may be changed, though people live in it"
        )
        parser.add_argument("--keep", action="store_true", help="leave it for the next run")
        parser.add_argument("--peers", action="store_true", help="run django-postman beside it")
        parser.add_argument("--no-load", action="store_true", help="leave out requests a second")
        parser.add_argument("--only", default="", help="works with this in their names alone")

    def handle(self, *, messages, database, scratch, keep, **options):
        suffix = f"-{messages}" if messages else ""
        name = database or default_name(suffix)
        with scratch_database(name, may_hold_people=scratch, keep=keep):
            about, lines = self._measure(messages, **options)
        self._tell(suffix, about, lines)
        if failures := [failure for line in lines for failure in line.failures]:
            raise CommandError("Short of the bar:\n  " + "\n  ".join(failures))

    def _measure(self, messages, *, only, no_load, peers, **options):
        logging.disable(logging.ERROR)
        floor.install()
        begin = time.monotonic()
        scene = find_or_make(messages)
        self._say(f"Data: {scene.message_count:,} messages ({time.monotonic() - begin:.0f} s).")
        caller = Caller(scene.me)
        for _ in range(WARM_UP):
            caller.get(floor.ADDRESS)
        chosen, figures = [work for work in works(scene, caller) if only in work.name], {}
        for work in chosen:
            figures[work.name] = found = measure(caller, work, work.samples)
            self._say(f"{work.name}: {found.milliseconds:.1f} ms, {found.ratio:.2f} F")
        about = report.versions() | {
            "messages": scene.message_count,
            "floor": median(found.floor for found in figures.values()),
            "spread": median(found.spread for found in figures.values()),
        }
        about["peers"] = postman.run(folder(), scene, self._say) if peers else []
        about["loads"] = [] if no_load else load.run(scene, caller)
        return about, report.judge(chosen, figures, self._smaller(messages))

    def _smaller(self, messages):
        """Return the ratios of the last run with the default number of messages, if there was."""
        path = folder() / f"{connection.vendor}.json"
        if not messages or not path.exists():
            return {}
        found = json.loads(path.read_text())["works"]
        return {name: found[name]["ratio"] for name in found if name in STEADY}

    def _tell(self, suffix, *results):
        path = folder() / f"{connection.vendor}{suffix}"
        path.with_suffix(".json").write_text(report.as_json(*results))
        path.with_suffix(".md").write_text(report.as_markdown(*results))
        self.stdout.write(f"\n{report.as_text(*results)}\n\nWritten to {path}.json and .md")

    def _say(self, line):
        self.stdout.write(line)
        self.stdout.flush()


def folder():
    path = Path(settings.DATA_DIR) / "bench"
    path.mkdir(parents=True, exist_ok=True)
    return path
