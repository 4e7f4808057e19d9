from django.db import OperationalError, connection

# What SQLite says when it can't write now. PostgreSQL's OperationalErrors are all of this kind
# (gone, restarting, deadlock, time-out); SQLite's are also "no such table".
SQLITE_BUSY = ["is locked", "is full", "disk I/O error", "readonly database", "unable to open"]


def is_busy(exception):
    """Tell whether the database will do it later: worth trying again, and nobody's mistake."""
    if not isinstance(exception, OperationalError):
        return False
    if connection.vendor != "sqlite":
        return True
    return any(words in str(exception) for words in SQLITE_BUSY)
