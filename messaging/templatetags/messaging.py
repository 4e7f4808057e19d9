from django import template
from django.utils.functional import cached_property

from messaging import fragments, ids, text
from messaging.models import Mailbox, Notification

register = template.Library()

register.simple_tag(ids.dom_id)
register.filter("message_text", text.render_text)


class Counts:
    """The numbers beside the navigation: `unread` messages and `bell`, unread notifications."""

    def __init__(self, user):
        self._user = user
        self.unread = Mailbox.of(user).unread_count

    @cached_property
    def bell(self):
        return fragments.remember(
            fragments.mailbox_key("bell", self._user),
            lambda: Notification.objects.visible_to(self._user).unread().count(),
        )


@register.simple_tag(takes_context=True)
def mailbox_counts(context):
    return Counts(context["request"].user)


@register.filter
def tint(pk):
    """Which of the eight colours an avatar has."""
    return str((pk or 0) % 8)
