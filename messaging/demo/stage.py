"""Puts the demo on stage: the cast become people, the script their messages."""

import tomllib
from datetime import timedelta
from pathlib import Path

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from messaging.models import Mailbox, Message
from messaging.services import MailboxService

from .bulk import reply_to, store
from .script import read_script

CAST = Path(__file__).with_name("people.toml")
READING_DELAY = timedelta(minutes=9)


def read_cast():
    """Return what people.toml says of each, by log-in name."""
    return tomllib.loads(CAST.read_text(encoding="utf-8"))


def perform(*, password):
    """Make the people and all they wrote; return how many people and how many messages.

    To be called inside a transaction.
    """
    now = timezone.localtime()
    people = create_people(password, now)
    script = read_script(now)
    people_ids = [person.pk for person in people.values()]
    Mailbox.objects.lock(*people_ids)
    store(_draft_threads(script, people, now))
    MailboxService.recount(people_ids)
    for entry in script:
        if entry.edits:
            _edit(entry)
        if entry.deleted_at:
            _delete(entry)
    return len(people), len(script)


def create_people(password, now):
    password_hash = make_password(password)  # slow on purpose, so once for all
    return {
        name: get_user_model().objects.create(
            username=name,
            email=f"{name}@example.org",
            first_name=about["first_name"],
            last_name=about["last_name"],
            password=password_hash,
            date_joined=now - timedelta(days=about["joined"]),
        )
        for name, about in read_cast().items()
    }


def _draft_threads(script, people, now):
    threads = {}
    for entry in script:
        entry.message = reply_to(
            entry.parent and entry.parent.message,
            sender=people[entry.sender],
            receiver=people[entry.receiver],
            content=entry.content,
            timestamp=entry.sent_at,
            read=not entry.is_unread,
            read_at=None if entry.is_unread else _read_at(entry, script, now),
        )
        threads.setdefault(entry.root, []).append(entry.message)
    return list(threads.values())


def _read_at(entry, script, now):
    """When the receiver next wrote in the thread, or a little after the message came."""
    answers = (
        other.sent_at
        for other in script
        if other.sender == entry.receiver
        and other.sent_at > entry.sent_at
        and other.root is entry.root
    )
    return min(next(answers, now), entry.sent_at + READING_DELAY, now)


def _edit(entry):
    message = entry.message
    for edited_at, content in entry.edits:
        message.content = content
        message.save()
        message.history.filter(revision=message.revision - 1).update(edited_at=edited_at)
        Message.objects.filter(pk=message.pk).update(edited_at=edited_at)


def _delete(entry):
    entry.message.delete()
    Message.objects.filter(pk=entry.message.pk).update(deleted_at=entry.deleted_at)
