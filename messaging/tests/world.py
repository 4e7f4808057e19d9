"""People of every kind, what alice and bob have written, and every address there is."""

import re
from dataclasses import dataclass, field

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import get_resolver

from messaging.models import Message, Notification
from messaging.services import MessageService
from site_config.accounts.models import Erasure, ReservedName

from .leaks import secret

PASSWORD = "correct horse battery"
HTMX = {"HX-Request": "true"}
SIGNED_OUT = ("anonymous", "deactivated", "erased")
STRANGERS = ("stranger", "staff", "superuser")
# (?P<key>.+) or <int:pk>
PARAMETER = re.compile(r"\(\?P<(\w+)>[^)]*\)|<(?:\w+:)?(\w+)>")
ACTORS = (*SIGNED_OUT, *STRANGERS, "sender", "receiver")


@dataclass
class World:
    """alice has written to bob, and bob to her; mallory, whom neither knows, to carol."""

    people: dict = field(default_factory=dict)  # by actor
    message: Message = None  # of alice, edited once, with a reply
    reply: Message = None  # of bob, the end of the thread
    notification: Notification = None  # of bob
    _cookies: dict = field(default_factory=dict)
    _client: Client = field(default_factory=Client)

    def client(self, actor):
        """Return a client with nothing but the cookie that this actor came with."""
        self._client.cookies.clear()  # a new client would load all the middleware anew
        if cookie := self._cookies.get(actor):
            self._client.cookies["sessionid"] = cookie
        return self._client

    def path(self, route, actor="stranger", pk=None):
        """Fill in a route with what is alice's and bob's."""
        is_bell = route.startswith("notifications/")
        pk = pk or (self.notification.pk if is_bell else self.message.pk)
        values = {"pk": pk, "username": "bob" if actor == "sender" else "alice"}
        values |= {"key": "nokey", "uidb36": "1"}  # of links in letters of allauth
        values |= {"object_id": pk, "id": self.message.sender_id, "content_type_id": 1}
        values["app_label"] = "messaging"
        filled = PARAMETER.sub(lambda found: str(values[found[1] or found[2]]), route)
        return "/" + filled.replace("^", "").replace("$", "")


@pytest.fixture(scope="module")
def committed_world(django_db_setup, django_db_blocker):
    """The world for all tests of a module, each of which leaves it as it was."""
    with django_db_blocker.unblock():
        yield make_world()
        for person in get_user_model().objects.all():
            person.delete()
        Session.objects.all().delete()
        ReservedName.objects.all().delete()
        Erasure.objects.all().delete()


def make_world():
    world = World()
    names = {"stranger": "mallory", "sender": "alice", "receiver": "bob", "staff": "steward"}
    names |= {"superuser": "queenie", "deactivated": "dormant", "erased": "leaver"}
    for actor, name in names.items():
        world.people[actor] = person = create_person(name)
        client = Client()
        if actor in ("staff", "superuser"):
            person.is_staff, person.is_superuser = True, actor == "superuser"
            person.save()
        client.force_login(person)
        world._cookies[actor] = client.cookies["sessionid"].value
    _write_letters(world)
    world.people["deactivated"].is_active = False
    world.people["deactivated"].save()
    world.people["erased"].delete()
    return world


def create_person(name):
    return get_user_model().objects.create_user(
        username=name, email=f"{name}@example.com", password=PASSWORD
    )


def _write_letters(world):
    alice, bob, mallory = (world.people[name] for name in ("sender", "receiver", "stranger"))
    first = Message.objects.create(sender=alice, receiver=bob, content=secret(alice, bob))
    world.message = MessageService.edit(first, content=secret(alice, bob), revision=1)
    world.reply = Message.objects.create(
        sender=bob, receiver=alice, content=secret(alice, bob), parent_message=world.message
    )
    world.notification = Notification.objects.get(message=world.message)
    carol = create_person("carol")
    for pair in [(mallory, carol), (carol, mallory)]:
        Message.objects.create(sender=pair[0], receiver=pair[1], content=secret(*pair))


def every_route():
    """Return the routes of all named addresses, in the order that they are tried."""
    return list(dict.fromkeys(route for route, name in _walk(get_resolver()) if name))


def _walk(resolver, prefix=""):
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            yield from _walk(entry, route)
        else:
            yield route, entry.name
