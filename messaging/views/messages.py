from dataclasses import dataclass, replace
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView, View
from django_htmx.http import HttpResponseClientRedirect

from messaging.forms import EditForm, ReplyForm, blocked_notice
from messaging.ids import dom_id, read_id
from messaging.models import Message, Standing
from messaging.page_state import PageState, Run
from messaging.services import (
    Blocked,
    EditConflict,
    MessageService,
    ParentDeleted,
    ReceiverUnavailable,
    TokenReused,
    TooManyRevisions,
)
from messaging.text import diff_words
from messaging.throttles import EDIT, Throttled, count
from messaging.tree import PAGE

from .articles import make_articles
from .mixins import PartialMixin, SendMixin, VisibleMessageMixin, refresh_mailbox
from .threads import ThreadListMixin


class MessageView(VisibleMessageMixin, PartialMixin, View):
    """One message as a fragment, as Cancel wants it; opened directly, its place in the thread."""

    http_method_names = ["get", "head"]

    def get(self, request, *args, **kwargs):
        message = self.get_message()
        if request.htmx:
            return render_article(request, message)
        return redirect("messaging:thread", message.pk)


class OwnMessageMixin(VisibleMessageMixin):
    """Only the author may: others who may see the message get 403. A tombstone is not there."""

    def get_own_message(self):
        message = self.get_message(deleted_at__isnull=True)
        if message.sender_id != self.request.user.pk:
            raise PermissionDenied
        return message


class MessageUpdateView(OwnMessageMixin, PartialMixin, TemplateView):
    """The editor of a message: in its place, or a page."""

    template_name = "messaging/message_form.html"
    partial_name = "editor"

    def get(self, request, *args, **kwargs):
        message = self.get_own_message()
        initial = {"content": message.content, "revision": message.revision}
        form = EditForm(initial=initial, auto_id=f"message-{message.pk}-%s")
        return self.show(message, form)

    def post(self, request, *args, **kwargs):
        message = self.get_own_message()
        form = EditForm(
            request.POST,
            initial={"revision": message.revision},
            auto_id=f"message-{message.pk}-%s",
        )
        if not form.is_valid():
            return self.show(message, form, status=422)
        try:
            count({EDIT: request.user.pk})
            message = MessageService.edit(message, **form.cleaned_data)
        except Throttled as throttled:
            form.ask_to_wait(throttled.retry_after)
            return self.show(message, form, status=429, headers=throttled.headers)
        except ReceiverUnavailable:
            form.refuse_receiver()
            return self.show(message, form, status=422)
        except TooManyRevisions:
            form.add_error(None, EDITED_OUT)
            return self.show(message, form, status=422)
        except EditConflict as conflict:
            form.initial["revision"] = conflict.message.revision
            form.renew()
            return self.show(message, form, status=409, conflict=conflict.message)
        except Message.DoesNotExist as error:
            raise Http404 from error
        if request.htmx:
            return render_article(request, self.get_message())
        return redirect("messaging:thread", message.pk)

    def show(self, message, form, status=200, headers=None, **context):
        form.fields["content"].widget.attrs["autofocus"] = True
        cancel = {
            "cancel_url": reverse("messaging:message", args=[message.pk]),
            "cancel_target": f"#{dom_id('message', message.pk)}",
        }
        context = self.get_context_data(**context, message=message, form=form, **cancel)
        return self.render_to_response(context, status=status, headers=headers)


class ReplyCreateView(SendMixin, ThreadListMixin, PartialMixin, TemplateView):
    """The form of a reply: under its message, at the foot of a thread, or a page of its own."""

    template_name = "messaging/message_form.html"
    partial_name = "composer"

    def get(self, request, *args, **kwargs):
        message = self.get_message()
        is_in_place = bool(request.htmx)
        form = ReplyForm(auto_id=_auto_id(message, is_in_place))
        if message.is_deleted:
            return self.show(message, form, is_in_place, status=422, problem=DELETED)
        other = message.other_person(request.user)
        if Standing.of(request.user, other).has_blocked:
            notice = blocked_notice(other.get_username())
            return self.show(message, form, is_in_place, has_blocked=True, notice=notice)
        return self.show(message, form, is_in_place)

    def post(self, request, *args, **kwargs):
        is_in_place = "in_place" in request.POST
        try:
            message = self.get_message()
        except Http404:
            if is_in_place or not request.htmx:
                raise
            message = self.get_message(pk=self.find_first_left(request.POST))
            return self.show_next(message, ReplyForm(request.POST, auto_id="composer-%s"))
        form = ReplyForm(request.POST, auto_id=_auto_id(message, is_in_place))
        status, headers = 422, None
        if form.is_valid():
            try:
                self.count_sending(form)
                reply = MessageService.send(
                    request.user,
                    receiver=message.other_person(request.user),
                    parent=message,
                    **form.cleaned_data,
                )
                return self.answer(message, reply, is_in_place)
            except Throttled as throttled:
                form.ask_to_wait(throttled.retry_after)
                status, headers = 429, throttled.headers
            except TokenReused:
                form.refuse_token()
                status = 409
            except ParentDeleted:
                if request.htmx and not is_in_place:
                    return self.show_next(message, form)
                form.add_error(None, DELETED)
            except Blocked:
                form.refuse_blocked(message.other_person(request.user))
            except ReceiverUnavailable:
                form.refuse_receiver()
        return self.show(message, form, is_in_place, status=status, headers=headers)

    def show(self, message, form, is_in_place, status=200, headers=None, **context):
        form.fields["content"].widget.attrs["autofocus"] = True
        context = {
            "message": message,
            "reply_url": reverse("messaging:reply-create", args=[message.pk]),
            "form": form,
            "is_in_place": is_in_place,
            "composer_id": _composer_id(message, is_in_place),
            "cancel_url": reverse("messaging:message", args=[message.pk]),
            "cancel_target": f"#{dom_id('message', message.pk)}",
        } | context
        context = self.get_context_data(**context)
        return self.render_to_response(context, status=status, headers=headers)

    def show_next(self, message, form):
        """Show the form at the foot again, which replied to what is deleted, for what is left."""
        form.add_error(None, DELETED)
        page = self.get_page_message(default=message.pk)
        context = self.get_list_context(page, PageState.parse(self.request.POST))
        return self.show(message, form, False, status=422, reply_url=context["reply_url"])

    def answer(self, message, reply, is_in_place):
        """Show the list with the reply in it, and an empty form where the full one was."""
        if not self.request.htmx:
            return redirect("messaging:thread", reply.pk)
        refresh_mailbox(self.request)
        # All replies of a small branch; of a large one, this reply is enough.
        is_small = message.reply_count < PAGE
        run = Run(message.pk) if is_small else Run(message.pk, reply.pk - 1)
        state = PageState.parse(self.request.POST)
        state = replace(state, opened=(*state.opened, run))
        context = self.get_list_context(self.get_page_message(), state)
        if context["newer"]:  # an old page in the order of time: the reply is further on
            return HttpResponseClientRedirect(reverse("messaging:thread", args=[reply.pk]))
        context |= {
            "reply_url": reverse("messaging:reply-create", args=[message.pk]),
            "form": ReplyForm(auto_id=_auto_id(message, is_in_place)),
            "is_in_place": is_in_place,
            "composer_id": _composer_id(message, is_in_place),
        }
        response = render(self.request, "messaging/thread.html#reply-answer", context)
        response["Parley-Message"] = reply.pk  # so that it can be taken back
        return response


class MessageDeleteView(OwnMessageMixin, ThreadListMixin, PartialMixin, TemplateView):
    """Unsend: asks first; leaves a tombstone where replies hang on the message."""

    template_name = "messaging/message_confirm_delete.html"
    partial_name = "confirmation"

    def get(self, request, *args, **kwargs):
        context = self.get_context_data(message=self.get_own_message())
        return self.render_to_response(context)

    def post(self, request, *args, **kwargs):
        message = self.get_own_message()
        MessageService.delete(message)
        left = self.find_left(message)
        page = reverse("messaging:thread", args=[left]) if left else reverse("messaging:inbox")
        if not request.htmx:
            return HttpResponseRedirect(page)
        refresh_mailbox(request)
        context = {"deleted_pk": message.pk}
        if request.POST.get("thread") == str(message.thread_id):  # the page shows that thread
            here = self.get_messages().filter(thread=message.thread_id)
            shown = here.filter(pk=read_id(request.POST.get("at"))).first()
            if shown is None:
                return HttpResponseClientRedirect(page)
            context |= self.get_list_context(shown, PageState.parse(request.POST))
            context["tombstone"] = left == message.pk
        return render(request, "messaging/thread.html#delete-answer", context)

    def find_left(self, message):
        """Return what is left of the thread: the tombstone, what it answered, or the first one."""
        left = Message.objects.visible_to(self.request.user).filter(thread=message.thread_id)
        near = left.filter(pk__in=[message.pk, message.parent_message_id or 0]).order_by("-pk")
        pks = (found.values_list("pk", flat=True).first() for found in (near, left.in_time_order()))
        return next(filter(None, pks), None)


@dataclass
class Version:
    """One text of a message: since when, and what it changed of the one before."""

    at: datetime
    pieces: list


class HistoryView(VisibleMessageMixin, PartialMixin, TemplateView):
    """Every version of a message, newest first, for both who share it; a popover, or a page."""

    http_method_names = ["get", "head"]
    template_name = "messaging/history.html"
    partial_name = "version-list"

    def get(self, request, *args, **kwargs):
        message = self.get_message(deleted_at__isnull=True)
        context = self.get_context_data(message=message, versions=get_versions(message))
        return self.render_to_response(context)


def get_versions(message):
    """Return the versions of a message, newest first."""
    # Not what an edit has added since the message was loaded: its text is that of its revision.
    earlier = list(message.history.filter(revision__lt=message.revision).order_by("revision"))
    texts = [row.old_content for row in earlier] + [message.content]
    times = [message.timestamp] + [row.edited_at for row in earlier]
    befores = [texts[0], *texts]
    versions = map(Version, times, map(diff_words, befores, texts))
    return list(versions)[::-1]


def render_article(request, message):
    """Return the response that holds one message alone, for those who look at it now."""
    names = {message.sender_id: message.sender and message.sender.get_username()}
    accessed = {message.pk} if message.access_records.exists() else ()
    articles = make_articles([message], request.user, names, accessed=accessed)
    if message.pk not in articles:
        raise Http404
    return render(request, "messaging/_message.html", {"article": articles[message.pk]})


EDITED_OUT = _("This message has been edited so often that it stays as it is now.")
DELETED = _("This message has been deleted: nobody can reply to it.")


def _composer_id(message, is_in_place):
    return dom_id("message", message.pk, "reply") if is_in_place else "composer"


def _auto_id(message, is_in_place):
    return f"{_composer_id(message, is_in_place)}-%s"
