from django.http import HttpResponseRedirect
from django.urls import reverse
from django.views.generic import FormView
from django_htmx.http import HttpResponseClientRedirect

from messaging.forms import ComposeForm
from messaging.services import Blocked, MessageService, ReceiverUnavailable, TokenReused
from messaging.throttles import Throttled

from .mixins import PartialMixin, SendMixin


class MessageCreateView(SendMixin, PartialMixin, FormView):
    """Write to somebody; `?to=` fills in the name."""

    template_name = "messaging/compose.html"
    partial_name = "composer"
    form_class = ComposeForm

    def get_initial(self):
        return {"to": self.request.GET.get("to", "")}

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"sender": self.request.user}

    def get_form(self, form_class=None):
        form = super().get_form(form_class)
        empty = "content" if form.initial["to"] else "to"
        if not form.is_bound:
            form.fields[empty].widget.attrs["autofocus"] = True
        return form

    def post(self, request, *args, **kwargs):
        form = self.get_form()
        is_valid = form.is_valid()
        try:
            self.count_sending(form)  # a wrong name too: or else one could try out who is here
        except Throttled as throttled:
            form.ask_to_wait(throttled.retry_after)
            return self.form_invalid(form, status=429, headers=throttled.headers)
        return self.form_valid(form) if is_valid else self.form_invalid(form)

    def form_valid(self, form):
        data = form.cleaned_data
        try:
            message = MessageService.send(
                self.request.user,
                receiver=data["to"],
                content=data["content"],
                client_token=data["client_token"],
            )
        except TokenReused:
            form.refuse_token()
            return self.form_invalid(form, status=409)
        except Blocked:
            form.refuse_blocked(data["to"], "to")
            return self.form_invalid(form)
        except ReceiverUnavailable:
            form.refuse_receiver()
            return self.form_invalid(form)
        return self.go_to(reverse("messaging:thread", args=[message.pk]))

    def form_invalid(self, form, status=422, headers=None):
        form.focus_first_error()
        context = self.get_context_data(form=form)
        return self.render_to_response(context, status=status, headers=headers)

    def go_to(self, address):
        if self.request.htmx:
            return HttpResponseClientRedirect(address)
        return HttpResponseRedirect(address)
