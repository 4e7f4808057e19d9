"""What is stored as a number, as it follows from the messages alone."""

from django.db.models import Count, F, Max, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from messaging.models import Mailbox, Message, Participation, Thread


def derive(rows):
    """Set what is counted anew in these rows: of messages, threads, participations or mailboxes."""
    return rows.update(**DERIVED[rows.model])


def wrong(rows):
    """Return those of the rows that count something wrong."""
    counted = {f"counted_{name}": expression for name, expression in DERIVED[rows.model].items()}
    # Both may be null, and null is equal to nothing.
    right = [
        Q(**{name: F(f"counted_{name}")})
        | Q(**{f"{name}__isnull": True, f"counted_{name}__isnull": True})
        for name in DERIVED[rows.model]
    ]
    return rows.annotate(**counted).exclude(Q(*right))


def _aggregate(rows, by, function):
    rows = rows.order_by().values(by).annotate(found=function)
    return Subquery(rows.values("found"))


def _count(rows, by):
    return Coalesce(_aggregate(rows, by, Count("*")), 0)


LIVE = Message.objects.not_deleted()
REPLIES = LIVE.filter(parent_message=OuterRef("pk"))
IN_THREAD = LIVE.filter(thread=OuterRef("pk"))
HERE = LIVE.filter(thread=OuterRef("thread"))
RECEIVED = HERE.filter(receiver=OuterRef("user"), read=False)
SENT = HERE.filter(sender=OuterRef("user"))
PLACES = Participation.objects.unread().filter(user=OuterRef("user"))

DERIVED = {
    Message: {"reply_count": _count(REPLIES, "parent_message")},
    Thread: {
        "message_count": _count(IN_THREAD, "thread"),
        "last_message": Subquery(IN_THREAD.order_by("-timestamp", "-pk").values("pk")[:1]),
    },
    Participation: {
        "unread_count": _count(RECEIVED, "thread"),
        "last_activity": Coalesce(_aggregate(HERE, "thread", Max("timestamp")), F("last_activity")),
        "sent_at": _aggregate(SENT, "thread", Max("timestamp")),
    },
    Mailbox: {
        "unread_count": Coalesce(_aggregate(PLACES, "user", Sum("unread_count")), 0),
    },
}
