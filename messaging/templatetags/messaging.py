from django import template

from messaging import fragments, ids, text
from messaging.models import Mailbox, Notification

register = template.Library()

register.simple_tag(ids.dom_id)
register.filter("message_text", text.render_text)


@register.simple_tag(takes_context=True)
def mailbox_counts(context):
    """The numbers beside the navigation: `unread` messages and `bell`, unread notifications."""
    user = context["request"].user
    mailbox = Mailbox.of(user)
    bell = fragments.remember(
        fragments.mailbox_key("bell", user),
        lambda: Notification.objects.visible_to(user).unread().count(),
    )
    return {"unread": mailbox.unread_count, "bell": bell}


@register.filter
def tint(pk):
    """Which of the eight colours an avatar has."""
    return str((pk or 0) % 8)
