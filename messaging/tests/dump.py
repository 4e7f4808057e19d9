"""The whole database, to be compared with itself later."""

from django.db import connection


def dump():
    """Return all rows of all tables, by table, but what SQLite notes of them for itself."""
    tables = [name for name in connection.introspection.table_names() if "sqlite_" not in name]
    with connection.cursor() as cursor:
        return {table: _rows(cursor, table) for table in tables}


def dump_but_tries():
    """Return the same without what throttles count: a try counts, whatever becomes of it."""
    return {table: rows for table, rows in dump().items() if table != "messaging_throttlecount"}


def _rows(cursor, table):
    cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
    return sorted(map(repr, cursor.fetchall()))


def changes(before, after):
    """Return what went and what came, by table."""
    return {
        table: (set(before[table]) - set(rows), set(rows) - set(before[table]))
        for table, rows in after.items()
        if rows != before[table]
    }
