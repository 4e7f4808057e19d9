"""Looking changes nothing: after every GET and HEAD, by anybody, the database is as it was.

The one exception is allauth's link to set a new password: with a right key it notes that in the
session. (A wrong key notes nothing, and is among the addresses here.)
"""

import pytest

from messaging.models import Mailbox

from .dump import changes, dump
from .pages import poll_path, ptag
from .world import ACTORS, HTMX, every_route

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(committed_world, db, caplog):
    caplog.set_level("CRITICAL", "django.request")
    return committed_world


@pytest.mark.parametrize("route", every_route())
def test_looking_changes_nothing(world, route):
    before = dump()
    is_admin = route.startswith("admin/")
    for actor in ("anonymous", "stranger", "staff", "superuser") if is_admin else ACTORS:
        path = world.path(route, actor)
        world.client(actor).get(path)
        world.client(actor).head(path)
        if not is_admin:
            world.client(actor).get(path, headers=HTMX)
    assert changes(before, dump()) == {}


@pytest.mark.parametrize("part", ["", "replies/", "reply/", "edit/", "history/", "delete/"])
@pytest.mark.parametrize("actor", ["sender", "receiver"])
def test_looking_at_the_end_of_a_thread_changes_nothing(world, part, actor):
    before = dump()
    for headers in ({}, HTMX):
        world.client(actor).get(f"/messages/{world.reply.pk}/{part}", headers=headers)
    assert changes(before, dump()) == {}


@pytest.mark.parametrize(
    "path", ["/inbox/?show=unread", "/inbox/?show=all", "/inbox/?show=sent", "/conversation/"]
)
def test_polling_changes_nothing(world, path):
    before = dump()
    for actor in ("sender", "receiver", "stranger"):
        text = world.client(actor).get(path).text
        for stamp in (ptag(text), "another"):
            headers = HTMX | {"HX-PTag": stamp}
            world.client(actor).get(poll_path(text), headers=headers)
    assert changes(before, dump()) == {}


@pytest.mark.parametrize(
    "path", ["/inbox/", "/conversation/", "/notifications/", "/people/?q=al", "/account/delete/"]
)
def test_looking_makes_nobody_a_mailbox(world, path):
    Mailbox.objects.all().delete()
    before = dump()
    for headers in ({}, HTMX):
        assert world.client("receiver").get(path, headers=headers).status_code == 200
    assert changes(before, dump()) == {}


def test_a_change_would_be_noticed(world):
    before = dump()
    world.client("receiver").post("/notifications/read/")
    assert set(changes(before, dump())) == {"messaging_mailbox", "messaging_notification"}
