"""Addresses in a text become links; of those with other schemes than the web's and mail, none."""

import re

from django.utils.html import urlize

REL = "noopener noreferrer nofollow ugc"

# What Django takes for a host and a port, such as ftp://example.org or javascript:x.com.
MISTAKEN = re.compile(r'<a href="https?://[^/":]*:(?!\d+["/?#])[^>]*>(.*?)</a>')


def link_addresses(html):
    """Return escaped text, which may stand in plain paragraphs, with its addresses as links."""
    html = MISTAKEN.sub(r"\1", urlize(html, nofollow=True))
    # Escaped text holds no quotation mark: what is replaced is Django's own.
    return html.replace('rel="nofollow"', f'rel="{REL}"')
