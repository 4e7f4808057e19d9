import heapq
from functools import partial
from itertools import islice

from django.db.models import Exists, OuterRef
from django.http import Http404
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from messaging import fragments
from messaging.forms import find_person
from messaging.models import AccessRecord, Mailbox, Message, Standing
from messaging.paging import Page, PageKey, newest_first

from .articles import make_articles
from .mixins import PartialMixin, PollMixin

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
        self.other = self.get_other()
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
    """One page, newest first as it is loaded, and `entry_list` in the order it is read."""

    def __init__(self, user, other, before):
        super().__init__(partial(newest_messages, user, other, before), "timestamp", size=PAGE_SIZE)
        self._user = user

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

    def _make_articles(self, message_list):
        user = self._user
        people = [user, *(message.sender for message in message_list)]
        unread = {m.pk for m in message_list if m.receiver_id == user.pk and not m.read}
        accessed = {m.pk for m in message_list if m.is_accessed}
        return make_articles(message_list, user, people, unread=unread, accessed=accessed)

    @cached_property
    def entry_list(self):
        message_list, user, articles = self.row_list[::-1], self._user, self._articles
        entries, day, is_news = [], None, False
        for message in message_list:
            if message.pk not in articles:
                continue
            entries.append(
                {
                    "article": articles[message.pk],
                    "other": message.other_person(user),
                    "moment": message.timestamp,
                    "is_new_day": message.timestamp.date() != day,  # UTC: browsers know better
                    "is_first_new": articles[message.pk].is_unread and not is_news,
                }
            )
            day, is_news = message.timestamp.date(), is_news or articles[message.pk].is_unread
        return entries


def newest_messages(user, other, before, limit):
    """Return messages of `user`, or those with `other`, newest first.

    Sent and received are two slices, each straight from its index, put together here: one query
    with OR would sort all messages of the person.
    """
    visible = Message.objects.visible_to(user).not_deleted().with_people().defer("content")
    visible = visible.annotate(
        is_accessed=Exists(AccessRecord.objects.filter(message=OuterRef("pk")))
    )
    sent, received = visible.sent_by(user), visible.received_by(user)
    if other is not None:
        sent, received = sent.received_by(other), received.sent_by(other)
    slices = [
        newest_first(message_set, "timestamp", before=before, limit=limit)
        for message_set in (sent, received)
    ]
    merged = heapq.merge(*slices, key=lambda message: (message.timestamp, message.pk), reverse=True)
    return islice(merged, limit)
