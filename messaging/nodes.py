"""Loads the messages of a thread as a list needs them: no text, no person, and in plain SQL.

Half the time that a page takes after an edit would go into having this one query composed and its
rows converted.
"""

from dataclasses import dataclass, field

from django.db import connection

from .models import AccessRecord, Message

COLUMNS = (
    "id",
    "parent_message_id",
    "depth",
    "reply_count",
    "revision",
    "deleted_at",
    "sender_id",
    "read",
)


@dataclass(slots=True)
class Node:
    """A message of the list."""

    pk: int
    parent: int | None
    depth: int
    reply_count: int
    revision: int
    deleted_at: object
    sender_id: int | None
    read: bool
    child_count: int  # tombstones too, which `reply_count` leaves out
    is_accessed: bool = False  # read by the staff
    children: list = field(default_factory=list)

    @property
    def is_deleted(self):
        return self.deleted_at is not None


class Wanted:
    """Which messages of a thread are wanted: all that any of its conditions names.

    Each condition is a select of its own, which an index answers: of one large OR, a database would
    read the whole thread.
    """

    def __init__(self, thread_id):
        self._thread_id = thread_id
        self._table = connection.ops.quote_name(Message._meta.db_table)
        self._looks = connection.ops.quote_name(AccessRecord._meta.db_table)
        self._selects, self._values = [], []

    def add(self, condition, *values):
        self._selects.append(f"SELECT id FROM {self._table} WHERE {condition}")  # noqa: S608
        self._values += values

    def add_each(self, column, values):
        if values := list(values):
            self.add(f"{column} IN ({', '.join(['%s'] * len(values))})", *values)

    def add_first(self, condition, *values, order, number):
        """Add the first `number` of those that the condition names."""
        self.add(condition, *values)
        first = f"{self._selects.pop()} ORDER BY {order} LIMIT {number}"
        self._selects.append(f"SELECT id FROM ({first}) first")  # noqa: S608

    def load(self, limit, order="id"):
        """Return the nodes in this order, not more than `limit`."""
        # The conditions may come from outside: nothing of another thread comes in by them. (By its
        # index, + 0 keeps the database from reading all of this one.)
        sql = f"""
            SELECT {", ".join(COLUMNS)},
                (SELECT COUNT(*) FROM {self._table} c WHERE c.parent_message_id = m.id),
                EXISTS (SELECT 1 FROM {self._looks} a WHERE a.message_id = m.id)
            FROM {self._table} m
            WHERE id IN ({" UNION ALL ".join(self._selects)}) AND thread_id + 0 = %s
            ORDER BY {order} LIMIT {limit}
        """  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(sql, [*self._values, self._thread_id])
            return [Node(*row) for row in cursor.fetchall()]
