"""What a page has to show, found out without the code that makes it."""

import re
from html import unescape

from messaging.models import Message, Participation

SHOWN, LEVELS, ROWS = 200, 3, 25  # of a thread's first page and of the inbox's
ARTICLE = re.compile(r'<article [^>]*id="message-(\d+)"(.*?)</article>', re.DOTALL)
LINE = re.compile(r'<li [^>]*id="thread-row-(\d+)"(.*?)</li>', re.DOTALL)
TAG = re.compile(r"<[^>]*>")


class Wrong(Exception):
    """An answer that was measured is not the one that it should be."""


def is_page(what, shown):
    """Return a check: the answer shows exactly these; `shown()` gives pairs of id and text."""

    def check(answer):
        expect_status(answer, 200)
        page = answer.body.decode()
        found = [(int(pk), unescape(TAG.sub(" ", rest))) for pk, rest in what.findall(page)]
        expected = shown()
        if [pk for pk, _ in found] != [pk for pk, _ in expected]:
            raise Wrong(f"{len(found)} ids, not the {len(expected)} expected in their order")
        for (pk, text), (_, words) in zip(found, expected, strict=True):
            if words not in text:
                raise Wrong(f"{pk} says {text!r} instead of {words!r}")

    return check


def is_status(number):
    return lambda answer: expect_status(answer, number)


def is_unchanged(answer):
    expect_status(answer, 304)
    if answer.body:
        raise Wrong("a 304 with a body")


def expect_status(answer, number):
    if answer.status != number:
        raise Wrong(f"status {answer.status} instead of {number}")


def thread_page(first):
    """Return pairs of id and text, as the page of a read thread opened at its first message."""
    thread = Message.objects.filter(pk=first).values("thread")
    columns = ("depth", "pk", "parent_message_id", "content")
    rows = Message.objects.filter(thread__in=thread, depth__lte=LEVELS).values_list(*columns)
    below, texts = {}, {}
    for _, pk, parent, content in sorted(rows.order_by("depth", "pk")[:SHOWN]):
        below.setdefault(parent, []).append(pk)
        texts[pk] = content
    return [(pk, texts[pk]) for pk in _depth_first(below, None)]


def _depth_first(below, parent):
    for pk in below.get(parent, []):
        yield pk
        yield from _depth_first(below, pk)


def inbox_page(person):
    places = Participation.objects.filter(user=person, archived_at=None, trashed_at=None)
    places = places.order_by("-last_activity", "-pk")[:ROWS]
    return [
        (pk, text[:160]) for pk, text in places.values_list("pk", "thread__last_message__content")
    ]
