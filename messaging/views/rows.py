"""The rows of a page of a thread, as HTML: of a tree, or of a list in time order."""

import secrets
from datetime import UTC
from operator import attrgetter

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import gettext

from messaging import fragments
from messaging.ids import dom_id, thread_url
from messaging.skeletons import Skeleton
from messaging.text import write_iso, write_moment

from .articles import make_articles

SLICE = 10  # rows
MESSAGES = ("message", "flat")  # kinds of rows that hold one


def render_list(viewer, message, rows):
    """Return the HTML of the rows of a page of the thread of `message`, with its people, in bytes.

    They are kept in slices, each under all that it shows: one change leaves the others as they are.
    And they are kept as they go over the wire: to encode 200 messages in each answer, and to copy
    them from one part of a template to the next, takes longer than all the rest of a page.
    """
    about = viewer.pk, message.pk, list(_names(message).items())
    slices = [rows[start : start + SLICE] for start in range(0, len(rows), SLICE)]
    keys = fragments.keys("rows", [(*about, *map(_stamp, some)) for some in slices])

    def build(missing):
        articles = _make_articles(viewer, message, [row for some in missing for row in some])
        return [ROW.fill_all(_lines(some, articles, message)).encode() for some in missing]

    return b"".join(fragments.remember_many(keys, slices, build))


SLOT = mark_safe(f"<template>{secrets.token_hex(16)}</template>")  # noqa: S308 (nobody wrote it)


def put_in(rows, response):
    """Put the rows, in bytes, where a template that was rendered has printed SLOT."""
    response.content = rows.join(response.content.split(SLOT.encode()))


def render_rows(viewer, message, rows, fields):
    """Return the HTML of rows; `fields` are hidden fields for the first message among them."""
    context = {"state_fields": fields}
    fields = render_to_string("messaging/thread.html#state-fields", context)
    articles = _make_articles(viewer, message, rows)
    return ROW.fill_all(_lines(rows, articles, message, fields))


def _stamp(row):
    return row.stamp if row.kind == "flat" else STAMP(row)


STAMP = attrgetter(
    *("kind", "level", "to", "is_unread", "is_branch", "count", "after", "before"),
    *("node.pk", "node.revision", "node.is_deleted", "node.sender_id", "node.is_accessed"),
)


def _make_articles(viewer, message, rows):
    nodes = [row.node for row in rows if row.kind in MESSAGES]
    unread = {row.node.pk for row in rows if row.kind in MESSAGES and row.is_unread}
    accessed = {node.pk for node in nodes if node.is_accessed}
    names = _names(message)
    return make_articles(nodes, viewer, names, unread=unread, accessed=accessed, target=message.pk)


def _names(message):
    return {p.pk: p.get_username() for p in (message.sender, message.receiver) if p}


def _lines(rows, articles, message, fields=""):
    """Yield the shape and the words of each row."""
    names = _names(message)
    for row in rows:
        if row.kind not in MESSAGES:
            yield _link_to_more(row)
        elif article := articles.get(row.node.pk):
            relation, to = (_flat if row.kind == "flat" else _nested)(row)
            to["to"] = names.get(row.to) or gettext("Deleted user")
            yield (
                article.shape | relation | {"kind": row.kind},
                article.words | to | {"fields": fields},
            )
            fields = ""


def _nested(row):
    return {"is_reply": row.level > 0, "is_branch": row.is_branch}, {"level": str(row.level)}


def _flat(row):
    """Return what a row in time order says of the message that it replies to."""
    shape = {
        "is_reply": row.parent is not None,
        "is_first_new": row.is_first_new,
        "is_to_deleted": row.parent_deleted_at is not None,
    }
    if row.parent is None:
        return shape, {}
    sent_at = row.parent_at.astimezone(UTC)
    place = f"#{dom_id('message', row.parent)}"
    return shape, {
        "to_url": place if row.is_here else thread_url(row.parent),
        "to_iso": write_iso(sent_at),
        "to_at": write_moment(sent_at),
    }


ROW = Skeleton("messaging/thread.html#thread-row", lambda row: {"row": row, "article": row})


def _link_to_more(row):
    shape = {"kind": row.kind, "is_unread": row.is_unread}
    words = {"level": str(row.level), "id": dom_id("message", row.node.pk, "replies")}
    if row.kind == "continue":
        return shape, words | {"url": thread_url(row.node.pk)}
    if row.after:
        words["id"] += f"-{row.after}"
    shape |= {"count": row.count, "is_earlier": bool(row.before and not row.after)}
    query = {"level": row.level - 1, "after": row.after, "before": row.before}
    query = "&".join(f"{name}={number}" for name, number in query.items() if number)
    url = f"{thread_url(row.node.pk)}replies/"
    return shape, words | {"url": f"{url}?{query}" if query else url}
