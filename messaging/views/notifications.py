from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.generic import TemplateView
from django.views.generic.base import ContextMixin, TemplateResponseMixin, View

from messaging import fragments
from messaging.models import AccessNotice, Notification
from messaging.paging import Page, PageKey, newest_first
from messaging.services import NotificationService

from .mixins import PartialMixin, PollMixin, refresh_mailbox

PAGE_SIZE = 25


class NotificationPageMixin(PollMixin):
    """What the list shows: of the person's notifications, the page that `?before=` names."""

    template_name = "messaging/notification_list.html"

    def get_context_data(self, **kwargs):
        before = PageKey.parse(self.request.GET.get("before"))
        user, before_key = self.request.user, str(before or "")
        return super().get_context_data(
            before=before_key,
            list_key=fragments.mailbox_key("notifications", user, before_key),
            list_lifetime=fragments.LIFETIME,
            ptag=self.get_ptag("notifications", before or ""),
            page=self.get_page(before),
            notice_list=None if before else self.get_notices(),
            **kwargs,
        )

    def get_notices(self):
        """Return what the person has to take note of, which stands before all pages."""
        notices = AccessNotice.objects.visible_to(self.request.user)
        return notices.with_people().newest_first()[:PAGE_SIZE]

    def get_page(self, before):
        found = Notification.objects.visible_to(self.request.user).with_message()
        return Page(
            lambda limit: newest_first(found, "created_at", before=before, limit=limit),
            "created_at",
            size=PAGE_SIZE,
        )


class NotificationListView(PartialMixin, NotificationPageMixin, TemplateView):
    """The bell: who wrote, newest first; the list keeps itself fresh."""

    http_method_names = ["get", "head"]
    partial_name = "notifications-update"

    def get(self, request, *args, **kwargs):
        context = self.get_context_data()
        if not_modified := self.not_modified(context["ptag"]):
            return not_modified
        response = self.render_to_response(context)
        response["HX-PTag"] = context["ptag"]
        return response


class ReadView(PartialMixin, ContextMixin, TemplateResponseMixin, View):
    """Marks something read: htmx gets what changed, a plain form goes back to the list."""

    http_method_names = ["post"]
    template_name = "messaging/notification_list.html"

    def post(self, request, *args, **kwargs):
        context = self.mark_read()
        if request.htmx:
            refresh_mailbox(request)
            return self.render_to_response(self.get_context_data(**context))
        return HttpResponseRedirect(reverse("messaging:notification-list"))


class NotificationReadView(ReadView):
    partial_name = "notification-update"

    def mark_read(self):
        notification_set = Notification.objects.visible_to(self.request.user).with_message()
        notification = get_object_or_404(notification_set, pk=self.kwargs["pk"])
        NotificationService.mark_read(notification)
        notification.is_read = True
        # Its button is gone from the answer: the caret goes to the line.
        return {"notification": notification, "is_focused": True}


class NotificationReadAllView(NotificationPageMixin, ReadView):
    partial_name = "notifications-update"

    def mark_read(self):
        NotificationService.mark_all_read(self.request.user)
        return {}
