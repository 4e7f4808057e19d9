from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce, Left
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.views.generic import TemplateView

from messaging import fragments
from messaging.composed import Composed
from messaging.ids import thread_url
from messaging.models import Mailbox, Message, Participation
from messaging.paging import Page, PageKey, newest_first
from messaging.skeletons import Skeleton
from messaging.text import is_many, write_day, write_iso

from .mixins import PartialMixin, PollMixin, make_ptag

User = get_user_model()
PAGE_SIZE = 25
COLUMNS = [
    "pk",
    "thread_id",
    "unread_count",
    "snippet",
    "message_pk",
    "sender_pk",
    "sender_name",
    "receiver_pk",
    "receiver_name",
]
SNIPPET_LENGTH = 160  # characters


class InboxView(PartialMixin, PollMixin, TemplateView):
    """The threads of the person, newest first, behind tabs; the list keeps itself fresh."""

    http_method_names = ["get", "head"]
    template_name = "messaging/inbox.html"
    partial_name = "inbox-update"
    pane_name = "inbox-pane"

    def get(self, request, *args, **kwargs):
        self.tab = self.get_tab()
        self.before = PageKey.parse(request.GET.get("before"))
        ptag = get_inbox_ptag(request.user, self.tab, self.before or "")
        if not_modified := self.not_modified(ptag):
            return not_modified
        response = self.render_to_response(self.get_context_data(ptag=ptag))
        response["HX-PTag"] = ptag
        return response

    def get_tab(self):
        tab = self.request.GET.get("show")
        if tab in TABS:
            return tab
        return "unread" if Mailbox.of(self.request.user).unread_count else "all"

    def get_context_data(self, **kwargs):
        list_context = get_list_context(self.request.user, self.tab, self.before)
        return super().get_context_data(**list_context, **kwargs)


def get_inbox_ptag(user, tab, before=""):
    return make_ptag(user, "inbox", tab, before)


def get_list_context(user, tab, before=None):
    return {
        "tab": tab,
        "before": str(before or ""),
        "list_key": fragments.mailbox_key("inbox", user, tab, before or ""),
        "list_lifetime": fragments.LIFETIME,
        "page": InboxPage(user, tab, before=before),
    }


def render_list_beside(user, thread_pk):
    """Return the list as it stands beside a thread, whose line is marked as the one that is open.

    It is kept as a whole: the mailbox moves with all that it shows.
    """
    html = fragments.remember(
        fragments.mailbox_key("inbox-beside", user), lambda: _build_list_beside(user)
    )
    line = f'data-thread="{thread_pk}"'
    return mark_safe(html.replace(line, f'{line} aria-current="true"', 1))  # noqa: S308


def _build_list_beside(user):
    context = get_list_context(user, "all") | {
        "is_beside": True,
        "ptag": get_inbox_ptag(user, "all"),
    }
    return str(render_to_string("messaging/inbox.html#list-pane", context))


class InboxPage(Page):
    """One page of a tab, in plain values: models would cost more than all else."""

    def __init__(self, user, tab, *, before=None):
        super().__init__(
            partial(find_places, user, tab, before) if before else partial(find_newest, user, tab),
            TABS[tab].moment_field,
            size=PAGE_SIZE,
        )
        self._user_pk, self._is_sent = user.pk, tab == "sent"

    @property
    def rows_html(self):
        return ROW.fill_all(map(self._row, self.row_list))

    def _row(self, place):
        """Return the shape and the words of one thread."""
        is_mine = place.sender_pk == self._user_pk
        other_pk = place.receiver_pk if is_mine else place.sender_pk
        other = (place.receiver_name if is_mine else place.sender_name) or ""
        unread = str(place.unread_count or "")
        shape = {
            "is_mine": is_mine or self._is_sent,
            "is_gone": not other,
            "is_unread": bool(unread),
            "is_many": is_many(unread),
        }
        return shape, {
            "pk": str(place.pk),
            "thread": str(place.thread_id),
            "url": thread_url(place.message_pk),
            "other": other,
            "initial": other[:1].upper(),
            "tint": str((other_pk or 0) % 8),
            "snippet": place.snippet,
            "iso": write_iso(place[0]),
            "day": write_day(place[0]),
            "unread": unread,
        }


ROW = Skeleton("messaging/inbox.html#thread-row", lambda row: {"row": row})


def find_places(user, tab, before, limit):
    """Return the threads of one page of a tab, newest first."""
    load, moment_field = TABS[tab]
    place_set = load(user).values_list(moment_field, *COLUMNS, named=True)
    return newest_first(place_set, moment_field, before=before, limit=limit)


def find_newest(user, tab, limit):
    """Return those of the first page, which stands beside every thread as well."""
    return NEWEST[tab](user.pk)[:limit]


def _received(user):
    """Each thread by its latest message; the link leads to the first unread one, if any."""
    unread = Message.unread.received_by(user).filter(thread=OuterRef("thread"))
    return _with_people(user).annotate(
        snippet=Left("thread__last_message__content", SNIPPET_LENGTH),
        message_pk=Coalesce(_first(unread.in_time_order(), "pk"), "thread__last_message_id"),
    )


def _sent(user):
    """Each thread by the latest message of one's own."""
    mine = Message.objects.sent_by(user).not_deleted().filter(thread=OuterRef("thread"))
    mine = mine.order_by("-timestamp", "-pk")
    return _with_people(user).annotate(
        snippet=_first(mine.annotate(snippet=Left("content", SNIPPET_LENGTH)), "snippet"),
        message_pk=_first(mine, "pk"),
    )


def _with_people(user):
    # A thread without a message is one whose last message was deleted a moment ago.
    place_set = Participation.objects.for_user(user).filter(thread__last_message__isnull=False)
    sender, receiver = (f"thread__last_message__{role}" for role in ("sender", "receiver"))
    name = User.USERNAME_FIELD
    return place_set.annotate(
        sender_pk=F(f"{sender}_id"),
        sender_name=F(f"{sender}__{name}"),
        receiver_pk=F(f"{receiver}_id"),
        receiver_name=F(f"{receiver}__{name}"),
    )


def _first(queryset, name):
    return Subquery(queryset.values(name)[:1])


class Tab(NamedTuple):
    load: Callable
    moment_field: str


TABS = {
    "unread": Tab(lambda user: _received(user).unread(), "last_activity"),
    "all": Tab(lambda user: _received(user).listed(), "last_activity"),
    "sent": Tab(lambda user: _sent(user).sent(), "sent_at"),
}

NEWEST = {
    tab: Composed(lambda user, tab=tab: find_places(User(user), tab, None, PAGE_SIZE + 1))
    for tab in TABS
}
