"""Threads of any shape, written in a few statements; for tests of what a page shows of them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.management.color import no_style
from django.db import connection
from django.db.models import Count, Max

from messaging.models import Message, Participation, Thread
from messaging.services import MailboxService

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@dataclass
class Shape:
    """One message of a thread to be grown; `parent` is its place in the list of shapes."""

    parent: int | None = None
    is_mine: bool = False  # written by the viewer
    is_read: bool = True
    is_deleted: bool = False
    minute: int | None = None  # when; by default in the order of the list


def grow(viewer, other, shapes, *, onto=()):
    """Write a thread of these shapes, in this order; return all its messages.

    With `onto`, the messages of a thread that stands already, they are added to it, and parents
    are counted from its first message on.
    """
    message_list = list(onto)
    thread = message_list[0].thread if onto else Thread.objects.create()
    first_pk = (Message.objects.aggregate(last=Max("pk"))["last"] or 0) + 1
    for pk, shape in enumerate(shapes, first_pk):
        parent = None if shape.parent is None else message_list[shape.parent]
        sender, receiver = (viewer, other) if shape.is_mine else (other, viewer)
        minute = len(message_list) if shape.minute is None else shape.minute
        message_list.append(
            Message(
                pk=pk,
                sender=sender,
                receiver=receiver,
                content="" if shape.is_deleted else f"Number {pk}.",
                timestamp=NOON + timedelta(minutes=minute),
                read=shape.is_read,
                parent_message=parent,
                thread=thread,
                depth=parent.depth + 1 if parent else 0,
                deleted_at=NOON if shape.is_deleted else None,
            )
        )
    Message.objects.bulk_create(message_list[len(onto) :])
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Message]):
            cursor.execute(statement)
    _count(thread, viewer, other)
    return message_list


def _count(thread, viewer, other):
    """Set all that is counted of the thread, as the services would have."""
    living = Message.objects.filter(thread=thread).not_deleted()
    replies = living.order_by().values("parent_message").annotate(number=Count("pk"))
    numbers = {row["parent_message"]: row["number"] for row in replies}
    parents = list(Message.objects.filter(pk__in=[pk for pk in numbers if pk]))
    for parent in parents:
        parent.reply_count = numbers[parent.pk]
    Message.objects.bulk_update(parents, ["reply_count"], batch_size=200)
    thread.message_count = living.count()
    thread.last_message = living.order_by("timestamp", "pk").last()
    thread.version += 1
    thread.save()
    for person in (viewer, other):
        unread = living.received_by(person).unread().count()
        Participation.objects.update_or_create(
            thread=thread, user=person, defaults={"unread_count": unread, "last_activity": NOON}
        )
    MailboxService.recount([viewer.pk, other.pk])
