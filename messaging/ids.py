"""The ids of what htmx swaps: templates, tests and page objects all ask here."""

BIGGEST = 2**62  # no id is


def dom_id(name, pk=None, part=None):
    """Return an id such as `inbox`, `message-42` or `message-42-replies`."""
    return "-".join(str(piece) for piece in (name, pk, part) if piece is not None)


def read_id(word):
    """Read an id that came from outside; 0 for anything else."""
    if not word or len(word) > 19 or not (word.isascii() and word.isdigit()):
        return 0
    return min(int(word), BIGGEST)
