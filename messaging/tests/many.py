"""Many rows at once, as the services would leave them; for tests that count queries."""

from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import F

from messaging.models import Mailbox, Message, Notification, Participation, Thread

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def write_many(sender, receiver, number):
    """Start `number` threads of one unread message each, a minute apart."""
    threads = Thread.objects.bulk_create(Thread(message_count=1) for _ in range(number))
    message_list = Message.objects.bulk_create(
        Message(
            sender=sender,
            receiver=receiver,
            content=f"Number {minute}.",
            timestamp=NOON + timedelta(minutes=minute),
            thread=thread,
        )
        for minute, thread in enumerate(threads)
    )
    for message in message_list:
        message.thread.last_message = message
    Thread.objects.bulk_update(threads, ["last_message"], batch_size=200)
    Participation.objects.bulk_create(
        Participation(
            thread=message.thread,
            user=person,
            last_activity=message.timestamp,
            sent_at=message.timestamp if person == sender else None,
            unread_count=int(person == receiver),
        )
        for message in message_list
        for person in (sender, receiver)
    )
    Notification.objects.bulk_create(
        Notification(user=receiver, message=message, created_at=message.timestamp)
        for message in message_list
    )
    Mailbox.objects.filter(user__in=[sender, receiver]).update(version=F("version") + 1)
    Mailbox.objects.filter(user=receiver).update(unread_count=F("unread_count") + number)
    return message_list


def forget_statistics():
    """Let SQLite choose as on a new site: other tests may have had it count their few rows."""
    with connection.cursor() as cursor:
        tables = cursor.execute("SELECT name FROM sqlite_master").fetchall()
        if ("sqlite_stat1",) in tables:
            cursor.execute("DELETE FROM sqlite_stat1")
        cursor.execute("ANALYZE sqlite_master")  # reads what is left: nothing
