"""What a page of a thread has on screen, as its hidden fields say with every poll and form.

So what the reader has opened stays open, and the server remembers nothing. The fields travel in the
address of a poll: they are spelt short, and few, however much is open.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.http import int_to_base36

from .paging import PageKey

RUNS = 300  # runs that a page may say it has open
NEW = 200  # messages that it may say are new to its reader
END = 2**62
NUMBERS = re.compile(r"[0-9a-z]{1,12}(\.[0-9a-z]{1,12}){0,2}", re.ASCII)
SEPARATOR = "_"
KEYS = ("first", "last", "before")


class Run(NamedTuple):
    """The replies of `parent` with `after` < id <= `last`."""

    parent: int
    after: int = 0
    last: int = END

    @classmethod
    def parse(cls, word):
        """Read what `__str__` wrote; None for anything else."""
        numbers = _numbers(word)
        return cls(*numbers) if numbers else None

    @property
    def is_whole(self):
        return self == Run(self.parent)

    def covers(self, pk):
        return self.after < pk <= self.last

    def __str__(self):
        numbers = [self.parent, self.after, self.last]
        if self.last == END:
            numbers = numbers[: 1 if self.after == 0 else 2]
        return _spell(numbers)


class Levels(NamedTuple):
    """How far the first levels of a thread are shown.

    All messages less deep than `depth`, up to the id `newest`; and of those of that depth the ones
    up to the id `last`.
    """

    depth: int
    last: int
    newest: int = END

    @classmethod
    def parse(cls, word):
        """Read what `__str__` wrote; None for anything else."""
        numbers = _numbers(word)
        return cls(*numbers) if numbers and len(numbers) == 3 else None

    def run(self, node):
        """Return the run of replies to a message that they hold, or None."""
        if node.depth + 1 < self.depth:
            return Run(node.pk, 0, self.newest)
        return Run(node.pk, 0, self.last) if node.depth + 1 == self.depth else None

    def __str__(self):
        return _spell(self)


@dataclass(frozen=True)
class PageState:
    """The hidden fields of a page.

    `is_branch`: the list begins at the message that the page was opened at. `levels`: how far the
    first levels are shown. `opened`: the runs that are on screen besides. `new`: the ids of what
    was unread when it came there. `first` and `last`: the keys that a page in time order begins and
    ends with, without a last one open at the end; `before`: the key that it is asked to end before.
    """

    is_branch: bool = False
    levels: Levels | None = None
    opened: tuple = ()
    new: tuple = ()
    first: PageKey | None = None
    last: PageKey | None = None
    before: PageKey | None = None

    @classmethod
    def of(cls, rows, **known):
        """Return what is on screen with these rows (see `messaging.tree.Row`)."""
        opened = [run for row in rows for run in row.open]
        new = sorted(row.node.pk for row in rows if row.kind == "message" and row.is_unread)
        return cls(opened=tuple(opened[:RUNS]), new=tuple(new[:NEW]), **known)

    @classmethod
    def parse(cls, fields):
        """Read the fields of a request; what is not as it should be is as if it weren't there."""
        runs = map(Run.parse, _words(fields, "open", RUNS))
        new = map(_numbers, _words(fields, "new", NEW))
        return cls(
            is_branch="branch" in fields,
            levels=Levels.parse(fields.get("levels", "")),
            opened=tuple(run for run in runs if run),
            new=tuple(sorted({numbers[0] for numbers in new if numbers})),
            **{name: PageKey.parse(fields.get(name)) for name in KEYS},
        )

    @property
    def fields(self):
        """The hidden fields that say so, as pairs of name and value."""
        spelt = {
            "branch": "1" if self.is_branch else "",
            "levels": str(self.levels or ""),
            "open": SEPARATOR.join(map(str, self.opened)),
            "new": SEPARATOR.join(map(int_to_base36, self.new)),
            **{name: str(getattr(self, name) or "") for name in KEYS},
        }
        return [(name, value) for name, value in spelt.items() if value]


def _words(fields, name, most):
    return SEPARATOR.join(fields.getlist(name)).split(SEPARATOR)[:most]


def _spell(numbers):
    return ".".join(map(int_to_base36, numbers))


def _numbers(word):
    # Twelve digits at the most: a database takes them all for ids.
    return [int(digits, 36) for digits in word.split(".")] if NUMBERS.fullmatch(word) else []
