"""What is measured: each piece of work of the table, its bars, and what peers took for it.

The figures of peers were measured once, in the same way, and stand beside ours for comparison; only
django-postman is measured again (`--peers`).
"""

import random
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass

from messaging import fragments
from messaging.models import Message
from messaging.services import MessageService

from . import checks
from .checks import ARTICLE, LINE

HTMX = {"HX-Request": "true"}
TOKEN = re.compile(rb"\b(?:[A-Za-z0-9]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")
STEADY = {  # cost the same, however many messages there are
    "inbox, warm",
    "inbox, cold",
    "thread of 200, warm",
    "thread of 200, cold",
    "thread of 200, after one edit",
}
EDITS = random.Random(1)  # noqa: S311 (the same each time, not a secret)


@dataclass
class Work:
    """`ask` is on the clock, `prepare` before it and `check` after it are not.

    Bars are upper limits: `bar` of the ratio to the floor, `queries` of their number, `weight` of
    bytes with headers; `like` of the ratio to another work, by name, with its limit.
    """

    name: str
    ask: Callable
    check: Callable
    prepare: Callable = lambda: None
    bar: float | None = None
    queries: int | None = None
    weight: int | None = None
    like: tuple | None = None
    kilobytes: float | None = None
    samples: int = 40
    peers: str = ""


def works(scene, caller):
    """Return every work of the table, in order."""
    return [
        *_inbox_works(scene, caller),
        *_thread_works(scene, caller),
        *_large_works(scene, caller),
        *_sending_works(scene, caller),
    ]


def _inbox_works(scene, caller):
    address = "/inbox/?show=all"
    known = {"HX-PTag": caller.get(address, HTMX).headers["HX-PTag"]}
    inbox = {
        "ask": lambda: caller.get(address),
        "check": checks.is_page(LINE, lambda: checks.inbox_page(scene.me)),
        "queries": 4,
    }
    return [
        Work(
            "inbox: unchanged poll",
            lambda: caller.get(address, HTMX | known),
            checks.is_unchanged,
            bar=1.1,
            queries=2,
            weight=400,
            samples=200,
            peers="a full list each time: 30 F",
        ),
        Work("inbox, warm", **inbox, bar=2, samples=80),
        Work("inbox, cold", **inbox, prepare=forget, bar=8, peers="pinax-messages 3: 2,900 F"),
    ]


def _thread_works(scene, caller):
    two_hundred = _thread(caller, scene.two_hundred)
    forty = _thread(caller, scene.forty)
    edited = "thread of 200, after one edit"
    campfire = "a Django port of Campfire: "
    return [
        # 1 kB a message, its edits and the page around them
        Work("thread of 200, warm", **two_hundred, bar=2, samples=80, kilobytes=240),
        Work(
            "thread of 200, cold",
            **two_hundred,
            prepare=forget,
            bar=30,
            samples=15,
        ),
        Work(edited, **two_hundred, prepare=lambda: edit_one(scene), bar=4),
        Work("thread of 40, warm", **forty, samples=80, peers=campfire + "4.6 F"),
        Work(
            "thread of 40, a write elsewhere before each",
            **forty,
            prepare=lambda: write_elsewhere(scene),
            bar=2,
            peers=campfire + "29 F",
        ),
    ]


def _large_works(scene, caller):
    as_fast = ("thread of 200, cold", 1.2)
    cold = {"prepare": forget, "samples": 20}
    huge = _thread(caller, scene.huge)
    last = checks.thread_page(scene.huge)[-1][0]
    expansion = f"/messages/{scene.huge}/replies/?after={last}&level=0"
    return [
        Work("10,000 replies, warm", **huge, bar=2),
        Work("10,000 replies, cold", **huge, **cold, like=as_fast),
        Work("10,000 replies, 50 more", *_expansion(caller, expansion), queries=8),
        Work(
            "depth 200, cold",
            **_thread(caller, scene.two_hundred_deep),
            **cold,
            like=("depth 100, cold", 1.2),
        ),
        Work("depth 100, cold", **_thread(caller, scene.hundred_deep), **cold),
    ]


def _sending_works(scene, caller):
    return [
        Work(
            "send a message",
            lambda: caller.post("/messages/new/", new_message(scene)),
            checks.is_status(302),
            bar=4,
            queries=12,
            peers="a Django port of Campfire: 10 to 18 F",
        )
    ]


def _thread(caller, first):
    return {
        "ask": lambda: caller.get(f"/messages/{first}/"),
        "check": checks.is_page(ARTICLE, lambda: checks.thread_page(first)),
        "queries": 8,
    }


def _expansion(caller, address):
    def check(answer):
        checks.expect_status(answer, 200)
        if len(ARTICLE.findall(answer.body.decode())) != 50:
            raise checks.Wrong("not the 50 replies that come next")

    return (lambda: caller.get(address, HTMX)), check


def new_message(scene):
    """Return the fields of a form that sends a message."""
    return {
        "to": scene.other.get_username(),
        "content": "A small thing: the kettle has been fixed.",
        "client_token": str(uuid.uuid4()),
    }


def without_token(body):
    """Return the bytes of a page without what differs from one answer to the next."""
    return TOKEN.sub(b"", body)


def edit_one(scene):
    """Change the text of one message of the thread of 200."""
    thread = Message.objects.get(pk=scene.two_hundred).thread_id
    message = EDITS.choice(Message.objects.filter(thread=thread).order_by("pk"))
    words = message.content.split(" – ")[0]
    MessageService.edit(
        message, content=f"{words} – {uuid.uuid4().hex[:8]}", revision=message.revision
    )


def forget():
    fragments.cache().clear()


def write_elsewhere(scene):
    """Two other people write to each other."""
    sender, receiver = scene.strangers
    MessageService.send(sender, receiver=receiver, content="Good news! The train was on time.")
