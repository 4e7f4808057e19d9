"""Backups that can be trusted, and restoring them without bringing back what was erased."""

import json
import sqlite3
from contextlib import closing
from io import StringIO
from shutil import which

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection, connections

import site_config
from messaging import fragments
from messaging.models import CacheEpoch, Message
from messaging.tests.dump import dump
from messaging.tests.factories import reply, write
from messaging.tests.ledger import faults
from site_config.accounts import erasures
from site_config.accounts.models import Erasure
from site_config.backups import files, postgresql

User = get_user_model()
# PostgreSQL takes its time to make and drop a database.
the_same_on_both = pytest.mark.skipif(
    connection.vendor == "postgresql", reason="the same on both: tried on SQLite"
)
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor == "postgresql" and not which("pg_dump"), reason="no pg_dump"
    ),
]


@pytest.fixture(autouse=True)
def place(settings, tmp_path):
    """Where backups and the log go: to a directory of this test alone."""
    settings.DATA_DIR = tmp_path
    settings.ERASURE_LOG = tmp_path / "erasures.log"
    return tmp_path / "backups"


@pytest.fixture
def letters(alice, bob):
    first = write(alice, bob, "Of the backup")
    first.content = "Of the backup, edited"
    first.save()
    reply(first, "Answered")


def back_up(place, **options):
    said = StringIO()
    call_command("backup", place, stdout=said, **options)
    return newest(place)


def newest(place):
    return sorted(file for file in place.iterdir() if files.NAME.fullmatch(file.name))[-1]


def restore(file, **options):
    said = StringIO()
    call_command("restore", file, stdout=said, **options)
    return said.getvalue()


def refusal(file, **options):
    """Return the words in which it is refused, after a look at the database: nothing changed."""
    before, epoch = dump(), fragments.epoch()
    with pytest.raises(CommandError) as refused:
        restore(file, **options)
    assert dump() == before
    assert fragments.epoch() == epoch
    return str(refused.value)


def edit_manifest(file, **words):
    note = files.manifest_of(file)
    note.write_text(json.dumps(json.loads(note.read_text()) | words))


# --- Backing up ----------------------------------------------------------------------------------


def test_a_backup_is_for_its_owner_and_says_what_it_is(place, letters):
    file = back_up(place)
    note = files.manifest_of(file)
    assert {path.name for path in place.iterdir()} == {file.name, note.name}
    assert [path.stat().st_mode & 0o777 for path in (place, file, note)] == [0o700, 0o600, 0o600]
    manifest = json.loads(note.read_text())
    assert manifest["sha256"] == files.sha256(file)
    assert manifest["shape"] == connection.vendor
    assert manifest["version"] == site_config.VERSION
    assert manifest["epoch"] == CacheEpoch.objects.get().value
    assert manifest["rows"]["messaging_message"] == 2
    assert "messaging.0001_initial" in manifest["migrations"]


def test_the_version_is_the_one_of_the_project():
    project = (files.Path(site_config.__file__).parents[1] / "pyproject.toml").read_text()
    assert f'\nversion = "{site_config.VERSION}"\n' in project


@the_same_on_both
def test_it_keeps_so_many_and_removes_nothing_that_isnt_its_own(place, letters):
    place.mkdir()
    theirs = [place / name for name in ("notes.txt", "parley-mine.sqlite3", "parley-mine.json")]
    theirs.append(place / "parley-20200101T000000000000Z.sqlite3")  # without a manifest
    for file in theirs:
        file.write_text("mine")
    (place / "parley-20200101T000000000001Z.dump.unfinished").write_text("of a crash")
    made = [back_up(place, keep=2) for _ in range(3)]
    assert [file.exists() for file in made] == [False, True, True]
    assert {path for path in place.iterdir() if not path.name.endswith(".json")} == {
        *made[1:],
        *(file for file in theirs if file.suffix != ".json"),
    }
    assert theirs[2].exists()


@the_same_on_both
def test_two_at_once_are_one_too_many(place, letters):
    with files.directory(place), pytest.raises(CommandError, match="Another backup"):
        back_up(place)


def test_a_damaged_database_makes_no_backup(place, letters):
    if connection.vendor != "sqlite":
        pytest.skip("of SQLite")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.execute("UPDATE messaging_notification SET user_id = 987654")
    with pytest.raises(CommandError, match="rows of the database point to nothing"):
        back_up(place)
    assert list(place.iterdir()) == []
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM messaging_notification")


@pytest.mark.parametrize(
    ("version", "words"), [(None, "not installed"), ("9.6.1", "is of PostgreSQL 9, the server of")]
)
def test_a_pg_dump_that_is_missing_or_too_old_is_told(place, monkeypatch, tmp_path, version, words):
    if connection.vendor != "postgresql":
        pytest.skip("of PostgreSQL")
    if version:
        program = tmp_path / "pg_dump"
        program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}'\n")
        program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CommandError, match=words):
        back_up(place)
    assert list(place.iterdir()) == []


# --- Restoring -----------------------------------------------------------------------------------


def test_what_was_backed_up_comes_back_and_what_came_later_doesnt(place, letters, alice, bob):
    before = dump()
    file = back_up(place)
    lost = write(alice, bob, "Of later")
    said = restore(file)
    after = dump()
    assert {table for table, rows in after.items() if rows != before[table]} == {
        "messaging_cacheepoch"
    }
    assert faults() == []
    assert not Message.objects.filter(pk=lost.pk).exists()
    assert "2 messages of 2 people" in said
    # What was there is a backup like any other: there is a way back from the way back.
    assert newest(place) != file
    restore(newest(place), discard=True)
    assert Message.objects.get(pk=lost.pk).content == "Of later"
    assert len(list(place.glob("*.json"))) == 2


@the_same_on_both
def test_everybody_is_signed_out_and_nothing_cached_is_found(place, letters, alice, signed_in):
    client, epoch = signed_in(alice), fragments.epoch()
    file = back_up(place)
    restore(file, discard=True)
    assert not Session.objects.exists()
    assert client.get("/inbox/").status_code == 302
    assert fragments.epoch() == CacheEpoch.objects.get().value != epoch


@the_same_on_both
def test_a_process_that_was_not_stopped_finds_the_new_epoch_too(letters):
    fragments.epoch()
    CacheEpoch.objects.update(value="another")
    connection.close()
    Message.objects.exists()
    assert fragments.epoch() == "another"


def test_who_left_since_then_stays_away(place, letters, alice, bob, mallory):
    write(bob, mallory, "Not hers")
    pk, file = alice.pk, back_up(place)
    alice.delete()
    said = restore(file)
    assert "erased again: 1" in said
    assert not User.objects.filter(pk=pk).exists()
    assert [message.content for message in Message.objects.all()] == ["Not hers"]
    assert Erasure.objects.get().user_id == pk
    assert faults() == []


@the_same_on_both
def test_on_a_new_machine_the_log_of_the_former_one_says_who_left(place, letters, alice, tmp_path):
    file = back_up(place)
    alice.delete()
    log = (tmp_path / "erasures.log").rename(tmp_path / "of-the-former.log")
    Erasure.objects.all().delete()  # as if the database were lost as well
    assert "no.log" in refusal(file, erasures=[tmp_path / "no.log"])
    assert "erased again: 1" in restore(file, erasures=[log])
    assert not User.objects.filter(username="alice").exists()
    assert [entry.state for entry in erasures.read()] == ["done"]


def test_a_machine_that_shares_the_database_needs_no_log_of_it(place, letters, alice, tmp_path):
    file = back_up(place)
    alice.delete()
    (tmp_path / "erasures.log").unlink()
    assert "erased again: 1" in restore(file)


@the_same_on_both
@pytest.mark.parametrize("state", ["intended", "undone"])
def test_an_intention_counts_unless_it_was_taken_back(place, letters, alice, bob, state):
    file = back_up(place)
    now = erasures._now()
    erasures._append([erasures.Entry(alice.pk, erasures.digest_of(alice), now, state)])
    restore(file)
    assert User.objects.filter(username="alice").exists() == (state == "undone")


# --- Refused -------------------------------------------------------------------------------------


@the_same_on_both
def test_a_truncated_file_a_flipped_byte_and_a_lost_manifest_are_refused(place, letters):
    file = back_up(place)
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    assert "was cut off" in refusal(file)
    middle = len(whole) // 2
    file.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    assert "is damaged" in refusal(file)
    file.write_bytes(whole)
    note = files.manifest_of(file)
    words = note.read_text()
    note.write_text(words[:-40])
    assert "can't be read" in refusal(file)
    note.unlink()
    assert "A backup is two files" in refusal(file)
    note.write_text(words)
    restore(file)


@the_same_on_both
def test_a_newer_release_and_another_kind_of_database_are_refused(place, letters):
    file = back_up(place)
    manifest = json.loads(files.manifest_of(file).read_text())
    newer = [*manifest["migrations"], "messaging.9999_of_next_year"]
    edit_manifest(file, migrations=newer)
    assert "messaging.9999_of_next_year" in refusal(file)
    edit_manifest(file, migrations=manifest["migrations"], shape="oracle")
    assert "a backup of oracle" in refusal(file)
    edit_manifest(file, shape=connection.vendor, format="parley backup 2")
    assert "parley backup 2" in refusal(file)


def test_a_file_that_isnt_what_its_manifest_says_is_refused(place, letters):
    file = back_up(place)
    rows = json.loads(files.manifest_of(file).read_text())["rows"]
    edit_manifest(file, rows=rows | {"messaging_message": 3})
    assert "other rows than its manifest says" in refusal(file)
    file.write_bytes(b"Something else entirely")
    edit_manifest(file, rows=rows, bytes=23, sha256=files.sha256(file))
    assert refusal(file)


@the_same_on_both
def test_a_newer_database_inside_is_refused_whatever_the_manifest_says(place, letters):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('messaging', '9999_of_next_year', CURRENT_TIMESTAMP)"
        )
    file = back_up(place)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE name = '9999_of_next_year'")
    assert "newer release" in refusal(file)


def test_while_anybody_has_the_database_open_nothing_is_restored(place, letters):
    file = back_up(place)
    other = connections.create_connection("default")
    try:
        other.ensure_connection()  # idle: it has nothing to do, and would have, later on
        with other.cursor() as cursor:
            cursor.execute("SELECT COUNT(*) FROM messaging_message")
        assert "in use" in refusal(file)
    finally:
        other.close()
    restore(file)


def test_who_comes_in_the_middle_of_it_loses_nothing(place, letters, monkeypatch):
    """On PostgreSQL nobody can be kept out: so databases don't change places under anybody."""
    if connection.vendor != "postgresql":
        pytest.skip("of PostgreSQL")
    file = back_up(place)
    name, unpack, guests = connection.settings_dict["NAME"], postgresql._create, []

    def enter(*args, **kwargs):
        unpack(*args, **kwargs)
        guests.append(connections.create_connection("default"))
        guests[0].settings_dict["NAME"] = name
        guests[0].ensure_connection()

    monkeypatch.setattr(postgresql, "_create", enter)
    try:
        assert "in use" in refusal(file)
    finally:
        guests[0].close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{name}\\_%"])
        assert not [row for row in cursor.fetchall() if row[0].endswith(("_restoring", "_former"))]


# --- SQLite's own ---------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(tmp_path, settings):
    """A database file of this test, that may come to harm."""
    if connection.vendor != "sqlite":
        pytest.skip("of SQLite")
    own, path = connection.settings_dict["NAME"], tmp_path / "elsewhere.sqlite3"

    def use(name):
        connection.close()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name

    yield lambda: use(path) or path
    use(own)


def test_into_an_empty_directory(place, letters, elsewhere):
    file = back_up(place)
    path = elsewhere()
    restore(file)
    assert Message.objects.count() == 2
    assert (path.stat().st_mode & 0o777) == 0o600
    assert not list(path.parent.glob("*.restoring*"))


def test_a_log_of_the_former_database_is_not_read_into_the_new_one(place, letters, elsewhere):
    file = back_up(place)
    path = elsewhere()
    restore(file)
    with closing(sqlite3.connect(path)) as writer:
        writer.execute("PRAGMA journal_mode=WAL")
        writer.execute("UPDATE messaging_message SET content = 'Left in the log'")
        writer.commit()
        # As after a kill: the log is still there when its database is replaced.
        kept = [(end, path.with_name(path.name + end).read_bytes()) for end in ("-wal", "-shm")]
        connection.close()
    for end, content in kept:
        path.with_name(path.name + end).write_bytes(content)
    restore(file, discard=True)
    assert not Message.objects.filter(content="Left in the log").exists()
    assert Message.objects.count() == 2


def test_a_damaged_database_goes_only_if_somebody_says_so(place, letters, elsewhere):
    file = back_up(place)
    path = elsewhere()
    path.write_bytes(b"This was a database once." * 400)
    with pytest.raises(CommandError, match="--discard"):
        restore(file)
    assert path.read_bytes().startswith(b"This was a database once.")
    restore(file, discard=True)
    assert Message.objects.count() == 2
