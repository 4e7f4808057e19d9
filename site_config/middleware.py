import logging

from django.utils.cache import patch_vary_headers
from whitenoise.middleware import WhiteNoiseFileResponse

from site_config import views
from site_config.busy import is_busy

logger = logging.getLogger(__name__)

PERMISSIONS = "camera=(), microphone=(), geolocation=(), interest-cohort=()"
KEPT_ON_304 = {"cache-control", "vary", "hx-ptag", "x-content-type-options"}


class HeadersMiddleware:
    """Outermost: what every answer says, whoever made it; and 503 where the database is busy."""

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
