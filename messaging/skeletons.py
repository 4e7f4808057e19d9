"""Rows of long lists: rendered once for each shape that a row can have, then only filled in.

A page of 200 messages has 200 rows that differ in a handful of words. To render each takes Django
a third of a millisecond; to join the same pieces around other words takes next to nothing.
"""

from html import escape

from django.template.loader import get_template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

MARK = "\ue000"  # for private use: no template holds it
MOST = 500  # shapes that are kept


class Skeleton:
    """A template that is needed often, with few differences.

    `wrap` makes its context from the shape and the words of one row, both by name. The template
    may ask anything about the shape, which has few different values; words it may only print.
    """

    def __init__(self, template_name, wrap=dict):
        self._template_name, self._wrap = template_name, wrap
        self._known = {}

    def render(self, shape, words):
        """Return the row as the template renders it."""
        return get_template(self._template_name).render(self._wrap(shape | words))

    def fill(self, shape, words):
        """Return the same, put together from what is known of this shape."""
        return self._fill(get_language(), shape, words)

    def fill_all(self, rows):
        """Return the rows that these pairs of shape and words make, in one string."""
        language = get_language()
        return mark_safe("".join(self._fill(language, *row) for row in rows))  # noqa: S308

    def _fill(self, language, shape, words):
        key = (language, *shape.items())
        pieces, names = self._known.get(key) or self._learn(key, shape, words)
        filled = [pieces[0]]
        for name, piece in zip(names, pieces[1:], strict=True):
            word = words[name]
            filled.append(word if isinstance(word, SafeString) else escape(word))
            filled.append(piece)
        return SafeString("".join(filled))

    def _learn(self, key, shape, words):
        html = self.render(shape, {name: f"{MARK}{name}{MARK}" for name in words})
        parts = html.split(MARK)  # by turns a piece of the template and a name
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[key] = found = parts[::2], parts[1::2]
        return found
