"""The ids of what htmx swaps: templates, tests and page objects all ask here."""

from functools import lru_cache

from django.urls import get_script_prefix, reverse

BIGGEST = 2**62  # no id is


def dom_id(name, pk=None, part=None):
    """Return an id such as `inbox`, `message-42` or `message-42-replies`."""
    return "-".join(str(piece) for piece in (name, pk, part) if piece is not None)


def read_id(word):
    """Read an id that came from outside; 0 for anything else."""
    if not word or len(word) > 19 or not (word.isascii() and word.isdigit()):
        return 0
    return min(int(word), BIGGEST)


def thread_url(pk):
    """Return the permalink of a message: what `reverse` gives, in a tenth of the time.

    All other pages of the message stand below it.
    """
    return str(pk).join(_around_id(get_script_prefix()))


@lru_cache(maxsize=8)
def _around_id(script_prefix):
    before, _, after = reverse("messaging:thread", args=[0]).rpartition("0")
    return before, after
