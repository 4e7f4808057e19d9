"""The database that the bench works in: its own, and never one where anybody lives."""

from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError
from django.db import DatabaseError, connection

from messaging import fragments

REFUSAL = (
    "In {name} live {number} people who are not of the bench: nothing was measured. "
    "Name another database, or say --scratch if all that is in this one may be changed."
)


def default_name(suffix=""):
    """Return the name of the scratch database beside the site's own."""
    if connection.vendor == "sqlite":
        return str(Path(settings.DATA_DIR) / f"bench{suffix}.sqlite3")
    return f"{settings.DATABASES['default']['NAME']}_bench{suffix.replace('-', '_')}"


def use(name):
    """Let this process work in the database of that name."""
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


@contextmanager
def scratch_database(name, *, may_hold_people=False, keep=False):
    """Work in that database, made if it isn't there; dropped afterwards unless `keep`.

    Raises CommandError where people live in it, unless it may hold them. One that was there
    before is never dropped.
    """
    own = connection.settings_dict["NAME"]
    was_there = _find_people(name, may_hold_people)
    try:
        _create(name, own)
        fragments.cache().clear()
        yield was_there
    finally:
        fragments.cache().clear()
        if keep or was_there:
            use(own)
        else:
            connection.creation.destroy_test_db(str(own), verbosity=0)


def _create(name, own):
    use(own)
    connection.settings_dict["TEST"]["NAME"] = name
    # Django's own way to a database beside the one in the settings, migrated.
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False, keepdb=True)


def _find_people(name, may_hold_people):
    """Return whether the database is there."""
    if connection.vendor == "sqlite" and not Path(name).exists():
        return False
    use(name)
    people = get_user_model().objects.exclude(username__startswith="scale-")
    try:
        number = people.count()
    except DatabaseError:  # no such database, or nothing in it
        return False
    if number and not may_hold_people:
        raise CommandError(REFUSAL.format(name=name, number=number))
    return True
