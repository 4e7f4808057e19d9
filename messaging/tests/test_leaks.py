"""Nobody reads what two others wrote: not by any address, and not out of a warm cache."""

import html
import re
from itertools import product

import pytest
from django.test import Client

from messaging.models import Mailbox, Thread

from .factories import write
from .leaks import Leak, secret, secrets_in
from .pages import poll_path, ptag
from .world import HTMX

pytestmark = pytest.mark.django_db

PAGES = ["/inbox/?show=all", "/inbox/?show=sent", "/inbox/", "/conversation/", "/notifications/"]
ADDRESS = re.compile(r'(?:href|hx-get|hx-post|action)="([^"]*)"')


@pytest.fixture
def world(committed_world, db, caplog):
    caplog.set_level("CRITICAL", "django.request")
    # By the version alone no cache could tell two people apart, or two threads.
    Mailbox.objects.update(version=7)
    Thread.objects.update(version=7)
    return committed_world


def addresses_of(world, actor):
    """Follow the links of a person's pages, two steps far; return those with an id or a name."""
    found, waiting = set(), [*PAGES, f"/messages/{world.message.pk}/"]
    for _ in range(2):
        texts = [world.client(actor).get(path).text for path in waiting]
        links = {html.unescape(link) for text in texts for link in ADDRESS.findall(text)}
        links |= {poll_path(text) for text in texts if "data-poll" in text}
        waiting = [link for link in links - found if re.match(r"/(messages|conv|notif)", link)]
        found |= set(waiting)
    return sorted(link for link in found if re.search(r"\d|/conversation/.", link))


@pytest.mark.parametrize("actor", ["sender", "receiver"])
def test_what_a_person_asks_tells_a_stranger_nothing(world, actor):
    addresses = addresses_of(world, actor)
    assert any("/messages/" in address for address in addresses)
    assert any("/conversation/" in address for address in addresses)
    told = 0
    for address, headers in product(addresses, ({}, HTMX)):
        for _ in range(3):  # the caches are warm from the second time on
            told += len(secrets_in(world.client(actor).get(address, headers=headers)))
            answer = world.client("stranger").get(address, headers=headers)
            assert answer.status_code in (404, 405), address
        answer = world.client("stranger").post(address, headers=headers)
        assert answer.status_code in (404, 405), address
    assert told


@pytest.mark.parametrize("actor", ["staff", "superuser", "stranger"])
def test_ones_own_pages_hold_nothing_of_others(world, actor):
    for _ in range(3):
        for path in PAGES:
            for headers in ({}, HTMX):
                assert secrets_in(world.client("sender").get(path, headers=headers)) or (
                    "notifications" in path or path == "/inbox/"
                )
                # The watch over every answer has its say here.
                response = world.client(actor).get(path, headers=headers)
                assert response.status_code == 200


def test_ones_own_ptag_brings_nothing_of_others(world):
    for path in (*PAGES, f"/messages/{world.message.pk}/"):
        stamp = ptag(world.client("sender").get(path).text)
        response = world.client("stranger").get(path, headers=HTMX | {"HX-PTag": stamp})
        assert response.status_code in (200, 404)


def test_signed_out_nothing_is_told(world):
    for actor in ("anonymous", "deactivated", "erased"):
        for address in addresses_of(world, "sender"):
            for headers in ({}, HTMX):
                response = world.client(actor).get(address, headers=headers)
                assert response.status_code in (302, 401)
                assert secrets_in(response) == {}


def test_on_one_browser_the_next_person_sees_nothing_of_the_one_before(world):
    client = Client()
    client.force_login(world.people["sender"])
    told = client.get("/inbox/?show=all")
    assert secrets_in(told)
    client.post("/accounts/logout/")
    client.force_login(world.people["stranger"])
    response = client.get("/inbox/?show=all", headers=HTMX | {"HX-PTag": told["HX-PTag"]})
    assert response.status_code == 200
    assert not set(secrets_in(told)) & set(secrets_in(response))


def test_a_deleted_text_is_told_to_nobody(world):
    old = set(secrets_in(world.client("sender").get(f"/messages/{world.message.pk}/history/")))
    assert len(old) == 2
    world.client("sender").post(f"/messages/{world.message.pk}/delete/")
    for actor in ("sender", "receiver"):
        for path in (*PAGES, f"/messages/{world.reply.pk}/"):
            assert not old & set(secrets_in(world.client(actor).get(path)))


# --- The watch itself ---


def test_a_leak_fails_the_test(world):
    alice, bob, mallory = (world.people[name] for name in ("sender", "receiver", "stranger"))
    write(alice, bob, secret(bob, mallory))
    with pytest.raises(Leak):
        world.client("sender").get("/inbox/?show=all")
    assert world.client("receiver").get("/inbox/?show=all").status_code == 200


def test_a_leak_to_who_is_signed_out_fails_the_test(world):
    text = secret(world.people["sender"], world.people["receiver"])
    with pytest.raises(Leak):
        world.client("anonymous").get("/accounts/login/", {"next": f"/{text}"})


def test_a_leak_in_a_header_fails_the_test(world):
    text = secret(world.people["sender"], world.people["receiver"])
    with pytest.raises(Leak):
        world.client("stranger").get("/messages/1", {"q": text})  # redirected to end with a slash
