"""All that a person can read here, in one piece of JSON, told message by message.

It is read in portions of their own: no reader holds the database for as long as a slow download
takes. The words are those of the database; names are as pages show them.
"""

import json
from datetime import UTC

from django.db.models import prefetch_related_objects

from .models import Message, Notification

PORTION = 500  # messages


def export(user, **about):
    """Yield the JSON of all that `user` sent and received, after what is said `about` them.

    The last key is `complete`: a download that broke off is no JSON.
    """
    yield "{\n"
    for name, value in about.items():
        yield f"{json.dumps(name)}: {_write(value)},\n"
    yield '"messages": ['
    separator = "\n"
    for message in _portions(Message.objects.visible_to(user).with_people(), "history"):
        yield f"{separator}{_write(_describe(message))}"
        separator = ",\n"
    yield '\n],\n"notifications": ['
    separator = "\n"
    for line in _portions(Notification.objects.visible_to(user)):
        yield f"{separator}{_write(_describe_notification(line))}"
        separator = ",\n"
    yield '\n],\n"complete": true\n}\n'


def _portions(rows, *related):
    """Yield all rows by their id, a portion a query."""
    last = 0
    while portion := list(rows.filter(pk__gt=last).order_by("pk")[:PORTION]):
        prefetch_related_objects(portion, *related)
        yield from portion
        last = portion[-1].pk


def _describe(message):
    history = sorted(message.history.all(), key=lambda row: row.revision)
    return {
        "id": message.pk,
        "thread": message.thread_id,
        "in_reply_to": message.parent_message_id,
        "from": _name(message.sender),
        "to": _name(message.receiver),
        "sent_at": _moment(message.timestamp),
        "edited_at": _moment(message.edited_at),
        "deleted_at": _moment(message.deleted_at),
        "text": message.content,
        "earlier_texts": [
            {"text": row.old_content, "replaced_at": _moment(row.edited_at)} for row in history
        ],
    }


def _describe_notification(line):
    return {
        "message": line.message_id,
        "created_at": _moment(line.created_at),
        "is_read": line.is_read,
    }


def _name(person):
    return None if person is None else person.get_username()  # None: a person who left


def _moment(moment):
    return moment and moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _write(value):
    return json.dumps(value, ensure_ascii=False)
