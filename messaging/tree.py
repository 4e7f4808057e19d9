"""Which messages of a thread a page shows, as one flat depth-first list.

A page never loads a whole thread. It loads the first levels (breadth first, SHOWN messages at the
most), the branches that lead to the target or to something unread, and those that the reader has
opened: two queries, whatever the size.

The replies of a message that are on screen form runs: ranges of ids in which every reply is shown.
The page tells what it shows with each poll (see `messaging.page_state`), and nothing of that is
taken away again.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from django.db import connection

from .models import Message
from .nodes import Node, Wanted
from .page_state import END, Levels, PageState, Run

OPEN_LEVELS = 3  # replies to messages less deep than this are shown from the start
DEEPEST_LEVEL = 8  # what hangs below is a page of its own
CONTEXT = 4  # levels above the target, where the target lies too deep to begin at the first message
SHOWN = 200  # messages that a page shows before it says "more"
PAGE = 50  # replies that one expansion shows
UNREAD = 200  # unread messages that a page opens branches for
OPENED = 200  # branches that it opens for them at the most ...
OPENED_ROWS = 800  # ... with so many replies; of further branches it shows the unread alone
LOADED = 4000  # messages that one page may ever load


class Path(NamedTuple):
    """A message on the way from the first one to the target, or to something unread."""

    parent: int | None
    reply_count: int
    is_unread: bool


@dataclass(slots=True)
class Row:
    """One line of the list.

    `kind` is "message", a reply to something of the person `to`; "more", for replies to `node` that
    can be expanded in place (`count` of them, None if that is unknown, with ids between `after` and
    `before`); or "continue", for replies to `node` that are a page of their own.
    """

    kind: str
    node: Node
    level: int
    to: int | None = None
    is_unread: bool = False
    is_branch: bool = False  # the rows below hang on it
    open: tuple = ()  # the runs for polls to send back
    count: int | None = None
    after: int = 0
    before: int = 0


class Tree:
    """What `viewer` is shown of the thread of `target`, with the target in sight.

    `state` is what the reader has on screen already. Gives `rows`; `top`, the node that the list
    begins with; `marker`, the id of the message up to which all that is unread is shown, or None;
    and `levels`, how far the first levels are shown, or None where the list doesn't begin at the
    first message. Raises Message.DoesNotExist if the target has just gone.
    """

    def __init__(self, viewer, target, state=None):
        # The id, once: to ask a lazy user for it takes longer than all else about a row.
        self._viewer_pk, self._target, self._state = viewer.pk, target, state or PageState()
        self._new = set(self._state.new)
        self._paths = _find_paths(self._viewer_pk, target)
        if target.pk not in self._paths:
            raise Message.DoesNotExist
        self._unread = [pk for pk, path in self._paths.items() if path.is_unread]
        self._top = target.pk if self._state.is_branch else self._choose_top()
        self._lines = {None: (), self._top: (self._top,)}
        self._on_the_way = {pk for end in [target.pk, *self._unread] for pk in self._line(end)}
        self._runs = self._choose_runs()
        self._nodes, self._last_loaded = self._load()
        if self._top not in self._nodes:
            raise Message.DoesNotExist
        self.levels = self._levels = None
        if self._begins_at_first:
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

    @property
    def _begins_at_first(self):
        return self._paths[self._top].parent is None

    def _choose_top(self):
        line, pk = [], self._target.pk
        while pk is not None:
            line.append(pk)
            pk = self._paths[pk].parent
        return line[-1] if self._target.depth < DEEPEST_LEVEL else line[CONTEXT]

    def _line(self, pk):
        """Return the way from the top down to a message, as far as a list goes; () if elsewhere."""
        climbed = []
        while pk not in self._lines:
            climbed.append(pk)
            pk = self._paths[pk].parent
        line = self._lines[pk]
        for child in reversed(climbed):
            line = self._lines[child] = (*line, child)[: DEEPEST_LEVEL + 1] if line else ()
        return line

    def _choose_runs(self):
        """Return the runs to load besides the first levels, by parent.

        What the reader has opened comes first, then the way to the target and its first replies,
        then the ways to what is unread.
        """
        runs = {}
        for run in self._state.opened:
            runs.setdefault(run.parent, []).append(run)
        for parent, child in [*pairwise(self._line(self._target.pk)), (self._target.pk, 0)]:
            self._open_way(runs, parent, child)
        number, rows = sum(map(len, runs.values())), 0
        for parent, child in (way for pk in self._unread for way in pairwise(self._line(pk))):
            if number < OPENED and self._open_way(runs, parent, child, alone=rows > OPENED_ROWS):
                number += 1
                rows += min(self._paths[parent].reply_count, PAGE)
        return runs

    def _open_way(self, runs, parent, child, *, alone=False):
        """Add a run that shows a reply, or whatever comes first with 0; say whether one was added.

        Of few replies it shows all, of many only some from this one on, or this one `alone`.
        """
        known = runs.setdefault(parent, [])
        if any(not child or run.covers(child) or not run.last for run in known):
            return False
        if alone:
            known.append(Run(parent, child - 1, child))
        elif self._paths[parent].reply_count <= PAGE:
            known.append(Run(parent))
        else:
            known.append(Run(parent, max(child - 1, 0), 0))  # how far, the load will say
        return True

    def _load(self):
        """Return the nodes by id, and the id of the last one where there were too many."""
        found = self._wanted().load(LOADED)
        last = found[-1].pk if len(found) == LOADED else END
        if missing := {self._top, *self._on_the_way} - {node.pk for node in found}:
            ways = Wanted(self._target.thread_id)
            ways.add_each("id", missing)
            found += ways.load(len(missing))
        return {node.pk: node for node in found}, last

    def _wanted(self):
        wanted = Wanted(self._target.thread_id)
        wanted.add_each("id", {self._top, *self._on_the_way})
        if self._begins_at_first:
            self._want_first_levels(wanted)
        runs = [run for runs in self._runs.values() for run in runs]
        wanted.add_each("parent_message_id", [run.parent for run in runs if run.is_whole])
        for run in runs:
            behind = "parent_message_id = %s AND id > %s", run.parent, run.after
            if run.last == 0:
                wanted.add_first(*behind, order="id", number=PAGE)
            elif not run.is_whole:
                wanted.add(f"{behind[0]} AND id <= %s", *behind[1:], run.last)
        return wanted

    def _want_first_levels(self, wanted):
        levels, thread_id = self._state.levels, self._target.thread_id
        shallow = "thread_id = %s AND depth <= %s", thread_id, OPEN_LEVELS
        wanted.add_first(*shallow, order="depth, id", number=SHOWN)
        if levels:
            here, less_deep = "thread_id = %s AND depth", min(levels.depth, OPEN_LEVELS + 1)
            wanted.add(f"{here} < %s AND id <= %s", thread_id, less_deep, levels.newest)
            depth = min(levels.depth, OPEN_LEVELS)
            wanted.add(f"{here} = %s AND id <= %s", thread_id, depth, levels.last)

    def _add_first_levels(self):
        shallow = [node for node in self._nodes.values() if node.depth <= OPEN_LEVELS]
        shallow.sort(key=lambda node: (node.depth, node.pk))
        if self._last_loaded < END:  # who knows whether these are the first ones
            self._levels = self._state.levels or Levels(0, 0)
        elif len(shallow) < SHOWN:
            self._levels = Levels(OPEN_LEVELS + 1, 0)
        elif self._state.levels:
            self._levels = self._state.levels
        else:
            self._levels = Levels(shallow[SHOWN - 1].depth, shallow[SHOWN - 1].pk)
        newest = max(node.pk for node in shallow)
        self.levels = self._levels._replace(newest=min(newest, self._levels.newest))
        for node in shallow:
            if node.child_count and node.depth < OPEN_LEVELS and (run := self._levels.run(node)):
                self._runs.setdefault(node.pk, []).append(run)

    def _join_children(self):
        for pk in sorted(self._nodes):
            node = self._nodes[pk]
            if parent := self._nodes.get(node.parent):
                parent.children.append(node)
        for pk, runs in self._runs.items():
            if pk in self._nodes:
                self._runs[pk] = self._as_loaded(runs, self._nodes[pk].children)

    def _as_loaded(self, runs, children):
        runs = _merge(_measure(run, children) for run in runs)
        last = self._last_loaded
        if last == END:
            return runs
        runs = [run._replace(last=min(run.last, last)) for run in runs if run.after < last]
        way = [child for child in children if child.pk > last]
        return runs + [Run(child.parent, child.pk - 1, child.pk) for child in way]

    def _flatten(self):
        stack = [Row("message", self.top, 0)]
        while stack:
            row = stack.pop()
            if row.kind != "message":
                yield row
                continue
            below = self._below(row.node, row.level)
            row.is_unread = _is_unread(row.node, self._viewer_pk, self._new)
            if below:
                row.is_branch = below[0].level > row.level
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
        by_itself = self._levels and node.depth < OPEN_LEVELS and self._levels.run(node)
        return () if runs == [by_itself] else tuple(runs)

    def _mark_hidden_unread(self):
        shown = {node.pk for node in self.nodes}
        on_the_way = {way for pk in self._unread if pk not in shown for way in self._line(pk)}
        for row in self.rows:
            if row.kind != "message":
                row.is_unread = row.node.pk in on_the_way


def expand(viewer, parent, *, after=0, before=0, level=0):
    """Return the rows for one expansion: replies to `parent`, which stands at `level`.

    With `after`, the PAGE replies that follow that id (and come before `before`); with `before`
    alone, the PAGE replies that come last before it.
    """
    is_backward = bool(before and not after)
    order = "id DESC" if is_backward else "id"
    wanted, inside = Wanted(parent.thread_id), "parent_message_id = %s AND id > %s AND id < %s"
    wanted.add_first(inside, parent.pk, after, before or END, order=order, number=PAGE + 1)
    nodes = wanted.load(PAGE + 1, order=order)
    is_cut, nodes = len(nodes) > PAGE, nodes[:PAGE]
    if not nodes:
        return []
    if is_backward:
        nodes.reverse()
        run = Run(parent.pk, nodes[0].pk - 1 if is_cut else 0, before - 1)
    else:
        run = Run(parent.pk, after, nodes[-1].pk if is_cut else (before - 1 if before else END))
    node = Node(parent.pk, None, parent.depth, 0, 0, None, parent.sender_id, True, 0)
    rows = []
    if is_backward and is_cut:
        rows.append(Row("more", node, level + 1, before=nodes[0].pk))
    for child in nodes:
        row = _reply(node, child, level + 1)
        row.is_unread = _is_unread(child, viewer.pk)
        rows.append(row)
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


def _find_paths(viewer_pk, target):
    """Return the messages from the first one to the target, and to what is unread, by id.

    The unread ones stand in time order, oldest first. (Django can't spell a recursive query.)
    """
    table = connection.ops.quote_name(Message._meta.db_table)
    columns = "id, parent_message_id, reply_count, is_unread, at"

    def above(column):
        # Looked up one by one: of a join, PostgreSQL may think it large and read the whole table.
        return f"(SELECT m.{column} FROM {table} m WHERE m.id = p.parent_message_id)"  # noqa: S608

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
            SELECT p.parent_message_id, {above("parent_message_id")}, {above("reply_count")},
                0, {above("timestamp")}
            FROM path p WHERE p.parent_message_id IS NOT NULL
        )
        SELECT {columns} FROM path ORDER BY at, id, is_unread
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [viewer_pk, target.thread_id, target.pk])
        return {pk: Path(up, count, bool(new)) for pk, up, count, new, _ in cursor.fetchall()}


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
    shown = [[c for c in node.children if after < c.pk <= last] for _, after, last in runs]
    if node.child_count <= sum(map(len, shown)):
        yield from (_reply(node, child, level) for children in shown for child in children)
        return
    runs = [run for run, children in zip(runs, shown, strict=True) if children]
    shown = [children for children in shown if children]
    live = sum(not child.is_deleted for children in shown for child in children)
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
        yield from (_reply(node, child, level) for child in children)
        after = children[-1].pk
    if not runs or runs[-1].last < END:
        yield Row("more", node, level, count=count, after=after)


def _reply(node, child, level):
    return Row("message", child, level, to=node.sender_id)


def _is_unread(node, viewer_pk, new=()):
    is_new = not node.read or node.pk in new
    return is_new and node.sender_id != viewer_pk and not node.is_deleted
