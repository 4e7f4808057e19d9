from django import template
from django.utils.translation import gettext

from messaging import fragments

register = template.Library()


@register.filter
def person_name(person):
    """What a person goes by, also one who left."""
    return person.get_username() if person else gettext("Deleted user")


@register.simple_tag(takes_context=True)
def navigation_key(context):
    """The key of the navigation: what one person sees of it on one page."""
    request = context["request"]
    here = request.resolver_match.url_name if request.resolver_match else ""
    return fragments.mailbox_key("navigation", request.user, here)
