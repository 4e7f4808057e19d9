"""The admin shows metadata. What people wrote to each other is not for browsing.

Text needs the permission `messaging.view_message_text`, held by a row for the person or one of
their groups: being a superuser is not enough. It is shown by an action that asks for a reason and
keeps that reason, for the log and for the two people themselves, who see it; it is in no column,
form or search otherwise.
"""

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Length
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from .cache import Breaker
from .forms import ReasonForm
from .ids import read_id
from .models import AccessRecord, Block, Mailbox, Message, MessageHistory, Notification
from .services import AccessService
from .tally import counts

NAME = get_user_model().USERNAME_FIELD
PREVIEW_LENGTH = 50  # characters


class NoGuessingMixin:
    """Django lets the address filter by any field: text could be guessed letter by letter."""

    def lookup_allowed(self, lookup, value, request=None):
        if {"content", "old_content"} & set(lookup.split("__")):
            return False
        return super().lookup_allowed(lookup, value, request)


class ReadOnlyMixin(NoGuessingMixin):
    """Rows that follow from messages: to be looked at only."""

    def has_add_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        # Django asks this of every row that goes along, too, when a person or a message is deleted.
        own = f"{self.opts.app_label}_{self.opts.model_name}_"
        return not request.resolver_match.url_name.startswith(own)


@admin.register(Message)
class MessageAdmin(NoGuessingMixin, admin.ModelAdmin):
    list_display = ("id", "sender", "receiver", "content_preview", "timestamp", "read", "edited")
    list_filter = ("timestamp", "read")
    search_fields = (f"sender__{NAME}", f"receiver__{NAME}")
    search_help_text = _("Names of senders and receivers; texts are not searched.")
    list_select_related = ("sender", "receiver")
    ordering = ("-timestamp", "-id")
    raw_id_fields = ("sender", "receiver", "parent_message")
    actions = ("show_text",)
    show_full_result_count = False

    @admin.display(description=_("preview"))
    def content_preview(self, message):
        """The first 50 characters: for the page that follows a reason given, and for no other."""
        return Truncator(message.content).chars(PREVIEW_LENGTH)

    @admin.display(description=_("characters"))
    def content_length(self, message):
        return message.length

    def get_list_display(self, request):
        return [
            "content_length" if name == "content_preview" else name for name in self.list_display
        ]

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(length=Length("content")).defer("content")

    def get_fields(self, request, obj=None):
        if obj is None:
            return ("sender", "receiver", "parent_message", "content")
        return ("read", *self.get_readonly_fields(request, obj))

    def get_readonly_fields(self, request, obj=None):
        if obj is None:
            return ()
        return (
            "sender",
            "receiver",
            "parent_message",
            "thread",
            "timestamp",
            "content_length",
            "revision",
            "edited_at",
            "read_at",
            "deleted_at",
        )

    # --- Text ---

    def has_view_message_text_permission(self, request):
        mine = Q(user=request.user) | Q(group__user=request.user)
        return Permission.objects.filter(
            mine, content_type__app_label="messaging", codename="view_message_text"
        ).exists()

    @admin.action(description=_("Show the text…"), permissions=["view_message_text"])
    def show_text(self, request, queryset):
        """Ask for a reason; once it is given, record it for both parties, and show the texts."""
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        chosen = list(queryset.values_list("pk", flat=True))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Show the text of messages"),
            "opts": self.opts,
            "chosen": chosen,
            "form": form,
        }
        if form.is_valid():
            texts = self._read_text(request, chosen, form.cleaned_data["reason"])
            context["texts"] = [(message, self.content_preview(message)) for message in texts]
        return TemplateResponse(request, "admin/messaging/message/show_text.html", context)

    @transaction.atomic
    def _read_text(self, request, chosen, reason):
        message_list = AccessService.read_text(request.user, chosen, reason=reason)
        for message in message_list:
            self.log_change(request, message, f"Read the text. Reason: {reason}")
        return message_list


@admin.register(AccessRecord)
class AccessRecordAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("message", "staff", "accessed_at", "reason")
    list_filter = ("accessed_at",)
    list_select_related = ("message", "staff")
    search_fields = (f"staff__{NAME}",)
    fields = list_display
    ordering = ("-accessed_at", "-id")


@admin.register(MessageHistory)
class MessageHistoryAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("message", "revision", "edited_at", "editor")
    list_filter = ("edited_at",)
    list_select_related = ("message", "editor")
    fields = list_display
    ordering = ("-edited_at",)


@admin.register(Notification)
class NotificationAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("user", "message", "created_at", "is_read")
    list_filter = ("created_at", "is_read")
    search_fields = (f"user__{NAME}",)
    list_select_related = ("user", "message")
    fields = list_display
    ordering = ("-created_at", "-id")


@admin.register(Block)
class BlockAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("blocker", "blocked", "created_at")
    list_select_related = ("blocker", "blocked")
    search_fields = (f"blocker__{NAME}", f"blocked__{NAME}")
    fields = list_display
    ordering = ("-created_at", "-id")


@admin.register(Mailbox)
class MailboxAdmin(ReadOnlyMixin, admin.ModelAdmin):
    list_display = ("user", "version", "unread_count")
    list_select_related = ("user",)
    search_fields = (f"user__{NAME}",)
    fields = list_display
    ordering = ("user",)
    change_list_template = "admin/messaging/mailbox/change_list.html"

    def get_urls(self):
        view = self.admin_site.admin_view(self.cache_view)
        return [path("cache/", view, name="messaging_cache"), *super().get_urls()]

    def get_object(self, request, object_id, from_field=None):
        # Of a number that is too large to be an id Django spares a database, but not of one that
        # leads to another table.
        return super().get_object(request, str(read_id(object_id)), from_field)

    def cache_view(self, request):
        """How the fragment cache does, and the site, as this process has seen it."""
        hits, misses = counts["hits"], counts["misses"]
        context = {
            **self.admin_site.each_context(request),
            "title": _("Cache and refusals"),
            "opts": self.opts,
            "hits": hits,
            "misses": misses,
            "counts": counts,
            "open_addresses": Breaker.open_addresses(),
            "ratio": round(100 * hits / (hits + misses)) if hits + misses else None,
        }
        return TemplateResponse(request, "admin/messaging/cache.html", context)
