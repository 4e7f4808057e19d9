"""The messages of a thread in the order of time, as a page of it shows them.

A page is a window: it begins with one message and ends with another, or is open at the end, where
new ones arrive. It tells its window with each poll (see `messaging.page_state`), so nothing that is
on screen is taken away when something arrives.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.db.models import Exists, OuterRef, Q

from .models import AccessRecord, Message
from .page_state import NEW, PageState
from .paging import PageKey, newest_first

PAGE = 50  # messages
AROUND = PAGE // 2  # from the message on that a page is opened at, where that is an old one
SHOWN = 200  # messages that one page may ever show
UNREAD = 200  # unread messages that it looks for

COLUMNS = (
    *("pk", "revision", "deleted_at", "sender_id", "read", "timestamp", "parent_message_id"),
    *(f"parent_message__{name}" for name in ("sender_id", "timestamp", "deleted_at")),
    "is_accessed",
)


@dataclass(slots=True)
class FlatRow:
    """A message, and what it replies to: `parent` is the id of that, `is_here` if it is shown.

    `is_first_new` says that all that is new to the reader begins with it.
    """

    pk: int
    revision: int
    deleted_at: datetime | None
    sender_id: int | None
    read: bool
    timestamp: datetime
    parent: int | None
    to: int | None
    parent_at: datetime | None
    parent_deleted_at: datetime | None
    is_accessed: bool  # read by the staff
    is_here: bool = False
    is_unread: bool = False
    is_first_new: bool = False
    kind: ClassVar = "flat"

    @property
    def node(self):
        return self

    @property
    def stamp(self):
        """All that the row shows, in words that a cache key can hold."""
        parent_at = self.parent_at and self.parent_at.isoformat()
        return (
            *(self.kind, self.pk, self.revision, self.is_deleted, self.sender_id, self.is_unread),
            *(self.parent, self.to, parent_at, self.parent_deleted_at is not None),
            *(self.is_accessed, self.is_here, self.is_first_new),
        )

    @property
    def is_deleted(self):
        return self.deleted_at is not None

    @property
    def key(self):
        return PageKey(self.timestamp, self.pk)


class Flat:
    """A page of what `viewer` is shown of the thread of `target`, with the target in sight.

    Gives `rows`, oldest first, none if the thread has just gone; `marker`, the id of the message up
    to which all that is unread is shown, or None; `shown`, the state for polls to send back;
    `older`, the key that the page before this one ends before, or None; `newer`, the id of a
    message whose page goes on behind this one, or None; and `first`, the first message of the
    thread, as (id, timestamp, deleted_at).
    """

    def __init__(self, viewer, target, state):
        self._viewer_pk, self._target, self._state = viewer.pk, target, state
        self._thread = Message.objects.filter(thread_id=target.thread_id).order_by()
        self._unread = self._find_unread()
        first = self._thread.in_time_order().values_list("pk", "timestamp", "deleted_at")
        self.first = first.first()
        self._is_open = True  # at the end: the newest message is on the page
        self.rows = self._load()
        self._mark()

    @property
    def shown(self):
        new = [row.pk for row in self.rows if row.is_unread]
        last = None if self._is_open else self.rows[-1].key
        return PageState(new=tuple(sorted(new)[:NEW]), first=self.rows[0].key, last=last)

    @property
    def older(self):
        (pk, timestamp, _), key = self.first, self.rows[0].key
        return key if PageKey(timestamp, pk) < key else None

    @property
    def newer(self):
        return None if self._is_open else self.rows[-1].pk

    @property
    def marker(self):
        shown = {row.pk for row in self.rows}
        marker = None
        for key in self._unread:
            if key.pk not in shown:
                break
            marker = key.pk
        return marker

    def _find_unread(self):
        unread = self._thread.filter(receiver_id=self._viewer_pk, read=False).not_deleted()
        found = unread.in_time_order().values_list("timestamp", "pk")
        return [PageKey(*key) for key in found[:UNREAD]]

    def _load(self):
        state = self._state
        if state.first:
            return self._load_window(state.first, state.last)
        if state.before and (rows := self._newest(PAGE, before=state.before)):
            self._is_open = False
            return rows
        if self._target.pk == self._target.thread.last_message_id:
            rows = self._newest(PAGE)
        else:
            rows = self._load_around_target()
        return self._reach_unread(rows) if self._is_open else rows

    def _load_around_target(self):
        """Return the newest page if the target is on it, else one with the target in the middle."""
        key = PageKey(self._target.timestamp, self._target.pk)
        onward = _rows(self._thread.filter(_onward_from(key)).in_time_order()[: PAGE + 1])
        self._is_open = len(onward) <= PAGE
        if not self._is_open:
            onward = onward[:AROUND]
        return self._newest(PAGE - len(onward), before=key) + onward

    def _reach_unread(self, rows):
        """Begin with the first unread message where that is earlier, if it isn't too far up."""
        if not (rows and self._unread and self._unread[0] < rows[0].key):
            return rows
        onward = self._thread.filter(_onward_from(self._unread[0]))
        more = self._newest(SHOWN + 1, of=onward)
        return more if len(more) <= SHOWN else rows

    def _load_window(self, first, last):
        """Return what stands in the window by now; with everything in it gone, the newest page."""
        self._is_open = last is None
        inside = self._thread.filter(_onward_from(first))
        if last:
            inside = inside.filter(_up_to(last))
        return self._newest(SHOWN, of=inside) or self._load_newest()

    def _load_newest(self):
        self._is_open = True
        return self._newest(PAGE)

    def _newest(self, limit, *, of=None, before=None):
        found = self._thread if of is None else of
        return _rows(newest_first(found, "timestamp", before=before, limit=limit))[::-1]

    def _mark(self):
        here, new = {row.pk for row in self.rows}, set(self._state.new)
        for row in self.rows:
            row.is_here = row.parent in here
            is_received = row.sender_id != self._viewer_pk and not row.is_deleted
            row.is_unread = is_received and (not row.read or row.pk in new)
        first_new = next((row for row in self.rows if row.is_unread), None)
        if first_new:
            first_new.is_first_new = True


def _rows(message_set):
    accessed = Exists(AccessRecord.objects.filter(message=OuterRef("pk")))
    return [
        FlatRow(*row) for row in message_set.annotate(is_accessed=accessed).values_list(*COLUMNS)
    ]


def _up_to(key):
    same_or_older = Q(timestamp__lte=key.moment)  # lets an index find the place
    return same_or_older & (Q(timestamp__lt=key.moment) | Q(pk__lte=key.pk))


def _onward_from(key):
    same_or_newer = Q(timestamp__gte=key.moment)
    return same_or_newer & (Q(timestamp__gt=key.moment) | Q(pk__gte=key.pk))
