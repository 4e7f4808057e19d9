import heapq
from datetime import UTC, datetime
from functools import cache, partial
from itertools import islice
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Exists, F, OuterRef
from django.http import Http404
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import TemplateView
from django_htmx.http import HttpResponseClientRedirect

from messaging import fragments
from messaging.composed import Composed
from messaging.forms import find_person
from messaging.ids import read_id
from messaging.models import AccessRecord, Mailbox, Message, Standing
from messaging.paging import Page, PageKey, newest_first
from messaging.skeletons import Skeleton
from messaging.text import write_date, write_iso

from .articles import make_articles
from .mixins import PartialMixin, PollMixin

User = get_user_model()
PAGE_SIZE = 50
MOST_READS = 3  # of one page, while somebody writes


class ConversationView(PartialMixin, PollMixin, TemplateView):
    """All messages of mine, or those with one person, in time order; the newest page first."""

    http_method_names = ["get", "head"]
    template_name = "messaging/conversation.html"
    partial_name = "conversation-update"
    standing = None

    def get(self, request, *args, **kwargs):
        self.before = PageKey.parse(request.GET.get("before"))
        name = fragments.digest(self.kwargs.get("username", ""))
        ptag = self.get_ptag("conversation", name, self.before or "")
        if not_modified := self.not_modified(ptag):
            return not_modified
        try:
            self.other = self.get_other()
        except Http404:
            return self.follow()
        response = self.render_to_response(self.get_context_data(ptag=ptag))
        response["HX-PTag"] = ptag
        return response

    def get_other(self):
        """Return the person of the URL, if it names one; 404 unless we share a message."""
        if "username" not in self.kwargs:
            return None
        other = find_person(self.kwargs["username"])
        # Asked of nobody as well: a name that nobody has costs what a stranger's does.
        self.standing = Standing.of(self.request.user, other)
        if not self.standing.shares_message:
            raise Http404
        return other

    def follow(self):
        """Lead a page whose name is nobody's any more to the one it shows, who has another; or 404.

        Anybody else is not there, like whoever shares no message.
        """
        if self.request.htmx:
            other = User._default_manager.filter(pk=read_id(self.request.GET.get("with"))).first()
            if Standing.of(self.request.user, other).shares_message:
                address = reverse("messaging:conversation", args=[other.get_username()])
                return HttpResponseClientRedirect(address)
        raise Http404

    @property
    def other_pk(self):
        return self.other.pk if self.other else 0

    def get_context_data(self, **kwargs):
        user, before = self.request.user, str(self.before or "")
        names = [self.other.get_username()] if self.other else []
        return super().get_context_data(
            other=self.other,
            standing=self.standing,
            address=reverse("messaging:conversation", args=names),
            before=before,
            list_key=fragments.mailbox_key("conversation", user, self.other_pk, before),
            list_lifetime=fragments.LIFETIME,
            page=ConversationPage(user, self.other, self.before),
            **kwargs,
        )


class ConversationPage(Page):
    """One page, newest first as it is loaded, and `rows_html` in the order it is read."""

    def __init__(self, user, other, before):
        super().__init__(partial(newest_messages, user, other, before), "timestamp", size=PAGE_SIZE)
        self._user, self._is_with_one = user, other is not None

    @cached_property
    def _found(self):
        """The messages, and `_articles` for them, as they stood at one moment.

        Several queries make a page. Where a reply was sent between two of them, and what it answers
        deleted, neither would be on it: so they are asked again if the mailbox has moved.
        """
        version = Mailbox.of(self._user).version
        for _ in range(MOST_READS):
            found, before = list(self._load(self._size + 1)), version
            self._articles = self._make_articles(found)
            versions = Mailbox.objects.filter(pk=self._user.pk).values_list("version", flat=True)
            version = versions.first() or 0
            if version == before:
                break
        return found

    def _make_articles(self, entries):
        user_pk = self._user.pk
        return make_articles(
            entries,
            self._user,
            {e.sender_id: e.sender_name for e in entries},
            unread={e.pk for e in entries if e.receiver_id == user_pk and not e.read},
            accessed={e.pk for e in entries if e.is_accessed},
        )

    @cached_property
    def rows_html(self):
        return ROW.fill_all(self._rows())

    def _rows(self):
        """Yield the shape and the words of each message."""
        day, is_news, get_url = None, False, cache(_conversation_url)
        for entry in self.row_list[::-1]:
            if not (article := self._articles.get(entry.pk)):
                continue
            sent_at = entry.timestamp.astimezone(UTC)  # the days are UTC's: browsers know better
            is_to = article.is_mine and not self._is_with_one
            name = entry.receiver_name or ""
            yield (
                article.shape
                | {
                    "is_new_day": sent_at.date() != day,
                    "is_first_new": article.is_unread and not is_news,
                    "is_to": is_to,
                    "is_to_gone": is_to and not name,
                },
                article.words
                | {
                    "iso": write_iso(sent_at),
                    "day": write_date(sent_at),
                    "to": name,
                    "to_url": get_url(name) if is_to and name else "",
                },
            )
            day, is_news = sent_at.date(), is_news or article.is_unread


ROW = Skeleton(
    "messaging/conversation.html#conversation-row", lambda row: {"row": row, "article": row}
)


def _conversation_url(name):
    return reverse("messaging:conversation", args=[name])


class Entry(NamedTuple):
    """A message as a page needs it, in plain values: models would cost more than all else."""

    pk: int
    timestamp: datetime
    sender_id: int | None
    sender_name: str | None
    receiver_id: int | None
    receiver_name: str | None
    revision: int
    read: bool
    is_accessed: bool

    is_deleted = False


def newest_messages(user, other, before, limit):
    """Return messages of `user`, or those with `other`, newest first.

    Sent and received are two slices, each straight from its index, put together here: one query
    with OR would sort all messages of the person.
    """
    people = (user.pk,) if other is None else (user.pk, other.pk)
    if before is None and limit == PAGE_SIZE + 1:
        slices = [find(*people) for find in NEWEST]
    else:
        slices = [find(*people, before=before, limit=limit) for find in (find_sent, find_received)]
    slices = [[Entry(*row) for row in rows] for rows in slices]
    merged = heapq.merge(*slices, key=lambda entry: (entry.timestamp, entry.pk), reverse=True)
    return islice(merged, limit)


def find_sent(user, *other, before=None, limit=PAGE_SIZE + 1):
    found = Message.objects.visible_to(User(user)).sent_by(User(user))
    for pk in other:
        found = found.received_by(User(pk))
    return _find(found, before, limit)


def find_received(user, *other, before=None, limit=PAGE_SIZE + 1):
    found = Message.objects.visible_to(User(user)).received_by(User(user))
    for pk in other:
        found = found.sent_by(User(pk))
    return _find(found, before, limit)


NEWEST = Composed(find_sent), Composed(find_received)


def _find(message_set, before, limit):
    name = User.USERNAME_FIELD
    entries = message_set.not_deleted().annotate(
        sender_name=F(f"sender__{name}"),
        receiver_name=F(f"receiver__{name}"),
        is_accessed=Exists(AccessRecord.objects.filter(message=OuterRef("pk"))),
    )
    entries = entries.values_list(*Entry._fields)
    return newest_first(entries, "timestamp", before=before, limit=limit)
