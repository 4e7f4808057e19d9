from django import template
from django.utils.translation import gettext

register = template.Library()


@register.filter
def person_name(person):
    """What a person goes by, also one who left."""
    return person.get_username() if person else gettext("Deleted user")
