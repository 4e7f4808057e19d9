"""What a database knows of its tables: it chooses the index that it goes by after that."""

from django.db import connection

LOOKED_AT = 1_000  # rows of an index of SQLite: all of them would hold up who writes


def analyze():
    """Let the database look anew at what its tables hold.

    A page needs none of it. What looks at all rows does: SQLite, which is never told, took minutes
    for what takes seconds.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA analysis_limit = {LOOKED_AT}")
        # Not all tables there are: PostgreSQL's own may be held by who makes a database elsewhere.
        for table in connection.introspection.django_table_names(only_existing=True):
            cursor.execute(f"ANALYZE {connection.ops.quote_name(table)}")
