"""Short ways to say what the tests of the domain say often."""

from messaging.models import Mailbox, Message, Notification, Participation


def write(sender, receiver, content="Hello", **more):
    return Message.objects.create(sender=sender, receiver=receiver, content=content, **more)


def reply(message, content="Yes?", **more):
    """Answer a message, from the one who received it."""
    return write(message.receiver, message.sender, content, parent_message=message, **more)


def fresh(row):
    """Return the row as the database has it now."""
    return type(row)._base_manager.get(pk=row.pk)


def versions(*people):
    """Return the versions of these people's mailboxes, by name."""
    rows = Mailbox.objects.filter(user__in=people).values_list("user__username", "version")
    return dict(rows)


def unread(person):
    return Mailbox.objects.get(user=person).unread_count


def place(message, person):
    return Participation.objects.get(thread=message.thread_id, user=person)


def bell(person):
    return Notification.objects.visible_to(person).unread().count()
