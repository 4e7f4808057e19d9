import logging
import secrets
import time
from collections import Counter

from django.db import connection
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseFileResponse

from messaging import cache
from messaging.throttles import Throttled, count_look
from site_config import views
from site_config.accounts.throttles import ANONYMOUS, address
from site_config.busy import is_busy

logger = logging.getLogger(__name__)
request_logger = logging.getLogger("parley.request")

PERMISSIONS = "camera=(), microphone=(), geolocation=(), interest-cohort=()"
HEALTH = {"/healthz", "/readyz"}  # asked for by machines, as often as they like
KEPT_ON_304 = {"cache-control", "vary", "hx-ptag", "x-content-type-options"}


class RequestLogMiddleware:
    """Outermost: writes one line a request, about what it cost and never what was in it.

    No text, no address, no token: only numbers, and words of our own.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        started, counts = time.perf_counter(), Counter()

        def count_query(execute, *args):
            counts["queries"] += 1
            return execute(*args)

        token = cache.tally.set(counts)
        try:
            with connection.execute_wrapper(count_query):
                response = self.get_response(request)
        finally:
            cache.tally.reset(token)
        ms = 1000 * (time.perf_counter() - started)
        request_logger.info(_line(request, response, ms, counts))
        return response


def _line(request, response, ms, counts):
    user = getattr(request, "_cached_user", None)  # to ask for `request.user` may be a query
    match = request.resolver_match
    words = {
        "id": secrets.token_hex(4),
        "user": user and user.pk,
        "route": match and match.view_name,
        "status": response.status_code,
        "ms": f"{ms:.1f}",
        **{name: counts[name] for name in ("queries", "hits", "misses", "errors")},
        "breaker": "open" if cache.Breaker.open_addresses() else "closed",
    }
    line = " ".join(f"{name}={'-' if word is None else word}" for name, word in words.items())
    return line if line.isprintable() else line.encode("unicode_escape").decode()


class HeadersMiddleware:
    """What every answer says, whoever made it; and 503 where the database is busy."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not _is_static(response):
            _keep_private(response)
            # Signed out, each address answers a page with a redirect and htmx with a 401.
            patch_vary_headers(response, ["Cookie", "HX-Request"])
            if response.status_code == 304:
                _strip(response)
        return response

    def process_exception(self, request, exception):
        if not is_busy(exception):
            return None
        logger.warning("503: %s", exception)
        return views.service_unavailable(request)


class ThrottleMiddleware:
    """Counts what visitors ask for who aren't signed in; says 429 to whoever was too fast."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path_info not in HEALTH and not request.user.is_authenticated:
            try:
                count_look(ANONYMOUS, address(request))
            except Throttled as refused:
                return self.process_exception(request, refused)
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, Throttled):
            return None
        return views.too_many_requests(request, exception)


def _is_static(response):
    return isinstance(response, WhiteNoiseFileResponse)


def _keep_private(response):
    said = response.get("Cache-Control", "")
    if "no-store" not in said or "private" not in said:
        response["Cache-Control"] = "no-store, private"


def _strip(response):
    """Nothing is rendered from a 304: headers that guard a page are only weight."""
    for header in list(response.headers):
        if header.lower() not in KEPT_ON_304:
            del response[header]
