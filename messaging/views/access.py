from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.generic import TemplateView

from messaging.services import AccessService

from .mixins import PartialMixin, VisibleMessageMixin, refresh_mailbox


class AccessView(VisibleMessageMixin, PartialMixin, TemplateView):
    """When the staff has read a message, and why, for both who share it; POST takes note of it."""

    template_name = "messaging/access.html"
    partial_name = "record-list"

    def get(self, request, *args, **kwargs):
        message = self.get_message()
        record_list = message.access_records.order_by("-pk")
        context = self.get_context_data(message=message, record_list=record_list)
        return self.render_to_response(context)

    def post(self, request, *args, **kwargs):
        AccessService.take_note(request.user, message=self.get_message())
        if not request.htmx:
            return HttpResponseRedirect(reverse("messaging:notification-list"))
        refresh_mailbox(request)
        return render(request, "messaging/_counts.html")
