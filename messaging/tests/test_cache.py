"""A cache that fails: nobody waits for it twice, and one goes and looks whether it is back."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import caches
from django.template import engines

from messaging import cache, fragments, tally
from messaging.cache import REST, Breaker, FragmentCache
from messaging.models import Message
from messaging.standby import StandbyClient


class Clock:
    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(cache, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def new_breakers(monkeypatch):
    monkeypatch.setattr(Breaker, "_known", {})
    tally.counts.clear()


class Failing:
    """A cache that fails until it is mended; counts how often it was asked."""

    def __init__(self):
        self.asked, self.is_mended = 0, False

    def __call__(self):
        self.asked += 1
        if not self.is_mended:
            raise ConnectionError
        return "found"


# --- The breaker ---


def test_it_asks_once_and_then_not_for_some_seconds(clock):
    breaker, ask = Breaker(), Failing()
    assert [breaker.call(ask) for _ in range(3)] == [None] * 3
    assert ask.asked == 1
    clock.now += REST - 0.1
    breaker.call(ask)
    assert ask.asked == 1
    assert breaker.is_open


def test_it_asks_again_after_that(clock):
    breaker, ask = Breaker(), Failing()
    breaker.call(ask)
    clock.now += REST
    breaker.call(ask)
    assert ask.asked == 2
    assert breaker.is_open


def test_it_closes_once_the_cache_answers(clock):
    breaker, ask = Breaker(), Failing()
    breaker.call(ask)
    ask.is_mended = True
    assert breaker.call(ask) is None
    clock.now += REST
    assert [breaker.call(ask) for _ in range(3)] == ["found"] * 3
    assert not breaker.is_open


def test_slow_is_as_bad_as_failing_but_for_the_answer(clock):
    breaker, other = Breaker(), Failing()

    def ask_slowly():
        clock.now += cache.SLOW + 0.01
        return "found"

    assert breaker.call(ask_slowly) == "found"
    assert breaker.call(other) is None
    assert other.asked == 0


def test_one_looks_while_the_others_go_on(clock):
    breaker, looks, goes_on = Breaker(), threading.Event(), threading.Event()
    breaker.call(Failing())
    clock.now += REST

    def hang():
        looks.set()
        goes_on.wait(timeout=10)
        return "found"

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(breaker.call, hang)
        assert looks.wait(timeout=10)
        other = Failing()
        assert breaker.call(other) is None
        assert other.asked == 0
        goes_on.set()
        assert looking.result(timeout=10) == "found"


def test_there_is_one_for_each_address(clock):
    one, other = Breaker.of("one"), Breaker.of("other")
    one.call(Failing())
    assert Breaker.of("one") is one
    assert Breaker.open_addresses() == ["one"]
    assert other.call(lambda: "found") == "found"


def test_what_is_no_failure_of_the_cache_is_told(clock):
    def refuse():
        raise ValueError("no such number")

    breaker = Breaker()
    with pytest.raises(ValueError, match="number"):
        breaker.call(refuse, failures=ConnectionError)
    assert not breaker.is_open


# --- What a request stores ---


@pytest.fixture
def in_request():
    """The cache of fragments as a request has it."""
    caches["template_fragments"].hold_back()
    yield caches["template_fragments"]
    caches["template_fragments"].close()


def test_a_request_stores_all_at_once(signed_in, alice, bob, monkeypatch):
    Message.objects.create(sender=alice, receiver=bob, content="Hi")
    reader, asked = signed_in(bob), []
    ask = FragmentCache._ask
    monkeypatch.setattr(
        FragmentCache, "_ask", lambda *args, **kwargs: asked.append(args[1]) or ask(*args, **kwargs)
    )
    reader.get("/conversation/")
    assert asked.index("set_many") == len(asked) - 1
    assert "set" not in asked


def test_what_a_request_stores_it_finds_itself_and_others_at_its_end(in_request):
    in_request.set("a", 1)
    in_request.set_many({"b": 2})
    assert in_request.get("a") == 1
    assert in_request.get_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    assert caches["default"].get("a") is None
    in_request.close()
    assert caches["default"].get_many(["a", "b"]) == {"a": 1, "b": 2}


def test_what_a_request_deletes_it_does_not_store(in_request):
    in_request.set("a", 1)
    in_request.delete("a")
    assert in_request.get("a") is None
    in_request.set("b", 2)
    in_request.clear()
    in_request.close()
    assert caches["default"].get_many(["a", "b"]) == {}


def test_each_thing_is_stored_for_its_own_time(in_request):
    in_request.set("gone", 1, timeout=0)
    in_request.set("kept", 2, timeout=60)
    in_request.close()
    assert caches["default"].get_many(["gone", "kept"]) == {"kept": 2}


def test_outside_of_requests_all_is_stored_at_once():
    caches["template_fragments"].set("a", 1)
    assert caches["default"].get("a") == 1


# --- Without Redis ---


def redis_at(address, **options):
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": address,
        "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.25, "SOCKET_TIMEOUT": 0.25} | options,
    }


NOBODY = "redis://:pass-word@127.0.0.1:1/0"


@pytest.fixture
def dead_redis(settings):
    """No server answers; nothing stands in for it."""
    settings.CACHES = settings.CACHES | {"default": redis_at(NOBODY)}


@pytest.fixture
def absent_redis(settings):
    """No server answers; the memory of the process stands in for it."""
    default = redis_at(NOBODY, CLIENT_CLASS="messaging.standby.StandbyClient")
    settings.CACHES = settings.CACHES | {"default": default}
    yield
    caches["default"].clear()


def test_the_tag_of_templates_goes_through_the_breaker(dead_redis):
    template = "{% load cache %}{% for n in numbers %}{% cache 600 name n %}{{ n }}{% endcache %}"
    template = engines["django"].from_string(template + "{% endfor %}")
    assert template.render({"numbers": range(10)}) == "0123456789"
    assert tally.counts["errors"] == 1


def test_a_look_up_of_many_goes_through_the_breaker(dead_redis):
    assert fragments.cache().get_many(["one", "two"]) == {}
    assert fragments.cache().get("one") is None
    assert tally.counts["errors"] == 1
    assert tally.counts["misses"] == 3


def test_every_thread_goes_through_the_same_breaker(dead_redis):
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda key: fragments.cache().get(key), "abcdefgh")) == [None] * 8
    assert 1 <= tally.counts["errors"] <= 4
    errors = tally.counts["errors"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: fragments.cache().get(key), "abcdefgh"))
    assert tally.counts["errors"] == errors


def test_memory_stands_in_for_a_server_that_is_away(absent_redis):
    default = caches["default"]
    default.set("key", "value", 60)
    assert default.get("key") == "value"
    assert default.get_many(["key", "other"]) == {"key": "value"}
    assert default.add("key", "another") is False
    assert default.add("new", 1) is True
    assert default.incr("new") == 2
    assert default.has_key("new")
    assert default.touch("new", 60)
    assert default.delete("new")
    default.set_many({"a": 1, "b": 2})
    assert default.get("b") == 2
    default.delete_many(["a", "b"])
    assert default.get("b", "gone") == "gone"
    assert tally.counts["errors"] == 1


def test_a_page_stays_warm_without_the_server(absent_redis):
    for _ in range(3):
        assert fragments.remember("key", lambda: "html") == "html"
    assert tally.counts["hits"] == 2


def test_a_number_that_is_not_there_cannot_be_raised(absent_redis):
    with pytest.raises(ValueError, match="missing"):
        caches["default"].incr("missing")


def test_people_sign_in_without_the_server(absent_redis, client, alice):
    form = {"login": "alice", "password": "correct horse battery"}
    assert client.post("/accounts/login/", form).status_code == 302
    assert client.get("/inbox/").status_code == 200


def test_an_open_breaker_tells_no_password(absent_redis):
    caches["default"].get("key")
    assert Breaker.open_addresses() == ["redis://127.0.0.1:1/0"]


def test_nor_does_the_one_of_a_cache_without_a_standby(dead_redis):
    fragments.cache().get("key")
    assert Breaker.open_addresses() == ["default redis://127.0.0.1:1/0"]


def test_the_site_says_that_it_is_degraded(absent_redis, client, db):
    assert client.get("/readyz").content == b"degraded"


def test_the_settings_ask_for_somebody_to_stand_in():
    """Else no one could sign in while Redis is away."""
    if "redis" not in caches["default"].__class__.__module__:
        pytest.skip("Redis isn't configured here")
    assert isinstance(caches["default"].client, StandbyClient)
