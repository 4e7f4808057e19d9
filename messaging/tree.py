"""Which messages of a thread a page shows, as one flat depth-first list.

A page never loads a whole thread. It loads the first levels (breadth first, SHOWN messages at the
most), the branches that lead to the target or to something unread, and those that the reader has
opened: two queries, whatever the size.

The replies of a message that are on screen form runs: ranges of ids in which every reply is shown.
The page carries its runs as hidden fields named `open`, and each poll sends them back. So what the
reader has opened stays open, and the server remembers nothing.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import connection
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from .models import Message

OPEN_LEVELS = 3  # replies to messages less deep than this are shown from the start
DEEPEST_LEVEL = 8  # what hangs below is a page of its own
CONTEXT = 4  # levels above the target, where the target lies too deep to begin at the first message
SHOWN = 200  # messages that a page shows before it says "more"
PAGE = 50  # replies that one expansion shows
UNREAD = 200  # unread messages that a page opens branches for
RUNS = 80  # runs that a poll may send back
LOADED = 2000  # messages that one page may ever load
END = 2**62


class Run(NamedTuple):
    """The replies of `parent` with `after` < id <= `last`."""

    parent: int
    after: int = 0
    last: int = END

    @classmethod
    def parse(cls, word):
        """Read what `__str__` wrote; None for anything else."""
        numbers = word.split(".")
        if len(word) > 80 or len(numbers) not in (1, 3):
            return None
        if not all(number.isascii() and number.isdigit() for number in numbers):
            return None
        run = cls(*map(int, numbers))
        return run if max(run) <= END else None

    @property
    def is_whole(self):
        return self == Run(self.parent)

    def __str__(self):
        return str(self.parent) if self.is_whole else ".".join(map(str, self))


class Path(NamedTuple):
    """A message on the way from the first one to the target, or to something unread."""

    parent: int | None
    reply_count: int
    is_unread: bool


@dataclass(slots=True)
class Node:
    """A message as the list needs it: no text, no person."""

    pk: int
    parent: int | None
    depth: int
    reply_count: int
    revision: int
    deleted_at: object
    sender_id: int | None
    read: bool
    child_count: int  # tombstones too, which `reply_count` leaves out
    children: list = field(default_factory=list)

    COLUMNS = (
        "pk",
        "parent_message_id",
        "depth",
        "reply_count",
        "revision",
        "deleted_at",
        "sender_id",
        "read",
        "child_count",
    )

    @property
    def is_deleted(self):
        return self.deleted_at is not None


@dataclass(slots=True)
class Row:
    """One line of the list.

    `kind` is "message"; "more", for replies to `node` that can be expanded in place (`count` of
    them, None if that is unknown, with ids between `after` and `before`); or "continue", for
    replies to `node` that are a page of their own.
    """

    kind: str
    node: Node
    level: int
    is_unread: bool = False
    open: tuple = ()  # the runs for polls to send back
    count: int | None = None
    after: int = 0
    before: int = 0


class Tree:
    """What `viewer` is shown of the thread of `target`, with the target in sight.

    With `is_branch` the list begins at the target instead of the first message. `opened` are the
    runs that the reader has on screen, `new` the ids of messages that were unread when they came
    there. Gives `rows`; `top`, the node that the list begins with; and `marker`, the id of the
    message up to which all that is unread is shown, or None.
    """

    def __init__(self, viewer, target, *, is_branch=False, opened=(), new=()):
        self._viewer, self._target, self._new = viewer, target, set(new)
        self._paths = _find_paths(viewer, target)
        self._unread = [pk for pk, path in self._paths.items() if path.is_unread]
        self._top = target.pk if is_branch else self._choose_top()
        self._runs = self._choose_runs(list(opened)[:RUNS])
        self._nodes = self._load()
        self._add_first_levels()
        self._join_children()
        self.top = self._nodes[self._top]
        self.rows = list(self._flatten())
        self._mark_hidden_unread()

    @property
    def nodes(self):
        return [row.node for row in self.rows if row.kind == "message"]

    @property
    def marker(self):
        shown = {node.pk for node in self.nodes}
        marker = None
        for pk in self._unread:
            if pk not in shown:
                break
            marker = pk
        return marker

    def _line(self, pk):
        """From a message up to the first one."""
        while pk is not None:
            yield pk
            pk = self._paths[pk].parent

    def _choose_top(self):
        line = list(self._line(self._target.pk))
        return line[-1] if self._target.depth < DEEPEST_LEVEL else line[CONTEXT]

    def _choose_runs(self, opened):
        """Return the runs to load besides the first levels, by parent.

        What the reader has opened comes first, then the way to the target, then to the unread.
        """
        runs = {}
        for run in opened:
            runs.setdefault(run.parent, []).append(run)
        children = {self._target.pk: 0}
        for pk in [self._target.pk, *self._unread]:
            for child in self._line(pk):
                children.setdefault(self._paths[child].parent, child)
        children.pop(None, None)
        for parent, child in children.items():
            if parent not in runs:
                # Of many replies only those from the child on; how far, the load will say.
                is_small = self._paths[parent].reply_count <= PAGE
                runs[parent] = [Run(parent) if is_small else Run(parent, max(child - 1, 0), 0)]
        return runs

    def _load(self):
        wanted = Q(pk__in=[*self._paths, self._top], thread=self._target.thread_id)
        if self._begins_at_first:
            wanted |= Q(pk__in=_first_levels(self._target.thread_id))
        runs = [run for runs in self._runs.values() for run in runs]
        wanted |= Q(parent_message__in=[run.parent for run in runs if run.is_whole])
        for run in runs:
            if run.last == 0:
                wanted |= Q(pk__in=_replies(run).values("pk")[:PAGE])
            elif not run.is_whole:
                wanted |= Q(parent_message=run.parent, pk__gt=run.after, pk__lte=run.last)
        # The runs came from outside: nothing of another thread may come in by them.
        found = Message.objects.filter(wanted).order_by("pk")
        found = _with_columns(found, thread=self._target.thread_id)
        return {values[0]: Node(*values) for values in found[:LOADED]}

    @property
    def _begins_at_first(self):
        return self._paths[self._top].parent is None

    def _add_first_levels(self):
        if not self._begins_at_first:
            return
        shallow = [node for node in self._nodes.values() if node.depth <= OPEN_LEVELS]
        shallow.sort(key=lambda node: (node.depth, node.pk))
        shallow = shallow[:SHOWN]
        is_cut = len(shallow) == SHOWN
        cut = shallow[-1]
        for node in shallow:
            if node.depth >= OPEN_LEVELS or not node.child_count:
                continue
            if not is_cut or node.depth + 1 < cut.depth:
                self._runs.setdefault(node.pk, []).append(Run(node.pk))
            elif node.depth + 1 == cut.depth:
                self._runs.setdefault(node.pk, []).append(Run(node.pk, 0, cut.pk))

    def _join_children(self):
        for pk in sorted(self._nodes):
            node = self._nodes[pk]
            if parent := self._nodes.get(node.parent):
                parent.children.append(node)
        for pk, runs in self._runs.items():
            if pk in self._nodes:
                self._runs[pk] = _merge(_measure(run, self._nodes[pk].children) for run in runs)

    def _flatten(self):
        stack = [Row("message", self.top, 0)]
        while stack:
            row = stack.pop()
            if row.kind != "message":
                yield row
                continue
            below = self._below(row.node, row.level)
            row.is_unread = _is_unread(row.node, self._viewer, self._new)
            if below:
                row.open = self._to_send_back(row.node)
                stack.extend(reversed(below))
            yield row

    def _below(self, node, level):
        if not node.child_count:
            return []
        if level >= DEEPEST_LEVEL:
            return [Row("continue", node, level)]
        runs = self._runs.get(node.pk, [])
        return list(_replies_and_gaps(node, runs, level + 1))

    def _to_send_back(self, node):
        runs = self._runs.get(node.pk, [])
        is_default = self._begins_at_first and node.depth < OPEN_LEVELS
        if is_default and len(runs) == 1 and runs[0].is_whole:
            return ()
        return tuple(runs)

    def _mark_hidden_unread(self):
        shown = {node.pk for node in self.nodes}
        on_the_way = {parent for pk in self._unread if pk not in shown for parent in self._line(pk)}
        for row in self.rows:
            if row.kind != "message":
                row.is_unread = row.node.pk in on_the_way


def expand(viewer, parent, *, after=0, before=0, level=0):
    """Return the rows for one expansion: replies to `parent`, which stands at `level`.

    With `after`, the PAGE replies that follow that id (and come before `before`); with `before`
    alone, the PAGE replies that come last before it.
    """
    replies = Message.objects.filter(parent_message=parent.pk, pk__gt=after)
    if before:
        replies = replies.filter(pk__lt=before)
    is_backward = bool(before and not after)
    replies = replies.order_by("-pk" if is_backward else "pk")
    found = _with_columns(replies, thread=parent.thread_id)
    nodes = [Node(*values) for values in found[: PAGE + 1]]
    is_cut, nodes = len(nodes) > PAGE, nodes[:PAGE]
    if not nodes:
        return []
    if is_backward:
        nodes.reverse()
        run = Run(parent.pk, nodes[0].pk - 1 if is_cut else 0, before - 1)
    else:
        run = Run(parent.pk, after, nodes[-1].pk if is_cut else (before - 1 if before else END))
    node = Node(parent.pk, None, parent.depth, 0, 0, None, None, True, 0)
    rows = []
    if is_backward and is_cut:
        rows.append(Row("more", node, level + 1, before=nodes[0].pk))
    for child in nodes:
        rows.append(Row("message", child, level + 1, is_unread=_is_unread(child, viewer)))
        if child.child_count:
            is_deepest = level + 1 >= DEEPEST_LEVEL
            rows.append(
                Row("continue", child, level + 1)
                if is_deepest
                else Row("more", child, level + 2, count=child.reply_count or None)
            )
    if is_cut and not is_backward:
        rows.append(Row("more", node, level + 1, after=nodes[-1].pk, before=before))
    rows[is_backward and is_cut].open = (run,)
    return rows


def _find_paths(viewer, target):
    """Return the messages from the first one to the target, and to what is unread, by id.

    The unread ones stand in time order, oldest first. (Django can't spell a recursive query.)
    """
    table = connection.ops.quote_name(Message._meta.db_table)
    columns = "id, parent_message_id, reply_count, is_unread, at"
    sql = f"""
        WITH RECURSIVE unread AS (
            SELECT id, parent_message_id, reply_count, 1 AS is_unread, timestamp AS at
            FROM {table}
            WHERE receiver_id = %s AND thread_id = %s AND NOT read AND deleted_at IS NULL
            ORDER BY timestamp, id LIMIT {UNREAD}
        ), path ({columns}) AS (
            SELECT {columns} FROM unread
            UNION
            SELECT id, parent_message_id, reply_count, 0, timestamp FROM {table} WHERE id = %s
            UNION
            SELECT m.id, m.parent_message_id, m.reply_count, 0, m.timestamp
            FROM {table} m JOIN path ON m.id = path.parent_message_id
        )
        SELECT {columns} FROM path ORDER BY at, id, is_unread
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [viewer.pk, target.thread_id, target.pk])
        return {pk: Path(up, count, bool(new)) for pk, up, count, new, _ in cursor.fetchall()}


def _first_levels(thread_id):
    levels = Message.objects.filter(thread_id=thread_id, depth__lte=OPEN_LEVELS)
    return levels.order_by("depth", "pk").values("pk")[:SHOWN]


def _replies(run):
    return Message.objects.filter(parent_message=run.parent, pk__gt=run.after).order_by("pk")


def _with_columns(message_set, *, thread):
    below = Message.objects.filter(parent_message=OuterRef("pk")).order_by()
    below = below.values("parent_message").annotate(number=Count("pk")).values("number")
    return (
        message_set.filter(thread=thread)
        .annotate(child_count=Coalesce(Subquery(below), 0))
        .values_list(*Node.COLUMNS)
    )


def _measure(run, children):
    """Give a run that was loaded from its beginning on the end that the load has found."""
    if run.last:
        return run
    found = [child.pk for child in children if child.pk > run.after][:PAGE]
    return run._replace(last=found[-1] if len(found) == PAGE else END)


def _merge(runs):
    merged = []
    for run in sorted(runs):
        if merged and run.after <= merged[-1].last:
            last = merged.pop()
            run = last._replace(last=max(last.last, run.last))
        merged.append(run)
    return merged


def _replies_and_gaps(node, runs, level):
    """Yield the replies to `node` in its runs, and a row for each gap where some are hidden."""
    shown = [[c for c in node.children if run.after < c.pk <= run.last] for run in runs]
    runs = [run for run, children in zip(runs, shown, strict=True) if children]
    shown = [children for children in shown if children]
    live = sum(not child.is_deleted for children in shown for child in children)
    if node.child_count <= sum(map(len, shown)):
        yield from (Row("message", child, level) for children in shown for child in children)
        return
    gaps = len(runs) + 1
    if runs and not runs[0].after:
        gaps -= 1
    if runs and runs[-1].last == END:
        gaps -= 1
    count = max(node.reply_count - live, 0) or None if gaps == 1 else None
    after = 0
    for run, children in zip(runs, shown, strict=True):
        if run.after:
            yield Row("more", node, level, count=count, after=after, before=children[0].pk)
        yield from (Row("message", child, level) for child in children)
        after = children[-1].pk
    if not runs or runs[-1].last < END:
        yield Row("more", node, level, count=count, after=after)


def _is_unread(node, viewer, new=()):
    is_received = node.sender_id != viewer.pk and not node.is_deleted
    return is_received and (not node.read or node.pk in new)
