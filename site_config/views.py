"""The door of the site: its home page, its health, and its error pages."""

import sys
from http import HTTPStatus

from django.contrib.auth.decorators import login_not_required
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import Error, connection, transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.crypto import get_random_string
from django.utils.decorators import method_decorator
from django.utils.timezone import now
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView

from messaging.cache import Breaker
from site_config import events, metrics
from site_config.busy import is_busy


@method_decorator(login_not_required, name="dispatch")
class HomeView(TemplateView):
    template_name = "home.html"
    http_method_names = ["get", "head"]

    def get(self, request, *args, **kwargs):
        if request.user.is_authenticated:
            return redirect("messaging:inbox")
        return super().get(request, *args, **kwargs)


# --- Health --------------------------------------------------------------------------------------


@login_not_required
@require_safe
def healthz(request):
    """The process is up."""
    return HttpResponse("ok", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request):
    """The database answers; without the cache the site is slower, and still right.

    To who shows the token of MONITOR_TOKEN, `?deep` tries whether it can be written to as well.
    """
    probe = _write if "deep" in request.GET and metrics.is_monitor(request) else _read
    try:
        probe()
    except Error:
        return HttpResponse("no database", status=503, content_type="text/plain")
    return HttpResponse("ok" if _cache_works() else "degraded", content_type="text/plain")


def _read():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _write():
    with transaction.atomic():
        Session.objects.create(session_key=get_random_string(32), expire_date=now())
        transaction.set_rollback(True)


def _cache_works():
    probe = get_random_string(8)
    try:
        cache.set("readyz", probe, timeout=10)
        return cache.get("readyz") is not None and not Breaker.open_addresses()
    except Exception:  # whatever a broken cache raises
        return False


@login_not_required
@require_safe
def show_metrics(request):
    """What Prometheus asks for; to everybody without the token there is nothing here."""
    if not metrics.is_monitor(request):
        raise Http404
    return HttpResponse(metrics.write(), content_type=metrics.CONTENT_TYPE)


# --- Errors: rendered without the request, so that everyone gets the same bytes ------------------


def bad_request(request, exception=None):
    return error_page(request, HTTPStatus.BAD_REQUEST)


def permission_denied(request, exception=None):
    return error_page(request, HTTPStatus.FORBIDDEN)


def page_not_found(request, exception=None):
    return error_page(request, HTTPStatus.NOT_FOUND)


def too_many_requests(request, throttled):
    return error_page(request, HTTPStatus.TOO_MANY_REQUESTS, retry_after=throttled.retry_after)


def server_error(request):
    # A session is written after the view, where no middleware sees what goes wrong.
    if is_busy(sys.exception()):
        return service_unavailable(request)
    return error_page(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def service_unavailable(request):
    return error_page(request, HTTPStatus.SERVICE_UNAVAILABLE, retry_after=2)


def csrf_failure(request, reason=""):
    """The page is older than the person's session: all it takes is to load it again."""
    events.tell_csrf_failure(request, reason)
    return error_page(request, HTTPStatus.FORBIDDEN, template="403_csrf.html")


def error_page(request, status, *, template=None, retry_after=None):
    """Return the page for `status`; to htmx only its notice, which fits into any page."""
    template = template or f"{status.value}.html"
    if request.headers.get("HX-Request"):
        template += "#notice"
    response = HttpResponse(render_to_string(template), status=status)
    if retry_after:
        response["Retry-After"] = str(retry_after)
    return response
