"""What a page says of itself, read out of its HTML as the browser does."""

import html
import re

from django.utils.http import urlencode


def poll_path(text):
    """Return the address that the list of a page asks again, with the state that it sends."""
    path = html.unescape(re.search(r'data-poll\s+hx-get="([^"]+)"', text)[1])
    fields = state_fields(text)
    return f"{path}{'&' if '?' in path else '?'}{urlencode(fields)}" if fields else path


def state_fields(text):
    """Return the hidden fields of a thread, in which it says what it shows."""
    return [
        (name, html.unescape(value))
        for name, value in re.findall(
            r'class="thread-state" type="hidden" name="(\w+)" value="([^"]*)"', text
        )
    ]


def ptag(text):
    return re.search(r'hx-ptag="(\w+)"', text)[1]


def shown(text):
    """Return the ids of the messages on a page, in their order."""
    return [int(pk) for pk in re.findall(r'<article class="[^"]*" id="message-(\d+)"', text)]


def targets(text):
    """Return what the pieces of an answer to htmx say they replace."""
    return re.findall(r'<hx-partial\s+hx-target="([^"]+)"', text)
