from django.http import HttpResponseRedirect
from django.urls import reverse
from django.views.generic import FormView
from django_htmx.http import HttpResponseClientRedirect

from messaging.forms import ComposeForm
from messaging.services import MessageService, ReceiverUnavailable, TokenReused

from .mixins import PartialMixin


class MessageCreateView(PartialMixin, FormView):
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
        except ReceiverUnavailable:
            form.refuse_receiver()
            return self.form_invalid(form)
        return self.go_to(reverse("messaging:thread", args=[message.pk]))

    def form_invalid(self, form, status=422):
        form.focus_first_error()
        return self.render_to_response(self.get_context_data(form=form), status=status)

    def go_to(self, address):
        if self.request.htmx:
            return HttpResponseClientRedirect(address)
        return HttpResponseRedirect(address)
