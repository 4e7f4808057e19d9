from django import template
from django.conf import settings

from site_config.accounts import browsers

register = template.Library()


@register.simple_tag
def who_can_sign_up():
    """Return "open", "invitation" or "closed"."""
    return settings.ACCOUNT_SIGNUP


@register.filter
def browser(user_agent):
    """Return "Firefox on Linux", as far as a browser says what it is."""
    return browsers.describe(user_agent)
