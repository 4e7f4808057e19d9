"""The ids of what htmx swaps: templates, tests and page objects all ask here."""


def dom_id(name, pk=None, part=None):
    """Return an id such as `inbox`, `message-42` or `message-42-replies`."""
    return "-".join(str(piece) for piece in (name, pk, part) if piece is not None)
