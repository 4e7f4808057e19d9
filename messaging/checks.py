"""System checks: what a site must have around this app for its promises to hold."""

from django.conf import settings
from django.core.checks import Error, Tags, register

LOGIN_MIDDLEWARE = "messaging.middleware.LoginRequiredMiddleware"


@register(Tags.security)
def login_is_required(app_configs, **kwargs):
    if LOGIN_MIDDLEWARE in settings.MIDDLEWARE:
        return []
    return [
        Error(
            "The pages of messaging are open to everybody.",
            hint=f"Add {LOGIN_MIDDLEWARE!r} to MIDDLEWARE, after AuthenticationMiddleware.",
            id="messaging.E001",
        )
    ]
