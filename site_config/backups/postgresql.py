"""How a database of PostgreSQL is copied while it is in use, and put back when it is not."""

import os
import re
import shutil
import subprocess
from contextlib import contextmanager, suppress

import psycopg
from django.conf import settings
from django.db import Error, ProgrammingError, connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from messaging.models import CacheEpoch

from .files import Refusal

SUFFIX = "dump"
IN_USE = (
    "The database is in use by {number} other connections: stop the site, on every machine, and "
    "whatever else is connected. Nothing was changed."
)


@contextmanager
def snapshot(live=None):
    """Give the means to copy the database as it is at one moment; nobody has to wait for it."""
    pg_dump = _program("pg_dump")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        cursor.execute("SELECT pg_export_snapshot()")
        moment = cursor.fetchone()[0]

        def copy(target):
            words = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={moment}"]
            _run(pg_dump, *words, f"--file={target}", *_where(), _name())
            _run(_program("pg_restore"), f"--file={os.devnull}", target)  # reads all of it
            return facts()

        yield copy


def facts():
    """Return how many rows each table has, which migrations were applied, and the epoch."""
    quote, rows = connection.ops.quote_name, {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT COUNT(*) FROM {quote(table)}")  # noqa: S608
            rows[table] = cursor.fetchone()[0]
    applied = MigrationRecorder(connection).applied_migrations()
    return {
        "rows": rows,
        "migrations": sorted(".".join(key) for key in applied),
        "epoch": CacheEpoch.objects.values_list("value", flat=True).first(),
    }


# --- The way back --------------------------------------------------------------------------------


def is_there():
    return True  # or whoever asks it is told otherwise


@contextmanager
def alone():
    """Make sure that nobody else is connected; give the name of the database, None if none is.

    Raises Refusal otherwise. Who connects after this is met by the swap, which then does nothing.
    """
    _disconnect()
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_name()])
        if not cursor.fetchone():
            yield None
            return
        _check_alone(cursor)
    yield _name()
    _disconnect()


def _check_alone(cursor):
    cursor.execute(
        "SELECT COUNT(*) FROM pg_stat_activity"
        " WHERE datname = %s AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
        [_name()],
    )
    if number := cursor.fetchone()[0]:
        raise Refusal(IN_USE.format(number=number))


def is_damaged(live):
    return False  # PostgreSQL says so itself, when it is asked


def is_empty(live):
    return live is None or not connection.introspection.table_names()


@contextmanager
def unpacked(file):
    """Put a backup into a database beside the site's own, and let Django speak to that one."""
    name, scratch, pg_restore = _name(), f"{_name()}_restoring", _program("pg_restore")
    _disconnect()
    try:
        _create(scratch, like=name)
        words = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
        _run(pg_restore, *words, *_where(), f"--dbname={scratch}", file)
        _use(scratch)
        yield lambda live: _put_in_place(scratch, name, live)
    finally:
        _use(name)
        _drop(scratch)


def _create(scratch, like):
    _drop(scratch)
    quote = connection.ops.quote_name
    with connection._nodb_cursor() as cursor:
        cursor.execute(
            "SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database"
            " WHERE datname IN (%s, 'template0') ORDER BY datname = 'template0' LIMIT 1",
            [like],
        )
        encoding, collate, ctype = (word.replace("'", "''") for word in cursor.fetchone())
        try:
            cursor.execute(
                f"CREATE DATABASE {quote(scratch)} TEMPLATE template0 ENCODING '{encoding}'"
                f" LC_COLLATE '{collate}' LC_CTYPE '{ctype}'"
            )
        except ProgrammingError as error:
            raise Refusal(
                "A backup is first put into a database of its own, which this role may not make: "
                f'as the administrator of the server, say ALTER ROLE "{_role()}" CREATEDB.'
            ) from error


def _put_in_place(scratch, name, live):
    """Let the databases change their names, in one transaction, and drop the former one."""
    quote, former = connection.ops.quote_name, f"{name}_former"
    _disconnect()
    _drop(former)
    with connection._nodb_cursor() as cursor:
        try:
            cursor.execute("BEGIN")
            if live is not None:
                cursor.execute(f"ALTER DATABASE {quote(name)} RENAME TO {quote(former)}")
            cursor.execute(f"ALTER DATABASE {quote(scratch)} RENAME TO {quote(name)}")
            cursor.execute("COMMIT")
        except Error as error:
            with suppress(Error):
                cursor.execute("ROLLBACK")
            if isinstance(error.__cause__, psycopg.errors.ObjectInUse):
                raise Refusal(IN_USE.format(number="some")) from error
            raise Refusal(f"The databases can't change places: {error}") from error
    _drop(former)


def _drop(name):
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(name)}")


def _use(name):
    _disconnect()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def _disconnect():
    connection.close()
    connection.close_pool()


# --- PostgreSQL's own programs -------------------------------------------------------------------


def _program(name):
    """Return where the program is; Refusal if it is missing, or older than the server."""
    path = shutil.which(name)
    if not path:
        raise Refusal(
            f"{name} is not installed on this machine: it comes with PostgreSQL's client programs "
            "(on Debian: apt-get install postgresql-client)."
        )
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    found = int(re.search(r"\) (\d+)", said)[1])
    with connection._nodb_cursor() as cursor:
        server = cursor.connection.info.server_version // 10_000
    if found < server:
        raise Refusal(
            f"{name} is of PostgreSQL {found}, the server of {server}: install "
            f"postgresql-client-{server} (apt.postgresql.org has every version)."
        )
    return path


def _run(program, *words):
    _, environment = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    done = subprocess.run(  # noqa: S603
        [program, *map(str, words)],
        env=os.environ | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        raise Refusal(f"It failed: {said[0]}")


def _where():
    """Return the words that lead PostgreSQL's programs to the server, without the password."""
    words, _ = connection.client.settings_to_cmd_args_env(connection.settings_dict, [])
    return [*words[1:-1], "--no-password"]


def _role():
    return connection.settings_dict["USER"] or os.environ.get("USER", "")


def _name():
    return connection.settings_dict["NAME"]
