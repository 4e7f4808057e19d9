"""Makes any number of threads in bulk, for the bench.

The same number makes the same threads each time, but for their ids and for the hour they end at.
"""

import random
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from messaging.models import Mailbox
from messaging.services import MailboxService

from .bulk import reply_to, store

BATCH = 500  # threads at a time: what is in memory stays small however many there are
PERIOD = timedelta(days=120)
DEEPEST = 50

LONG_THREAD = 200  # messages of the first thread
HUGE_THREAD = 10_001  # messages of the second
ENOUGH_FOR_HUGE = 1_000  # threads

OPENINGS = """
About tomorrow:|A small thing:|Good news!|I was thinking.|You'll laugh.|Question:|Before I forget:|
As promised:|Not urgent, but|Quick one:|Well, well.|Update:
""".replace("\n", "").split("|")
MIDDLES = """
the kettle at the workshop has been fixed|I found your scarf behind the radiator|
the train was on time and I wasn't|we have eleven chairs and twelve guests|
the printer says it needs a rest|I counted the boxes twice and got two answers|
the recipe wants more lemon than that|your sister rang about the ladder|
somebody watered the plastic plant again|the map is right, the path has moved
""".replace("\n", "").split("|")
ENDINGS = """
Tell me if that suits you.|I'll bring the big umbrella.|No need to answer.|Could you have a look?|
See you at the usual place.|It can wait until after lunch.|Shall we say half past?|Thank you!
""".replace("\n", "").split("|")


def make_threads(number, *, password):
    """Make `number` further threads; return how many people wrote them and how many messages.

    To be called inside a transaction.
    """
    chance = random.Random(number)  # noqa: S311 (the same again each time, not a secret)
    people = get_people(min(500, max(10, number // 4)), password)
    people_ids = [person.pk for person in people]
    Mailbox.objects.lock(*people_ids)
    now = timezone.now()
    count = 0
    for start in range(0, number, BATCH):
        indexes = range(start, min(start + BATCH, number))
        drafts = [_draft_thread(chance, people_ids, index, number, now) for index in indexes]
        store(drafts)
        count += sum(map(len, drafts))
    MailboxService.recount(people_ids)
    return len(people), count


def get_people(number, password):
    """Return scale-0001, scale-0002 and so on; make those who aren't there."""
    User = get_user_model()  # noqa: N806 (a class)
    names = [f"scale-{index:04}" for index in range(1, number + 1)]
    found = set(User.objects.filter(username__in=names).values_list("username", flat=True))
    password_hash = make_password(password)
    User.objects.bulk_create(
        User(username=name, email=f"{name}@example.org", password=password_hash)
        for name in names
        if name not in found
    )
    return list(User.objects.filter(username__in=names).order_by("username"))


def _draft_thread(chance, people_ids, index, number, now):
    """Return the unsaved messages of one thread, in order of time."""
    pair = _choose_pair(chance, people_ids, index)
    times = _choose_times(chance, _choose_length(chance, index, number), now)
    drafts = []
    for timestamp in times:
        parent = _choose_parent(chance, drafts, len(times))
        drafts.append(_draft(chance, pair, parent, timestamp))
    if chance.random() < 0.2:
        _leave_unread(drafts, chance.randint(1, 3))
    return drafts


def _choose_pair(chance, people_ids, index):
    """Every other thread is the first person's: one of them has a large mailbox."""
    if index < 2:
        return people_ids[:2]
    if index % 2 == 0:
        return people_ids[0], chance.choice(people_ids[1:])
    return chance.sample(people_ids, 2)


def _choose_length(chance, index, number):
    if index == 0:
        return LONG_THREAD
    if index == 1 and number >= ENOUGH_FOR_HUGE:
        return HUGE_THREAD
    return min(60, 1 + int(chance.expovariate(1 / 4)))


def _choose_times(chance, length, now):
    begin = now - PERIOD * chance.random()
    until = min(now, begin + timedelta(hours=length))
    return sorted(begin + (until - begin) * chance.random() for _ in range(length))


def _choose_parent(chance, drafts, length):
    """Most answer the message before; in the huge thread, most answer the first."""
    if not drafts:
        return None
    if length == LONG_THREAD and len(drafts) <= DEEPEST:
        return drafts[-1]
    if chance.random() < 0.8:
        parent = drafts[0] if length == HUGE_THREAD else drafts[-1]
    else:
        parent = chance.choice(drafts)
    return parent if parent.depth < DEEPEST else drafts[0]


def _draft(chance, pair, parent, timestamp):
    sender_id, receiver_id = pair if chance.random() < 0.5 else reversed(pair)
    return reply_to(
        parent,
        sender_id=sender_id,
        receiver_id=receiver_id,
        content=_say_something(chance),
        timestamp=timestamp,
        read=True,
        read_at=timestamp,
    )


def _say_something(chance):
    opening, middle = chance.choice(OPENINGS), chance.choice(MIDDLES)
    endings = chance.sample(ENDINGS, chance.randint(0, 4))
    return " ".join([opening, f"{middle}.", *endings])


def _leave_unread(drafts, number):
    """The reader of the latest message has not seen the last `number` of them."""
    for draft in drafts[-number:]:
        if draft.receiver_id == drafts[-1].receiver_id:
            draft.read, draft.read_at = False, None
