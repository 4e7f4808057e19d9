"""A thread that is far too long, and far too deep."""

import re
from statistics import median

from . import fault, ms

SEED = """
from django.contrib.auth import get_user_model
from django.db import transaction
from messaging.models import Message
one, other = (get_user_model().objects.get(username=name) for name in {names!r})
with transaction.atomic():
    deepest = first = Message.objects.create(sender=one, receiver=other, content="The root")
    for number in range({replies}):
        parent = deepest if number < {depth} else first
        message = Message.objects.create(
            sender=other, receiver=one, content=f"Reply {{number}}", parent_message=parent)
        deepest = message if number < {depth} else deepest
print(first.pk, deepest.pk)
"""
QUERIES = re.compile(r"route=messaging:thread status=200 .*queries=(\d+)")


@fault(
    "F26",
    "Thread bomb",
    injection="one thread of 2,000 replies, 200 deep (short: 300, 100 deep)",
    bar="page ≤ 1 s (or 20 × an inbox on a slow machine), as many queries as for one of 20, no 500",
)
def thread_bomb(site, seconds, findings):
    alice, bob = site.people(2)
    replies, depth = (2000, 200) if seconds is None else (300, 100)
    small = _seed(site, alice, bob, replies=20, depth=10)
    large = _seed(site, alice, bob, replies=replies, depth=depth)
    queries = {}
    floor = median(alice.get("/inbox/?show=all").seconds for _ in range(5))
    for name, pks in (("small", small), ("large", large)):
        start = len(site.said)
        pages = [alice.get(f"/messages/{pk}/") for pk in pks for _ in range(4)]
        queries[name] = set(map(int, QUERIES.findall(site.said[start:])))
        slowest = median(page.seconds for page in pages)
        findings.say(f"{name}: {ms(slowest)}, {sorted(queries[name])} queries")
        findings.expect({page.status for page in pages} == {200}, f"{name}: not all 200")
        findings.expect(slowest <= max(1, 20 * floor), f"{name}: a page takes {ms(slowest)}")
    most = max(queries["small"], default=0)
    findings.expect(max(queries["large"], default=99) <= most + 2, f"queries grow: {queries}")


def _seed(site, one, other, *, replies, depth):
    code = SEED.format(names=[one.name, other.name], replies=replies, depth=depth)
    done = site.manage("shell", "-v", "0", "-c", code)
    return done.stdout.split()[-2:]
