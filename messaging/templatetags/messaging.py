from django import template
from django.contrib.auth import get_user_model
from django.db.models import Count
from django.utils.functional import cached_property

from messaging import fragments, ids, text
from messaging.composed import Composed
from messaging.models import AccessNotice, Mailbox, Notification
from messaging.skeletons import Skeleton

register = template.Library()
User = get_user_model()


def _with_counts(row):
    counts = {name: row[f"has_{name}"] and row[name] for name in ("unread", "bell")}
    many = {f"many_{name}": row[f"many_{name}"] for name in counts}
    return row | {"counts": counts | many}


NAVIGATION = Skeleton("messaging/_navigation.html", _with_counts)

register.simple_tag(ids.dom_id)
register.filter("iso", text.write_iso)
register.filter("message_text", text.render_text)


COUNTED = 100  # lines of the bell: whoever has more is told "99+", at the same price


def _count(queryset):
    some = queryset.model.objects.filter(pk__in=queryset.order_by().values("pk")[:COUNTED])
    return (
        some.order_by().values("user").annotate(number=Count("pk")).values_list("number", flat=True)
    )


# One query for both, of one number each: the unread, and what the staff has looked at.
count_bell = Composed(
    lambda user: _count(Notification.objects.visible_to(User(user)).unread()).union(
        _count(AccessNotice.objects.visible_to(User(user))), all=True
    )
)


class Counts:
    """The numbers beside the navigation: `unread` messages and `bell`, unread notifications.

    They are words, "" for none: an integer would be localised wherever it is printed.
    """

    def __init__(self, user):
        self._user = user
        self.unread = str(Mailbox.of(user).unread_count or "")

    @cached_property
    def bell(self):
        return fragments.remember(fragments.mailbox_key("bell", self._user), self._count_bell)

    def _count_bell(self):
        number = sum(count_bell(self._user.pk))
        return str(number or "") if number < COUNTED else f"{COUNTED - 1}+"

    @property
    def many_unread(self):
        return text.is_many(self.unread)

    @property
    def many_bell(self):
        return text.is_many(self.bell)


@register.simple_tag(takes_context=True)
def mailbox_counts(context):
    return Counts(context["request"].user)


@register.simple_tag(takes_context=True)
def person_navigation(context):
    """The links of whoever is signed in, with what is new behind each."""
    request = context["request"]
    counts, name = Counts(request.user), request.user.get_username()
    match = request.resolver_match
    shape = {
        "here": match.url_name if match else "",
        "has_unread": bool(counts.unread),
        "has_bell": bool(counts.bell),
        "many_unread": counts.many_unread,
        "many_bell": counts.many_bell,
    }
    words = {
        "unread": counts.unread,
        "bell": counts.bell,
        "name": name,
        "initial": name[:1].upper(),
        "tint": tint(request.user.pk),
        "csrf_token": str(context["csrf_token"]),
    }
    return NAVIGATION.fill(shape, words)


@register.filter
def tint(pk):
    """Which of the eight colours an avatar has."""
    return str((pk or 0) % 8)
