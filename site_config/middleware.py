import logging
import secrets
import time
from collections import Counter

from django.db import connection
from django.utils import translation
from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseFileResponse

from messaging import cache, tally
from messaging.throttles import Throttled, count_look
from site_config import events, metrics, views
from site_config.accounts.throttles import ANONYMOUS, address
from site_config.busy import is_busy, wait_in_turn

logger = logging.getLogger(__name__)
request_logger = logging.getLogger("parley.request")

LONG = 0.1  # seconds: a write that takes longer has waited for another one
READING = {"GET", "HEAD"}
MET = {409: "conflicts", 429: "throttled", 500: "failures", 503: "busy"}

HEADERS = {
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Django's own middleware says these, but not of a host that it refuses.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
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
        request.log_id = secrets.token_hex(4)
        token = tally.of_request.set(counts)
        try:
            with (
                connection.execute_wrapper(wait_in_turn),
                connection.execute_wrapper(_count_query),
            ):
                response = self.get_response(request)
        finally:
            tally.of_request.reset(token)
        seconds = time.perf_counter() - started
        request_logger.info(_line(request, response, seconds, counts))
        if name := MET.get(response.status_code):
            tally.count(**{name: 1})
        events.tell_refusal(request, response)
        if metrics.observe:
            metrics.observe(request, response, seconds)
        return response


def _count_query(execute, sql, *args):
    tally.of_request.get()["queries"] += 1
    started = time.perf_counter()
    try:
        return execute(sql, *args)
    finally:
        if time.perf_counter() - started > LONG and _takes_lock(sql):
            tally.count(waits=1)


def _takes_lock(sql):
    return not sql.startswith("SELECT") or "FOR UPDATE" in sql


def _line(request, response, seconds, counts):
    user = getattr(request, "_cached_user", None)  # to ask for `request.user` may be a query
    return events.line(
        id=request.log_id,
        user=user and user.pk,
        route=events.route(request),
        status=response.status_code,
        ms=f"{1000 * seconds:.1f}",
        **{name: counts[name] for name in ("queries", "hits", "misses", "errors")},
        breaker="open" if cache.Breaker.open_addresses() else "closed",
    )


class HeadersMiddleware:
    """What every answer says, whoever made it; and 503 where the database is busy."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code == 503 and request.method in READING and _has_lost_database():
            connection.close()
            response = self.get_response(request)  # nothing was written: ask the next connection
        for header, value in HEADERS.items():
            response.headers.setdefault(header, value)
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


class LanguageMiddleware:
    """Speaks the language that a person has chosen, or else the one their browser asks for."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        chosen = getattr(request.user, "language", "")
        language = chosen or translation.get_language_from_request(request)
        with translation.override(language):
            return self.get_response(request)


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


def _has_lost_database():
    """Tell whether the server has broken off this connection: it may have done so to it alone."""
    return connection.vendor == "postgresql" and not (
        connection.connection is None or connection.is_usable()
    )


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
