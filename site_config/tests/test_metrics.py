"""What Prometheus is told, and to whom; and what a process counts of itself."""

import importlib
import re

import pytest

from messaging import tally
from site_config import metrics, middleware, views

TOKEN = "a-token-of-twenty-characters"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def monitored(settings):
    """The site with MONITOR_TOKEN set from its start."""
    settings.MONITOR_TOKEN = TOKEN
    importlib.reload(metrics)
    yield
    settings.MONITOR_TOKEN = ""
    importlib.reload(metrics)
    metrics.observe = None


def test_without_the_setting_there_is_nothing_and_nothing_is_counted(client, db):
    assert metrics.observe is None
    assert client.get("/metrics", headers=BEARER).status_code == 404


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}])
def test_without_the_token_it_is_any_other_page_that_is_not_there(monitored, client, db, headers):
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 404
    assert response.content == client.get("/nothing").content


def test_it_tells_how_many_were_answered_and_how_fast(monitored, client, db):
    client.get("/healthz")
    text = client.get("/metrics", headers=BEARER).text
    assert 'route="healthz",status="200"} 1.0' in text
    assert "parley_request_seconds_bucket" in text
    assert "parley_breakers_open" in text


def test_it_tells_what_the_process_has_met(monitored, client, db, monkeypatch):
    monkeypatch.setitem(tally.counts, "busy", 7)
    text = client.get("/metrics", headers=BEARER).text
    assert re.search(r'parley_met_total{kind="busy",process="\d+"} 7.0', text)


def test_with_the_token_ready_means_that_it_can_be_written_to(
    monitored, client, db, monkeypatch, django_assert_num_queries
):
    assert client.get("/readyz?deep", headers=BEARER).content == b"ok"
    monkeypatch.setattr(views, "_write", lambda: 1 / 0)
    assert client.get("/readyz?deep").content == b"ok"
    with pytest.raises(ZeroDivisionError):
        client.get("/readyz?deep", headers=BEARER)


def test_trying_whether_it_can_be_written_to_leaves_nothing(monitored, client, db):
    client.get("/readyz?deep", headers=BEARER)
    assert not views.Session.objects.exists()


@pytest.mark.parametrize(
    ("sql", "waits"),
    [
        ("BEGIN IMMEDIATE", True),
        ("UPDATE messaging_mailbox SET version = 2", True),
        ("SELECT 1 FROM messaging_mailbox FOR UPDATE", True),
        ("SELECT 1 FROM messaging_mailbox", False),
    ],
)
def test_only_what_takes_a_lock_can_wait_for_one(sql, waits):
    assert middleware._takes_lock(sql) is waits


def test_a_write_that_takes_long_counts_as_a_wait(signed_in, alice, monkeypatch):
    client, before = signed_in(alice), tally.counts["waits"]
    client.get("/inbox/")
    monkeypatch.setattr(middleware, "LONG", 0)
    client.get("/inbox/")
    assert tally.counts["waits"] == before
    client.post("/account/", {"username": "alicia"})
    assert tally.counts["waits"] > before


def test_refusals_are_counted(client, db, monkeypatch):
    before = tally.counts["busy"]
    monkeypatch.setattr(
        views.HomeView, "get", lambda self, request: views.service_unavailable(request)
    )
    client.get("/")
    assert tally.counts["busy"] == before + 1
