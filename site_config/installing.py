"""What lets a browser keep Parley as an app: a manifest, a worker, and a page for no connection.

Nothing private is ever kept: the worker stores the page for no connection and what it looks like,
and answers with it when a page can't be reached. All else it leaves to the browser.
"""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import escapejs
from django.utils.translation import get_language, get_language_bidi, gettext
from django.views.decorators.http import require_safe

PAPER = "#fcfaf6"  # --paper of tokens.css, light
ICONS = [("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")]


@login_not_required
@require_safe
def manifest(request):
    """What the browser writes under the icon, and which page it opens."""
    icons = [
        {"src": static(_icon(sizes, purpose)), "sizes": sizes, "purpose": purpose}
        for sizes, purpose in ICONS
    ]
    pages = {"message-create": gettext("New message"), "inbox": gettext("Inbox")}
    shortcuts = [
        {"name": name, "url": reverse(f"messaging:{page}")} for page, name in pages.items()
    ]
    content = {
        "id": "/",
        "name": "Parley",
        "short_name": "Parley",
        "description": gettext("Private messages, on a site of your own"),
        "lang": get_language(),
        "dir": "rtl" if get_language_bidi() else "ltr",
        "start_url": reverse("home"),
        "scope": "/",
        "display": "standalone",
        "background_color": PAPER,
        "theme_color": PAPER,
        "icons": [icon | {"type": "image/png"} for icon in icons],
        "shortcuts": shortcuts,
    }
    return JsonResponse(content, content_type="application/manifest+json")


def _icon(sizes, purpose):
    width = sizes.partition("x")[0]
    return f"img/icon-{width}{'' if purpose == 'any' else f'-{purpose}'}.png"


@login_not_required
@require_safe
def worker(request):
    """The service worker; it stands at the root, because it may answer for nothing above it."""
    script = render_to_string("worker.js", {"offline": escapejs(reverse("offline"))})
    return HttpResponse(script, content_type="text/javascript; charset=utf-8")


@login_not_required
@require_safe
def offline(request):
    """The page that stands in for any other without a connection: the same bytes for all."""
    return HttpResponse(render_to_string("offline.html"))
