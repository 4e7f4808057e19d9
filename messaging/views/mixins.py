from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import patch_vary_headers

from messaging import fragments
from messaging.models import Mailbox, Message
from messaging.services import MessageService
from messaging.throttles import FIRST_LETTER, POLL, SEND, Throttled, count, count_look


class PartialMixin:
    """Serve one URL as a whole page, or as one named partial of that page to htmx.

    OPTIONS is answered like any other verb that a URL doesn't have: 405, with `Allow`.
    """

    http_method_names = ["get", "head", "post"]
    partial_name = ""
    pane_name = ""  # of the partial that fills the pane beside the list

    def get_template_names(self):
        names = super().get_template_names()
        if partial := self._choose_partial():
            return [f"{name}#{partial}" for name in names]
        return names

    def _choose_partial(self):
        if not self.request.htmx:
            return ""
        return self.pane_name if self.pane_name and self.is_for_pane else self.partial_name

    @property
    def is_for_pane(self):
        """Whether htmx opens the page in the pane beside the list."""
        return (self.request.htmx.target or "").endswith("#pane")

    def dispatch(self, request, *args, **kwargs):
        response = super().dispatch(request, *args, **kwargs)
        patch_vary_headers(response, ["HX-Request"])
        return response


class PollMixin:
    """Answer htmx with an empty 304 while nothing that the list shows has changed.

    A ptag is to one element what an ETag is to a page: htmx sends back the last one as `HX-PTag`.
    Ours names the person, the version of the mailbox, and all else that the list depends on.
    """

    def get_ptag(self, *parts):
        return make_ptag(self.request.user, *parts)

    def not_modified(self, ptag):
        """Return the 304 if the list that the client has is this one, else None.

        A page of somebody who has signed out meanwhile is told to load anew.
        """
        sent = self.request.META  # not `headers`: to make them out of it costs a poll 2 %
        if sent.get("HTTP_PARLEY_PERSON", own := str(self.request.user.pk)) != own:
            return HttpResponse(headers={"HX-Refresh": "true"})
        if "HTTP_HX_PTAG" in sent:
            count_look(POLL, self.request.session.session_key)
        if sent.get("HTTP_HX_PTAG") == ptag and sent.get("HTTP_HX_REQUEST") == "true":
            response = HttpResponse(status=304, headers={"HX-PTag": ptag})
            response._csp_exempt = True  # nothing is rendered from it: spare django-csp the work
            return response
        return None


class SendMixin:
    """Let a person send so much, and no more."""

    def count_sending(self, form):
        """Count one more message, valid or not; raise Throttled if that is too many.

        One that has arrived may be sent again: its sender hasn't heard of that yet.
        """
        user, data = self.request.user, form.cleaned_data
        subjects = {SEND: user.pk}
        if "to" in data and not form.standing.shares_message:
            subjects[FIRST_LETTER] = user.pk
        try:
            count(subjects)
        except Throttled:
            if not MessageService.has_sent(user, data.get("client_token")):
                raise


class VisibleMessageMixin:
    """Find the message of the URL among those that the person may see; 404 for all others."""

    def get_messages(self):
        message_set = Message.objects.visible_to(self.request.user)
        return message_set.with_people().select_related("thread")

    def get_message(self, **filters):
        return get_object_or_404(self.get_messages(), **({"pk": self.kwargs["pk"]} | filters))


def make_ptag(user, *parts):
    versions = (user.pk, Mailbox.of(user).version, *parts)
    return fragments.digest(fragments.key("ptag", *versions))


def refresh_mailbox(request):
    """Read the person's mailbox anew, after a write: the answer tells versions and counts."""
    # There is none where the person has left in another tab, a moment ago.
    request.user.mailbox = Mailbox.objects.filter(pk=request.user.pk).first() or Mailbox()
