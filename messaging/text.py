"""From what a person typed to HTML: paragraphs, links, and what changed between two versions."""

import re
from difflib import SequenceMatcher
from itertools import takewhile

from django.utils.dates import MONTHS_3
from django.utils.html import linebreaks, urlize
from django.utils.safestring import mark_safe

LINK_REL = 'rel="noopener noreferrer nofollow ugc"'

# What Django takes for a host and a port, such as ftp://example.org or javascript:x.com.
MISTAKEN = re.compile(r'<a href="https?://[^/":]*:(?!\d+["/?#])[^>]*>(.*?)</a>')


def render_text(content):
    """Return the text as HTML: escaped, in paragraphs, with http, https and mail links.

    Each paragraph finds its own direction: one may be in Arabic, the next in English.
    """
    html = urlize(linebreaks(content, autoescape=True), nofollow=True)
    html = MISTAKEN.sub(r"\1", html)
    # Escaped text holds no quotation mark and no bracket: what is replaced is Django's own.
    html = html.replace('rel="nofollow"', LINK_REL).replace("<p>", '<p dir="auto">')
    return mark_safe(html)  # noqa: S308


def write_moment(moment):
    """Return what the filter `date:"j M Y, H:i"` makes of it, ten times as fast."""
    month = str(MONTHS_3[moment.month]).title()
    return f"{moment.day} {month} {moment.year:04}, {moment:%H:%M}"


def diff_words(old, new):
    """Return what changed from `old` to `new`, as pairs of (kind, text).

    The kinds are "same", "added" and "removed"; joined without "removed" the texts are `new`.
    """
    old_words, new_words = _split(old, new)
    pieces, removed, added = [], "", ""
    matcher = SequenceMatcher(None, old_words, new_words)
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        gone, come = "".join(old_words[old_from:old_to]), "".join(new_words[new_from:new_to])
        # A space that stayed between two words that didn't is no resting place for the eye.
        if kind != "equal" or (come.isspace() and (removed or added) and new_to < len(new_words)):
            removed, added = removed + gone, added + come
            continue
        pieces += [("removed", removed), ("added", added), ("same", come)]
        removed = added = ""
    pieces += [("removed", removed), ("added", added)]
    return [(kind, text) for kind, text in pieces if text]


def _split(old, new):
    """Split both texts into words.

    What they begin and end with alike is one piece. A rest that is long falls into lines, or into
    nothing at all: the time to compare grows with one length times the other.
    """
    old, new = _words(old), _words(new)
    start = _count_alike(old, new)
    end = _count_alike(reversed(old[start:]), reversed(new[start:]))
    rests = [words[start : len(words) - end] for words in (old, new)]
    if _is_slow(*rests):
        rests = ["".join(rest).splitlines(keepends=True) for rest in rests]
    if _is_slow(*rests):
        rests = [["".join(rest)] for rest in rests]
    head, tail = "".join(old[:start]), "".join(old[len(old) - end :])
    return [[head, *rest, tail] for rest in rests]


def _count_alike(old, new):
    pairs = zip(old, new, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _words(text):
    return re.findall(r"\s+|[^\s]+", text)


def _is_slow(old, new):
    return len(old) * len(new) > 1_000_000
