import uuid
from functools import cache, partial

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.generic import TemplateView, View
from django_htmx.http import HttpResponseClientRedirect

from messaging import fragments
from messaging.composed import Composed
from messaging.flat import Flat
from messaging.forms import ReplyForm, blocked_notice
from messaging.ids import read_id
from messaging.models import Block, Message, Participation
from messaging.page_state import PageState
from messaging.services import ThreadService
from messaging.skeletons import Skeleton
from messaging.tree import DEEPEST_LEVEL, Tree, expand

from .inbox import render_list_beside
from .mixins import PartialMixin, PollMixin, VisibleMessageMixin, refresh_mailbox
from .rows import SLOT, put_in, render_list, render_rows

User = get_user_model()
COLUMNS = [  # of a message and of what is around it, as a page of its thread needs them
    *("parent_message", "depth", "timestamp", "deleted_at", "reply_count", "read"),
    *(f"{role}__{User.USERNAME_FIELD}" for role in ("sender", "receiver")),
    *("thread__version", "thread__last_message"),
]


def is_wanted_flat(user):
    """Whether this person wants the thread of a message in time order."""
    place = Participation.objects.for_user(user).filter(thread=OuterRef("thread"), is_flat=True)
    return Exists(place)


class ThreadListMixin(PollMixin, VisibleMessageMixin):
    """The list of a thread, opened at a message, with what the reader has open in it.

    The page carries its state in hidden fields, which come back with every poll and every form:
    see `messaging.page_state`.
    """

    def get_messages(self):
        return super().get_messages().annotate(is_wanted_flat=is_wanted_flat(self.request.user))

    def get_list_context(self, message, state):
        """Return what the list shows to this person, opened at a message that is loaded."""
        context = self._fill_in(self._read_facts(message, state), lambda: message, state)
        return context | {"rows_html": mark_safe(context["rows"].decode())}  # noqa: S308

    def find_list_context(self, state):
        """Return the same for the message of the URL; it isn't loaded where all is known.

        What a page of a thread shows moves the mailbox, whatever it is.
        """
        user, pk = self.request.user, self.kwargs["pk"]
        get_message = cache(self.get_message)
        facts = fragments.remember(
            fragments.mailbox_key("thread-facts", user, pk, fragments.digest(state)),
            lambda: self._read_facts(get_message(), state) | self._read_block(get_message()),
        )
        context = self._fill_in(facts, get_message, state)
        return context | {name: facts[name] for name in ("block_url", "has_blocked")}

    def _read_block(self, message):
        other = message.other_person(self.request.user)
        url = reverse("messaging:block", args=[other.get_username()]) if other else ""
        return {"block_url": url, "has_blocked": message.has_blocked}

    def _read_facts(self, message, state):
        user, other = self.request.user, message.other_person(self.request.user)
        name = other.get_username() if other else ""
        is_flat = message.is_wanted_flat and not state.is_branch
        return {
            "pk": message.pk,
            "thread": str(message.thread_id),
            "url": reverse("messaging:thread", args=[message.pk]),
            "other_name": name,
            "other_url": reverse("messaging:conversation", args=[name]) if name else "",
            "can_mark_unread": message.receiver_id == user.pk,
            "is_flat": is_flat,
            "list_key": fragments.thread_key(
                "flat" if is_flat else "thread",
                *(user, message.thread, message.pk, fragments.digest(state)),
            ),
        }

    def _fill_in(self, facts, get_message, state):
        build = self._build_flat if facts["is_flat"] else self._build
        page = fragments.remember(facts["list_key"], lambda: build(get_message(), state))
        return {
            "is_flat": facts["is_flat"],
            "is_branch": state.is_branch,
            "older": page.get("older"),
            "newer": page.get("newer"),
            "message": {"pk": facts["pk"]},
            "thread": facts["thread"],
            "other_name": facts["other_name"],
            "other_url": facts["other_url"],
            "can_mark_unread": facts["can_mark_unread"],
            "state_fields": page["fields"],
            "rows": page["rows"],
            "marker": page["marker"],
            "above": page["above"],
            "poll_url": facts["url"],
            "reply_url": page["reply_url"],
            "ptag": self.get_list_ptag(facts["pk"], page["stamp"]),
        }

    def get_list_ptag(self, pk, stamp):
        # All that the list shows moves the mailbox too: a poll need not load the thread.
        return self.get_ptag("thread", pk, stamp)

    def get_page_message(self, default=None):
        """Return the message that the page of a form was opened at, as it is now.

        That is `at`, if it is of the same thread as the message of the URL; else `default`, by
        primary key, or the message of the URL.
        """
        own = self.get_message(pk=default) if default else self.get_message()
        at = read_id(self.request.POST.get("at"))
        found = self.get_messages().filter(pk=at, thread=own.thread_id).first()
        return found or own

    def find_first_left(self, fields):
        """Return the id of the first message that is left of what a page says it shows; or 404.

        There it goes on where the message that it knows has gone. One that doesn't begin with the
        thread has opened all that it shows: it stays where it is, far down.
        """
        thread, state = read_id(fields.get("thread")), PageState.parse(fields)
        left = Message.objects.visible_to(self.request.user).filter(thread=thread).in_time_order()
        pks = left.values_list("pk", flat=True)
        shown = [] if state.levels else [run.parent for run in state.opened]
        if first := pks.filter(pk__in=shown).first() or pks.first():
            return first
        raise Http404

    def _build(self, message, state):
        try:
            tree = Tree(self.request.user, message, state)
        except Message.DoesNotExist as error:
            raise Http404 from error
        shown = PageState.of(tree.rows, is_branch=state.is_branch, levels=tree.levels)
        alive = (node.pk for node in (tree.top, message) if not node.is_deleted)
        top = next(alive, message.thread.last_message_id)
        return {
            "rows": render_list(self.request.user, message, tree.rows),
            "fields": shown.fields,
            "stamp": fragments.digest(shown),
            "marker": tree.marker,
            "above": tree.top.parent,
            "reply_url": reverse("messaging:reply-create", args=[top]) if top else "",
        }

    def _build_flat(self, message, state):
        page = Flat(self.request.user, message, state)
        if not page.rows:
            raise Http404
        first, _, deleted_at = page.first
        alive = message.thread.last_message_id if message.is_deleted else message.pk
        top = first if deleted_at is None else alive
        address = reverse("messaging:thread", args=[message.pk])
        return {
            "rows": render_list(self.request.user, message, page.rows),
            "fields": page.shown.fields,
            "stamp": fragments.digest(page.shown),
            "marker": page.marker,
            "above": None,
            "older": page.older and f"{address}?before={page.older}",
            "newer": page.newer and reverse("messaging:thread", args=[page.newer]),
            "reply_url": reverse("messaging:reply-create", args=[top]) if top else "",
        }


find_shown = Composed(
    # Neither texts nor what else is known of people: it would take twice as long to load.
    lambda viewer, pk: (
        Message.objects.visible_to(User(viewer))
        .filter(pk=pk)
        .select_related("sender", "receiver", "thread")
        .only(*COLUMNS)
        .annotate(
            is_wanted_flat=is_wanted_flat(User(viewer)),
            has_blocked=Exists(Block.objects.of_pair(User(viewer))),
        )
    )
)


class ShownThreadMixin(ThreadListMixin):
    """The list and the form at its foot, as a page shows them."""

    def get_message(self, **filters):
        if filters:
            return super().get_message(**filters)
        if found := find_shown(self.request.user.pk, self.kwargs["pk"]):
            return found[0]
        raise Http404

    def get_page_context(self, state):
        context = self.find_list_context(state)
        context["csrf_token"] = get_token(self.request)  # one for all forms: each is made anew
        return context | {"composer": render_composer(context), "rows_html": SLOT}

    def render_page(self, context):
        """Return the answer, with the rows put in when all around them is rendered."""
        response = self.render_to_response(self.get_context_data(**context))
        response.add_post_render_callback(partial(put_in, context["rows"]))
        return response


class ThreadView(ShownThreadMixin, PartialMixin, TemplateView):
    """The thread that holds a message, opened at it; polls itself."""

    template_name = "messaging/thread.html"
    partial_name = "thread-update"
    pane_name = "thread-pane"

    def get(self, request, *args, **kwargs):
        state = PageState.parse(request.GET)
        ptag = self.get_list_ptag(self.kwargs["pk"], fragments.digest(state))
        if not_modified := self.not_modified(ptag):
            return not_modified
        try:
            context = self.get_page_context(state)
        except Http404:
            if not request.htmx:
                raise
            self.kwargs["pk"] = self.find_first_left(request.GET)
            context = self.get_page_context(state) | {"is_moved": True}
        if not request.htmx:
            context["list_pane"] = render_list_beside(request.user, context["thread"])
        response = self.render_page(context)
        response["HX-PTag"] = context["ptag"]
        if "is_moved" in context:
            response["HX-Replace-Url"] = context["poll_url"]
        return response


class ReplyListView(ShownThreadMixin, PartialMixin, TemplateView):
    """The direct replies to a message: expanded in place, or the branch as a page of its own."""

    template_name = "messaging/thread.html"

    def get(self, request, *args, **kwargs):
        return self._expand() if request.htmx else self._show_branch()

    def _expand(self):
        message, query = self.get_message(), self.request.GET
        rows = expand(
            self.request.user,
            message,
            after=read_id(query.get("after")),
            before=read_id(query.get("before")),
            level=min(read_id(query.get("level")), DEEPEST_LEVEL),
        )
        fields = PageState.of(rows).fields
        return HttpResponse(render_rows(self.request.user, message, rows, fields))

    def _show_branch(self):
        context = self.get_page_context(PageState(is_branch=True)) | {"can_mark_unread": False}
        context["list_pane"] = render_list_beside(self.request.user, context["thread"])
        return self.render_page(context)


class ReadMarkerView(VisibleMessageMixin, PartialMixin, View):
    """Mark what one received: read up to this message, or unread from it on."""

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs):
        message = self.get_message()
        state = request.POST.get("state")
        if state == "read":
            ThreadService.mark_read(request.user, message=message)
            page = reverse("messaging:thread", args=[message.pk])
        elif state == "unread":
            ThreadService.mark_unread(request.user, message=message)
            page = reverse("messaging:inbox")
        else:
            return HttpResponse(status=422)
        if not request.htmx:
            return HttpResponseRedirect(page)
        refresh_mailbox(request)
        return render(request, "messaging/_counts.html")


class ViewChoiceView(VisibleMessageMixin, PartialMixin, View):
    """Show the thread of this message in time order from now on, or as a tree again."""

    http_method_names = ["post"]

    def post(self, request, *args, **kwargs):
        message, choice = self.get_message(), request.POST.get("view")
        if choice not in ("tree", "flat"):
            return HttpResponse(status=422)
        ThreadService.choose_view(request.user, message=message, is_flat=choice == "flat")
        page = reverse("messaging:thread", args=[message.pk])
        return HttpResponseClientRedirect(page) if request.htmx else HttpResponseRedirect(page)


def render_composer(context):
    """Return the form at the foot, which replies to where the page begins; "" if nobody could.

    Who has blocked the other person is told so instead.
    """
    if not context["other_name"] or not context["reply_url"]:
        return ""
    words = {
        "csrf_token": context["csrf_token"],
        "client_token": str(uuid.uuid4()),
        "reply_url": context["reply_url"],
        "other_name": context["other_name"],
        "notice": blocked_notice(context["other_name"]) if context["has_blocked"] else "",
    }
    return COMPOSER.fill({"has_blocked": context["has_blocked"]}, words)


def _composer_context(words):
    return words | {
        "form": ReplyForm(auto_id="composer-%s", initial={"client_token": words["client_token"]}),
        "composer_id": "composer",
    }


COMPOSER = Skeleton("messaging/message_form.html#composer", _composer_context)
