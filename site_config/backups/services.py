import logging
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader

from messaging.services import CacheEpochService, CheckService
from messaging.statistics import analyze
from site_config import VERSION, events
from site_config.accounts import erasures

from . import files, postgresql, sqlite
from .files import Backup, Refusal

SHAPES = {"sqlite": sqlite, "postgresql": postgresql}
SHOWN = 20  # sentences of what is broken

logger = logging.getLogger("parley.security")


class BackupService:
    @staticmethod
    def make(directory, *, keep=None, live=None):
        """Back up the database into a directory; return the Backup and the names that `keep` cost.

        The site goes on meanwhile. Raises Refusal, and then leaves nothing behind.
        """
        shape = _shape()
        with files.directory(Path(directory)) as place, shape.snapshot(live) as copy:
            moment = datetime.now(UTC)
            path = place / f"parley-{moment:%Y%m%dT%H%M%S%f}Z.{shape.SUFFIX}"
            unfinished = files.create(path.with_name(f"{path.name}{files.UNFINISHED}"))
            try:
                backup = files.publish(unfinished, path, _about(moment) | copy(unfinished))
            finally:
                unfinished.unlink(missing_ok=True)
            removed = [] if keep is None else files.prune(place, keep)
        if live is None:
            erasures.settle()
        logger.info(events.line(event="backed_up", backup=path.name))
        return backup, removed


class RestoreService:
    @staticmethod
    def restore(file, *, logs=(), discard=False, tell=print):
        """Let the database be what it was in a backup, without what has to stay forgotten.

        All is done to a copy beside it, which then takes its place at once; whatever goes wrong
        before raises Refusal, and leaves the database as it is. What is done is told in sentences.
        """
        shape, backup = _shape(), Backup(file)
        _check_fits(backup.manifest)
        backup.check()
        rows = _settled_rows() if shape.is_there() else []
        with shape.alone() as live:
            entries = [*rows, *_read_logs(logs)]
            _keep(shape, live, discard, tell)
            with shape.unpacked(backup.path) as put_in_place:
                _check_same(backup.manifest, facts := shape.facts())
                _check_migrations(facts["migrations"])
                tell(f"{backup.path.name} is whole: {_sum(backup.manifest)}.")
                _prepare(entries, tell)
                put_in_place(live)
        logger.info(events.line(event="restored", backup=backup.path.name))
        tell("The database is the one of the backup now. Start the site.")


def _shape():
    return SHAPES[connection.vendor]


def _about(moment):
    return {
        "shape": connection.vendor,
        "version": VERSION,
        "time": moment.isoformat(timespec="seconds"),
    }


def _check_fits(manifest):
    """Raise Refusal for a backup of another kind of database, or of newer code."""
    if manifest["shape"] != connection.vendor:
        raise Refusal(
            f"This is a backup of {manifest['shape']}, and DATABASE_URL names {connection.vendor}. "
            "Nothing was changed."
        )
    _check_migrations(manifest["migrations"])


def _check_migrations(applied):
    known = MigrationLoader(None).disk_migrations
    names = {".".join(key) for key in known}
    names |= {".".join(key) for migration in known.values() for key in migration.replaces}
    if unknown := sorted(set(applied) - names):
        raise Refusal(
            f"This backup is of a newer release: it knows {', '.join(unknown[:3])}. Install that "
            "release, or a newer one, and restore with it. Nothing was changed."
        )


def _check_same(manifest, facts):
    if differing := [name for name in ("rows", "migrations") if manifest[name] != facts[name]]:
        raise Refusal(
            f"In the backup are other {' and '.join(differing)} than its manifest says. "
            "Nothing was changed."
        )


def _settled_rows():
    """Return who left, as the database knows it; nobody where it can't be asked any more."""
    try:
        erasures.settle()
        return erasures.recorded()
    except Error:
        return []


def _read_logs(logs):
    if missing := [str(log) for log in logs if not Path(log).is_file()]:
        raise Refusal(f"There is no {missing[0]}. Nothing was changed.")
    return [
        entry
        for log in (settings.ERASURE_LOG, *logs)
        for entry in erasures.read(log)
        if entry.state != "undone"
    ]


def _keep(shape, live, discard, tell):
    """Back up what is there now, before it goes."""
    if live is None or (not shape.is_damaged(live) and shape.is_empty(live)):
        return
    if discard:
        tell("What was there is not kept.")
        return
    try:
        if shape.is_damaged(live):
            raise Refusal("The database is damaged.")
        backup, _ = BackupService.make(settings.DATA_DIR / "backups", live=live)
    except Refusal as error:
        raise Refusal(
            f"What is there now can't be backed up. {error} Nothing was changed; --discard lets it "
            "go without a backup."
        ) from error
    tell(f"What was there is kept as {backup.path}.")


def _prepare(entries, tell):
    """Bring the unpacked backup up to date, and let it forget what it must not tell again."""
    call_command("migrate", interactive=False, verbosity=0)
    number, _ = Session.objects.all().delete()
    tell(f"Everybody is signed out: {number} sessions ended.")
    CacheEpochService.renew()
    tell("No page that was cached before will be shown.")
    erased = erasures.apply(entries)
    tell(f"Accounts that left since the backup, erased again: {len(erased)}.")
    analyze()
    found = list(islice(CheckService.find(), SHOWN))
    for sentence in found:
        tell(sentence)
    tell("To mend this: messaging_check --repair" if found else "Nothing in it is broken.")


def _sum(manifest):
    rows = manifest["rows"]
    return (
        f"{rows.get('messaging_message', 0)} messages of {rows.get('accounts_user', 0)} people, "
        f"of {manifest.get('time', 'no known time')}"
    )
