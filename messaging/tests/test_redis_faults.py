"""Whatever becomes of Redis: pages stay right, nobody waits twice, and nobody is signed out."""

import runpy
import time
from collections import Counter

import pytest
from django.core.cache import caches
from django.test import Client

import site_config.settings
from messaging import cache, tally
from messaging.cache import Breaker
from messaging.models import Message
from messaging.services import MessageService

from .factories import fresh
from .redis_server import RedisServer
from .room import Room
from .visits import Visitor

pytestmark = pytest.mark.skipif(
    RedisServer.PROGRAM is None,
    reason="redis-server isn't installed: what Redis does wrong is not tried",
)

TIMEOUT = 0.25
NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="module")
def one_server(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.kill()


@pytest.fixture
def server(one_server, settings, monkeypatch, caplog):
    """A Redis that the site uses, with a breaker that is closed."""
    caplog.set_level("CRITICAL", "django.request")
    monkeypatch.setattr(Breaker, "_known", {})
    monkeypatch.setattr(cache, "SLOW", 10)  # the machine may be
    monkeypatch.setattr(cache, "REST", 60)  # until `rest_over`, however slow it is
    monkeypatch.setattr(tally, "counts", Counter())
    one_server.mend()
    use(settings, one_server.address)
    caches["default"].clear()
    yield one_server
    one_server.mend()


@pytest.fixture
def room(server, alice, bob):
    def addresses(person):
        first = Message.objects.visible_to(person).earliest("pk")
        return "/inbox/?show=all", "/conversation/", f"/messages/{first.pk}/"

    return Room(alice, bob, "bob", addresses=addresses)


def use(settings, address):
    """Have the caches that the site has with this REDIS_URL."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REDIS_URL", address)
        settings.CACHES = runpy.run_path(site_config.settings.__file__)["CACHES"]


def edit(room):
    message = fresh(room.first)
    MessageService.edit(message, content=f"Text {time.monotonic()}", revision=message.revision)


def errors():
    return tally.counts["errors"]


def rest_over():
    """Let the time pass for which a cache that failed is left alone."""
    for breaker in Breaker._known.values():
        if breaker.is_open:
            breaker._open_until -= cache.REST


def test_it_is_used(room, server):
    with room.watched():
        assert server.client.dbsize() > 5
    assert room.told == set()
    assert errors() == 0


@pytest.mark.parametrize("fault", ["kill", "hang", "fill"])
def test_pages_stay_right_and_it_is_used_again(room, server, fault):
    with room.watched():
        getattr(server, fault)()
        edit(room)
    assert room.told == {"bob"}
    with room.watched():
        edit(room)
    assert Breaker.open_addresses()
    server.mend()
    rest_over()
    with room.watched():
        edit(room)
    assert room.told == {"bob"}
    assert Breaker.open_addresses() == []
    assert server.client.dbsize() > 5


def test_what_it_still_holds_when_it_goes_on_is_not_shown(room, server):
    with room.watched():
        pass
    server.hang()
    edit(room)
    room.page("bob", "/conversation/")
    server.go_on()
    rest_over()
    with room.watched():
        edit(room)


@pytest.mark.parametrize("fault", ["kill", "hang", "fill"])
def test_one_request_notices_and_then_nobody(room, server, fault):
    pages = ["/conversation/", f"/messages/{room.first.pk}/", "/inbox/?show=all"]
    getattr(server, fault)()
    noticed = []
    for address in pages:
        edit(room)
        room.page("bob", address)
        noticed.append(errors())
    assert noticed == [1, 1, 1]


def test_a_hung_one_costs_one_time_out(room, server):
    edit(room)
    room.page("bob", "/conversation/")
    server.hang()
    started = time.monotonic()
    assert fresh_look(room)
    waited = time.monotonic() - started
    started = time.monotonic()
    assert fresh_look(room)
    assert waited > TIMEOUT
    assert waited - (time.monotonic() - started) < 2 * TIMEOUT  # one, and not two


def fresh_look(room):
    edit(room)
    return room.page("bob", "/conversation/")


def test_a_slow_one_is_left_alone(room, server, monkeypatch):
    monkeypatch.setattr(cache, "SLOW", 0.15)
    server.client.client_pause(200)
    room.page("bob", "/conversation/")
    assert Breaker.open_addresses() == [server.address]


def test_pages_stay_right_while_it_forgets_all_the_time(room, server):
    for _ in range(3):
        with room.watched():
            edit(room)
            server.client.flushall()
        server.client.flushall()
    assert errors() == 0


def test_pages_stay_right_while_it_throws_away_what_is_old(room, server):
    server.client.config_set("maxmemory-policy", "allkeys-lru")
    server.fill()
    for _ in range(3):
        with room.watched():
            edit(room)
    assert server.client.info("stats")["evicted_keys"] > 0


def test_pages_stay_right_when_it_loses_what_was_written(room, server):
    """As when another server takes over, which hadn't got the last writes yet."""
    with room.watched():
        kept = server.keep()
        edit(room)
    with room.watched():
        server.restore(kept)
        edit(room)
        server.restore(kept)
    assert room.told == {"bob"}


def test_pages_stay_right_where_one_worker_is_cut_off(room, server, settings):
    for _ in range(2):
        for here, there in [(server.address, NOBODY), (NOBODY, server.address)]:
            use(settings, here)
            with room.watched():
                use(settings, there)
                edit(room)
                room.page("bob", "/conversation/")
                use(settings, here)


def test_who_signs_out_at_one_worker_is_out_at_the_one_cut_off(room, server, settings):
    here = Client()
    here.force_login(room.alice)
    there = Client()
    there.cookies = here.cookies.copy()
    use(settings, NOBODY)
    assert there.get("/inbox/").status_code == 200
    use(settings, server.address)
    here.post("/accounts/logout/")
    use(settings, NOBODY)
    assert there.get("/inbox/").status_code == 302


@pytest.mark.parametrize("fault", ["kill", "hang", "fill"])
def test_nobody_is_signed_out_and_everybody_can_sign_in(room, server, fault):
    before = Client()
    before.force_login(room.alice)
    getattr(server, fault)()
    assert before.get("/inbox/").status_code == 200
    form = {"login": "bob", "password": "correct horse battery"}
    after = Client()
    assert after.post("/accounts/login/", form).status_code == 302
    assert after.get("/inbox/").status_code == 200


@pytest.mark.parametrize("fault", ["kill", "hang", "fill"])
def test_throttles_count_all_the_same(room, server, fault):
    form = {"login": "nobody", "password": "wrong"}
    statuses = [Client().post("/accounts/login/", form).status_code for _ in range(3)]
    getattr(server, fault)()
    statuses += [Client().post("/accounts/login/", form).status_code for _ in range(3)]
    server.mend()
    server.client.flushall()
    statuses += [Client().post("/accounts/login/", form).status_code for _ in range(3)]
    assert statuses == [422] * 5 + [429] * 4


def test_staff_see_the_breaker(server, admin_client, alice):
    visitor, cache_page = Visitor(alice), "/admin/messaging/mailbox/cache/"
    visitor.get("/inbox/")
    assert "<td>closed</td>" in admin_client.get(cache_page).content.decode()
    server.kill()
    visitor.get("/inbox/")
    page = admin_client.get(cache_page).content.decode()
    assert f"<td>open: left alone for a few seconds ({server.address})</td>" in page
