"""People with a browser each, what they look at, and the same without any caching."""

import functools
import re
from contextlib import contextmanager

from django.contrib.auth import get_backends, get_user_model
from django.contrib.auth.models import AnonymousUser
from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.core.handlers.wsgi import WSGIHandler
from django.db.models import Q
from django.test import RequestFactory
from django.utils.http import urlencode

from messaging.models import (
    AccessNotice,
    AccessRecord,
    Block,
    CacheEpoch,
    Mailbox,
    Message,
    MessageHistory,
    Notification,
    Participation,
)

from .leaks import SECRET
from .pages import poll_path

TOKENS = re.compile(
    r'(?<="X-CSRFToken": ")\w+|(?<=name="csrfmiddlewaretoken" value=")\w+'
    r'|(?<=name="client_token" value=")[\w-]+'
)


@contextmanager
def no_caching():
    """Have everything rendered anew, in this thread."""
    cache = caches["template_fragments"]
    caches["template_fragments"] = DummyCache("", {})
    try:
        yield
    finally:
        caches["template_fragments"] = cache


def said(response):
    """Return the status and the text of an answer, but for the tokens: those are always new."""
    return response.status_code, TOKENS.sub("TOKEN", response.content.decode())


class Visitor:
    """A person who is signed in, and asks for many pages.

    Each request passes all middleware, as with a test client; but nobody copies its contexts, and
    the person needs no session.
    """

    def __init__(self, person):
        self.person = person
        self._requests = RequestFactory()
        self._uncached, self._visible = {}, None

    def blink(self):
        """Take note that something may have changed; what is the same will not be rendered anew."""
        if (now := visible_rows(self.person)) != self._visible:
            self._uncached, self._visible = {}, now

    def __str__(self):
        return self.person.get_username()

    def get(self, address, *, htmx=False, ptag=""):
        headers = {"HX-Request": "true", "HX-PTag": ptag} if htmx else {}
        return self._ask(self._requests.get(address, headers=headers))

    def post(self, address, fields=(), *, htmx=True):
        headers = {"HX-Request": "true"} if htmx else {}
        form, kind = urlencode(dict(fields), doseq=True), "application/x-www-form-urlencoded"
        return self._ask(self._requests.post(address, form, content_type=kind, headers=headers))

    def get_uncached(self, address, *, htmx=False):
        """Return what `said` would of this page without caching: the same until a `blink`."""
        if (address, htmx) not in self._uncached:
            with no_caching():
                self._uncached[address, htmx] = said(self.get(address, htmx=htmx))
        return self._uncached[address, htmx]

    def look(self, address, *, htmx=False):
        """Have a look at a page: it has to be what it is without caching."""
        shown = said(self.get(address, htmx=htmx))
        expect(shown, self.get_uncached(address, htmx=htmx), f"{self} sees an old {address}")

    def _ask(self, request):
        request._dont_enforce_csrf_checks = True
        # As `django.contrib.auth.get_user` does it, from the session on.
        [backend] = get_backends()
        request._cached_user = backend.get_user(self.person.pk) or AnonymousUser()
        response = _handler().get_response(request)
        for found in SECRET.finditer(response.content):
            assert self.person.pk in (int(found[1]), int(found[2])), f"{self} sees {found[0]}"
        return response


@functools.cache
def _handler():
    return WSGIHandler()


class Window:
    """A page that is open at a visitor's, and polls with the state and the stamp it has."""

    def __init__(self, visitor, address):
        self._visitor, self._address = visitor, address
        self._shown, self._ptag = None, ""

    @property
    def is_open(self):
        return self._shown is None or self._shown[0] == 200

    def open(self):
        self._note(self._ask())

    def poll(self):
        """Poll; what is answered has to be right. Say whether there was an answer."""
        response = self._ask()
        fresh = self._visitor.get_uncached(self._address, htmx=True)
        if response.status_code == 304:
            expect(self._shown, fresh, f"{self._visitor} gets 304 for a changed {self._address}")
            return False
        expect(said(response), fresh, f"{self._visitor} is polled an old {self._address}")
        self._note(response)
        return True

    def _ask(self):
        return self._visitor.get(self._address, htmx=True, ptag=self._ptag)

    def _note(self, response):
        if "HX-Redirect" in response:  # the page is elsewhere now, and so is who looks at it
            self._address, self._ptag = response["HX-Redirect"], ""
            response = self._ask()
        status, text = said(response)
        # The head comes along once, where the page goes on at another message.
        self._shown, self._ptag = (status, HEAD.sub("", text)), response.get("HX-PTag", "")
        if self.is_open:
            self._address = poll_path(text)


HEAD = re.compile(r'<hx-partial hx-target="\.thread-head">.*?</hx-partial>', re.DOTALL)


def expect(shown, fresh, complaint):
    if shown != fresh:
        pairs = zip(shown[1].splitlines(), fresh[1].splitlines(), strict=False)
        differing = [pair for pair in pairs if pair[0] != pair[1]][:3]
        raise AssertionError(f"{complaint}: {shown[0]} for {fresh[0]}, {differing}")


def visible_rows(person):
    """Return all rows that the pages of a person are made of, and what is in their stamps."""
    message_set = Message.objects.visible_to(person).order_by("pk")
    rows = [
        message_set.values_list(),
        MessageHistory.objects.visible_to(person).order_by("pk").values_list(),
        Notification.objects.visible_to(person).order_by("pk").values_list(),
        Participation.objects.for_user(person).order_by("pk").values_list(),
        AccessRecord.objects.visible_to(person).order_by("pk").values_list(),
        AccessNotice.objects.visible_to(person).order_by("pk").values_list(),
        Block.objects.filter(Q(blocker=person) | Q(blocked=person)).order_by("pk").values_list(),
        get_user_model().objects.order_by("pk").values_list("pk", "username", "is_active"),
        Mailbox.objects.filter(user=person).values_list("version"),
        CacheEpoch.objects.values_list("value"),
    ]
    return [list(table) for table in rows]


def polled(person):
    """Return the addresses of all pages of a person that poll."""
    yield from ("/inbox/", "/inbox/?show=all", "/inbox/?show=sent")
    yield from ("/conversation/", "/notifications/")
    yield from (f"/conversation/{name}/" for name in _others(person))
    yield from (f"/messages/{message.pk}/" for message in _messages(person))


def unpolled(person):
    """Return the addresses of their other pages and fragments that have to do with messages."""
    yield "/messages/new/"
    yield "/account/"
    yield "/people/blocked/"
    yield from (f"/people/{name}/block/" for name in _others(person))
    for message in _messages(person):
        page = f"/messages/{message.pk}/"
        yield f"{page}replies/"
        yield f"{page}message/"
        yield f"{page}access/"
        if not message.is_deleted:
            yield from (f"{page}history/", f"{page}reply/")
            if message.sender_id == person.pk:
                yield from (f"{page}edit/", f"{page}delete/")


def _messages(person):
    return Message.objects.visible_to(person).order_by("pk")


def _others(person):
    pairs = {
        (message.sender, message.receiver)
        for message in _messages(person).not_deleted().with_people()
    }
    people = {other for pair in pairs for other in pair if other is not None}
    return sorted(other.get_username() for other in people if other.pk != person.pk)
