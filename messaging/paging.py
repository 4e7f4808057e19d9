"""Pages of long lists, by key and never by offset: the thousandth costs what the first one does."""

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db.models import Q
from django.utils.functional import cached_property

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
SHAPE = re.compile(r"([0-9a-f]{1,14})-([0-9a-f]{1,15})", re.ASCII)


class PageKey(NamedTuple):
    """The place in a list, newest first, that a page starts behind."""

    moment: datetime
    pk: int

    @classmethod
    def parse(cls, word):
        """Return the key that `word` spells; None, which is the first page, if it spells none."""
        match = SHAPE.fullmatch(word or "")
        try:
            moment, pk = (int(digits, 16) for digits in match.groups())
            return cls(EPOCH + moment * MICROSECOND, pk)
        except (AttributeError, OverflowError):
            return None

    def __str__(self):
        return f"{(self.moment - EPOCH) // MICROSECOND:x}-{self.pk:x}"

    def behind(self, moment_field):
        """Return the condition on rows that come after this place."""
        same_or_older = Q((f"{moment_field}__lte", self.moment))  # lets an index find the place
        older = Q((f"{moment_field}__lt", self.moment))
        return same_or_older & (older | Q(pk__lt=self.pk))


def newest_first(queryset, moment_field, *, before, limit):
    """Return the `limit` newest rows of `queryset`, of those behind the key `before` if given."""
    if before is not None:
        queryset = queryset.filter(before.behind(moment_field))
    return queryset.order_by(f"-{moment_field}", "-pk")[:limit]


class Page:
    """One page of a list, newest first; nothing is loaded before something is asked of it.

    `load(limit)` returns that many rows at most.
    """

    def __init__(self, load, moment_field, *, size):
        self._load, self._moment_field, self._size = load, moment_field, size

    @cached_property
    def _found(self):
        return list(self._load(self._size + 1))

    @property
    def row_list(self):
        return self._found[: self._size]

    @property
    def next_key(self):
        """What `?before=` says for the page behind this one; None if this is the last."""
        if len(self._found) <= self._size:
            return None
        last = self.row_list[-1]
        return str(PageKey(getattr(last, self._moment_field), last.pk))
