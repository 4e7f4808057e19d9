"""The addresses of messages: a contract, paths and names stay."""

from django.urls import path

from .views.access import AccessView
from .views.blocks import BlockListView, BlockView
from .views.compose import MessageCreateView
from .views.conversation import ConversationView
from .views.inbox import InboxView
from .views.messages import (
    HistoryView,
    MessageDeleteView,
    MessageUpdateView,
    MessageView,
    ReplyCreateView,
)
from .views.notifications import (
    NotificationListView,
    NotificationReadAllView,
    NotificationReadView,
)
from .views.people import PersonSearchView
from .views.threads import ReadMarkerView, ReplyListView, ThreadView, ViewChoiceView

app_name = "messaging"

urlpatterns = [
    path("inbox/", InboxView.as_view(), name="inbox"),
    path("messages/new/", MessageCreateView.as_view(), name="message-create"),
    path("messages/<int:pk>/", ThreadView.as_view(), name="thread"),
    path("messages/<int:pk>/replies/", ReplyListView.as_view(), name="reply-list"),
    path("messages/<int:pk>/reply/", ReplyCreateView.as_view(), name="reply-create"),
    path("messages/<int:pk>/edit/", MessageUpdateView.as_view(), name="message-update"),
    path("messages/<int:pk>/history/", HistoryView.as_view(), name="history"),
    path("messages/<int:pk>/delete/", MessageDeleteView.as_view(), name="message-delete"),
    path("messages/<int:pk>/message/", MessageView.as_view(), name="message"),
    path("messages/<int:pk>/access/", AccessView.as_view(), name="access"),
    path("messages/<int:pk>/read/", ReadMarkerView.as_view(), name="read-marker"),
    path("messages/<int:pk>/view/", ViewChoiceView.as_view(), name="thread-view"),
    path("conversation/", ConversationView.as_view(), name="conversation"),
    path("conversation/<str:username>/", ConversationView.as_view(), name="conversation"),
    path("notifications/", NotificationListView.as_view(), name="notification-list"),
    path("notifications/read/", NotificationReadAllView.as_view(), name="notification-read-all"),
    path("notifications/<int:pk>/read/", NotificationReadView.as_view(), name="notification-read"),
    path("people/", PersonSearchView.as_view(), name="person-search"),
    path("people/blocked/", BlockListView.as_view(), name="block-list"),
    path("people/<str:username>/block/", BlockView.as_view(), name="block"),
]
