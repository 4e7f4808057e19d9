"""What the bench looks at: one large mailbox, and threads of the shapes that matter."""

import random
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from messaging.demo.bulk import reply_to, store
from messaging.demo.scale import HUGE_THREAD, make_threads
from messaging.models import Message, Thread
from messaging.services import MailboxService, ThreadService
from messaging.statistics import analyze

THREADS = 4_000  # every other one is of the person who looks
MESSAGES_A_THREAD = 4.5  # as `make_threads` makes them, on average
SHAPES = {  # messages, and the parent of each by its place in the thread
    "forty": (40, lambda chance, place: max(0, place - chance.randint(1, 12)) if place % 4 else 0),
    "two_hundred": (200, lambda chance, place: chance.randint(0, place - 1) if place < 20 else 0),
    "hundred_deep": (100, lambda chance, place: place - 1),
    "two_hundred_deep": (200, lambda chance, place: place - 1),
}
SENTENCE = "the kettle has been fixed and nobody knows by whom so say thank you to everyone"
WORDS = SENTENCE.split()


@dataclass
class Scene:
    """The people and the threads; each thread is the id of its first message."""

    me: object
    other: object
    strangers: tuple  # two others, who write to each other meanwhile
    forty: int
    two_hundred: int
    hundred_deep: int
    two_hundred_deep: int
    huge: int  # 10,000 replies
    message_count: int


def find_or_make(messages=None):
    """Return the scene in this database; made first, with so many messages, where it is not."""
    if not Message.objects.exists():
        with transaction.atomic():
            make_threads(_number_of_threads(messages), password="bench")  # noqa: S106
            _make_shapes()
            _read_all_of_the_largest()
        analyze()
    return _find()


def _number_of_threads(messages):
    if messages is None:
        return THREADS
    return max(THREADS, int((messages - HUGE_THREAD) / MESSAGES_A_THREAD))


def _make_shapes():
    me, other = _people()[:2]
    MailboxService.lock_around(me)
    store([_draft(name, me, other) for name in SHAPES])
    MailboxService.recount([me.pk, other.pk])


def _draft(name, me, other):
    length, choose = SHAPES[name]
    chance, begin = random.Random(name), timezone.now() - timedelta(days=200)  # noqa: S311
    drafts = []
    for place in range(length):
        pair = (me, other) if place % 2 else (other, me)
        drafts.append(
            reply_to(
                drafts[_shallow(drafts, choose(chance, place), name)] if place else None,
                sender_id=pair[0].pk,
                receiver_id=pair[1].pk,
                content=f"{name} {place}: {' '.join(chance.sample(WORDS, 12))}.",
                timestamp=begin + timedelta(minutes=place),
                read=True,
                read_at=begin,
            )
        )
    return drafts


def _shallow(drafts, place, name):
    """A page shows three levels of replies from the start: all of these shapes but the deep."""
    return place if "deep" in name or drafts[place].depth < 3 else 0


def _people():
    return list(get_user_model().objects.filter(username__startswith="scale-").order_by("pk")[:20])


def _read_all_of_the_largest():
    # What is unread is shown besides the first 200, and the checks know only of those.
    last = Thread.objects.order_by("-message_count").first().last_message
    ThreadService.mark_read(_people()[0], message=last)


def _find():
    people = _people()
    firsts = Message.objects.filter(parent_message=None, sender=people[1], receiver=people[0])
    shapes = {name: firsts.get(content__startswith=f"{name} 0:").pk for name in SHAPES}
    huge = Thread.objects.order_by("-message_count").first()
    return Scene(
        me=people[0],
        other=people[1],
        strangers=tuple(people[-2:]),
        huge=Message.objects.get(thread=huge, depth=0).pk,
        message_count=Message.objects.count(),
        **shapes,
    )
