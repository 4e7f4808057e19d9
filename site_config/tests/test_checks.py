"""What `check --deploy` says of a site, one finding at a time."""

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import OperationalError, connection

from site_config import checks

SMTP = "django.core.mail.backends.smtp.EmailBackend"
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own settings")


@pytest.fixture
def public(settings):
    """The settings of a public site that does everything right."""
    settings.IS_PUBLIC = True
    settings.EMAIL_BACKEND = SMTP
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    settings.REDIS_URL = "redis://:secret@cache/0"
    return settings


def ids(found):
    return [each.id for each in found]


def test_a_public_site_that_does_everything_right_hears_nothing(public):
    assert checks.site_is_ready_for_the_public(None) == []
    assert checks.cache_is_guarded(None) == []


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("IS_PUBLIC", False, "W004"),
        ("ALLAUTH_TRUSTED_PROXY_COUNT", 0, "W005"),
        ("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend", "W006"),
        ("MESSAGING_THROTTLES", False, "W007"),
    ],
)
def test_what_a_public_site_lacks_is_said(public, name, value, number):
    setattr(public, name, value)
    assert ids(checks.site_is_ready_for_the_public(None)) == [f"parley.{number}"]


def test_the_command_fails_on_a_warning(public, db):
    public.MESSAGING_THROTTLES = False
    with pytest.raises(SystemCheckError, match=r"parley\.W007"):
        call_command("check", deploy=True, tags=["security"], fail_level="WARNING")


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("redis://cache:6379/0", "W003"),
        ("redis://127.0.0.1:6379/0", "I004"),
        ("unix:///run/redis.sock", "I004"),
    ],
)
def test_a_redis_without_a_password_is_said(public, address, number):
    public.REDIS_URL = address
    assert ids(checks.cache_is_guarded(None)) == [f"parley.{number}"]


@pytest.mark.parametrize(("processes", "found"), [("1", []), ("3", ["parley.I003"])])
def test_a_cache_in_each_of_several_processes_is_said(public, monkeypatch, processes, found):
    public.REDIS_URL = ""
    monkeypatch.setenv("WEB_CONCURRENCY", processes)
    assert ids(checks.cache_is_guarded(None)) == found


@pytest.mark.parametrize(("mode", "found"), [(0o700, []), (0o755, ["parley.I005"])])
def test_data_that_others_can_read_is_said(settings, tmp_path, mode, found):
    settings.DATA_DIR = tmp_path
    tmp_path.chmod(mode)
    assert ids(checks.data_is_for_its_owner(None)) == found


@pytest.mark.parametrize(
    ("version", "found"), [((3, 51, 2), ["parley.I001"]), ((3, 51, 3), []), ((3, 60, 0), [])]
)
@on_sqlite
def test_an_older_sqlite_is_said(monkeypatch, version, found):
    monkeypatch.setattr(connection.Database, "sqlite_version_info", version)
    assert ids(checks._sqlite_version()) == found


@on_sqlite
def test_the_settings_of_sqlite_are_as_they_should_be(transactional_db):
    assert checks._sqlite_durability() == []


@pytest.mark.parametrize(
    ("pragmas", "found"),
    [
        ({"journal_mode": "delete", "synchronous": 2}, ["parley.W001"]),
        ({"journal_mode": "wal", "synchronous": 1}, ["parley.I002"]),
    ],
)
def test_what_sqlite_does_otherwise_is_said(monkeypatch, pragmas, found):
    monkeypatch.setattr(checks, "_pragma", pragmas.get)
    assert ids(checks._sqlite_durability()) == found


def test_a_database_that_cannot_be_opened_is_no_matter_of_settings(monkeypatch):
    def refuse(name):
        raise OperationalError("unable to open database file")

    monkeypatch.setattr(checks, "_pragma", refuse)
    assert checks._sqlite_durability() == []


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
server:/export /srv nfs4 rw 0 0
/dev/sdb1 /srv/local\\040disk xfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/p.sqlite3", "ext4"),
        ("/srv/p.sqlite3", "nfs4"),
        ("/srv/local disk/p.sqlite3", "xfs"),
        ("/srvx/p.sqlite3", "ext4"),
    ],
)
def test_the_kind_of_a_file_system_is_that_of_the_nearest_mount(tmp_path, path, kind):
    (tmp_path / "mounts").write_text(MOUNTS)
    assert checks.file_system(path, tmp_path / "mounts") == kind


def test_where_nobody_knows_the_kind_nothing_is_said(tmp_path):
    assert checks.file_system("/", tmp_path / "nothing") is None


@pytest.mark.parametrize(("kind", "found"), [("nfs4", ["parley.W002"]), ("ext4", []), (None, [])])
def test_a_database_on_a_network_file_system_is_said(monkeypatch, kind, found):
    monkeypatch.setattr(checks, "file_system", lambda path: kind)
    assert ids(checks._sqlite_place("/srv/p.sqlite3")) == found
