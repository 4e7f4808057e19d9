"""One line a request: what it cost, and not a word of what was in it."""

import logging
import re

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import ResolverMatch

from messaging import cache, fragments
from messaging.models import Message
from site_config.middleware import RequestLogMiddleware

LINE = re.compile(
    r"id=[0-9a-f]{8} user=(?P<user>\d+|-) route=(?P<route>\S+) status=(?P<status>\d{3})"
    r" ms=\d+\.\d queries=(?P<queries>\d+) hits=(?P<hits>\d+) misses=(?P<misses>\d+)"
    r" errors=(?P<errors>\d+) breaker=(?P<breaker>open|closed)"
)


@pytest.fixture
def lines(caplog, monkeypatch):
    """Return a function that gives the lines that were written since it was last asked."""
    monkeypatch.setattr(cache.Breaker, "_known", {})

    def read():
        found = [line.getMessage() for line in caplog.records if line.name == "parley.request"]
        caplog.clear()
        return found

    with caplog.at_level(logging.INFO, logger="parley.request"):
        yield read


def read_line(line):
    return LINE.fullmatch(line).groupdict()


def test_each_request_writes_one_line(client, db, lines):
    client.get("/")
    client.get("/nowhere/")
    client.get("/static/css/base.css")
    assert [line.split()[2] for line in lines()] == ["route=home", "route=-", "route=-"]


def test_it_says_who_asked_for_what_and_how_it_went(alice, signed_in, lines):
    signed_in(alice).get("/inbox/")
    found = read_line(lines()[-1])
    assert (found["user"], found["route"], found["status"]) == (
        str(alice.pk),
        "messaging:inbox",
        "200",
    )


def test_nobody_is_signed_in_and_nobody_is_said(client, db, lines):
    client.get("/inbox/")
    found = read_line(lines()[0])
    assert (found["user"], found["status"]) == ("-", "302")


def test_who_signed_out_is_said(alice, signed_in, lines):
    signed_in(alice).post("/accounts/logout/")
    assert read_line(lines()[0])["user"] == str(alice.pk)


def test_it_counts_queries_and_what_was_found_in_the_cache(alice, signed_in, lines):
    client = signed_in(alice)
    cold, warm = [(client.get("/inbox/"), read_line(lines()[-1]))[1] for _ in range(2)]
    assert int(cold["misses"]) > 0
    assert int(warm["misses"]) == 0
    assert int(warm["hits"]) > 0
    assert 0 < int(warm["queries"]) < int(cold["queries"])


def test_a_poll_is_two_queries(alice, signed_in, lines):
    client = signed_in(alice)
    htmx = {"HX-Request": "true"}
    htmx["HX-PTag"] = client.get("/inbox/", headers=htmx)["HX-PTag"]
    lines()
    client.get("/inbox/", headers=htmx)
    found = read_line(lines()[0])
    assert (found["status"], found["queries"]) == ("304", "2")


def test_it_counts_nothing_of_others(alice, signed_in, lines):
    fragments.remember("key", lambda: "html")
    signed_in(alice).get("/healthz")
    found = read_line(lines()[-1])
    assert (found["hits"], found["misses"]) == ("0", "0")


def test_it_says_when_the_cache_failed(alice, signed_in, lines, settings):
    default = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = settings.CACHES | {"default": default}
    signed_in(alice).get("/inbox/")
    found = read_line(lines()[-1])
    assert (found["errors"], found["breaker"]) == ("1", "open")


def test_an_error_has_its_line(alice, signed_in, lines, monkeypatch):
    monkeypatch.setattr("messaging.views.inbox.InboxView.get", lambda *args: 1 / 0)
    client = signed_in(alice)
    client.raise_request_exception = False
    client.get("/inbox/")
    assert read_line(lines()[-1])["status"] == "500"


def test_it_tells_no_text_token_address_or_question(alice, bob, signed_in, lines, client):
    sent = {
        "to": "bob",
        "content": "confidential",
        "client_token": "8f3e4a66-0f5b-4a7c-9a53-ec7d4fbbb9a0",
    }
    author = signed_in(alice)
    author.post("/messages/new/?q=question", sent, headers={"User-Agent": "browser\nuser=1"})
    message = Message.objects.get()
    author.get(f"/messages/{message.pk}/?open=question")
    author.get("/people/?q=bob")
    client.post("/accounts/login/", {"login": "bob", "password": "my-password"})
    written = "\n".join(lines())
    cookies = [cookie.value for cookie in author.cookies.values()]
    for word in ("confidential", "8f3e4a66", "question", "bob", "browser", "password", *cookies):
        assert word not in written
    assert all(LINE.fullmatch(line) for line in written.splitlines())


def test_no_word_can_begin_a_line(lines):
    request = RequestFactory().get("/")
    request.resolver_match = ResolverMatch(None, (), {}, url_name="home\nid=0000 user=1 \x1b[2J")
    RequestLogMiddleware(lambda request: HttpResponse())(request)
    [line] = lines()
    assert "\n" not in line
    assert "\x1b" not in line
    assert r"home\nid=0000" in line
