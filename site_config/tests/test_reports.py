"""An error report says what broke; sent for real, to a transport that keeps it."""

import json
import logging

import pytest
import sentry_sdk
from django.test import Client
from sentry_sdk.transport import Transport

from messaging.tests.factories import write
from site_config import reports

SECRET = "only for bob to read"


class Drawer(Transport):
    """Keeps what would be sent."""

    def __init__(self, options=None):
        super().__init__(options)
        self.envelopes = []

    def capture_envelope(self, envelope):
        self.envelopes.append(envelope)

    @property
    def text(self):
        return b"\n".join(envelope.serialize() for envelope in self.envelopes).decode()

    @property
    def events(self):
        return [envelope.get_event() for envelope in self.envelopes if envelope.get_event()]


@pytest.fixture
def drawer():
    drawer = Drawer()
    reports.start("http://key@127.0.0.1:1/1", transport=drawer)
    yield drawer
    sentry_sdk.init()


def break_down(self, request, *args, **kwargs):
    content = request.POST["content"]
    raise ValueError(f"cannot send {content}")


def test_a_report_says_what_broke_and_nothing_that_was_written(
    drawer, signed_in, alice, bob, monkeypatch
):
    monkeypatch.setattr("messaging.views.compose.MessageCreateView.post", break_down)
    client = signed_in(alice)
    client.raise_request_exception = False
    form = {"to": "bob", "content": SECRET}
    client.post(f"/messages/new/?q={SECRET}", form, headers={"User-Agent": "strange browser"})
    [event] = drawer.events
    [exception] = event["exception"]["values"]
    assert exception["type"] == "ValueError"
    assert exception["stacktrace"]["frames"][-1]["function"] == "break_down"
    cookies = [cookie.value for cookie in client.cookies.values()]
    for word in (SECRET, "only+for", "strange browser", "alice", "127.0.0.1", *cookies):
        assert word not in drawer.text


def test_a_failing_query_is_reported_without_its_values(drawer, alice, bob):
    letter = write(alice, bob, content=SECRET)
    try:
        letter.notifications.model.objects.create(user=bob, message=letter, is_read=SECRET)
    except Exception as error:
        sentry_sdk.capture_exception(error)
    assert len(drawer.events) == 1
    assert SECRET not in drawer.text


def test_a_logged_error_is_reported_without_what_it_was_filled_in_with(drawer):
    logging.getLogger("parley").error("no room for %s", SECRET)
    [event] = drawer.events
    assert event["logentry"] == {"message": "no room for %s"}
    assert SECRET not in drawer.text


def test_what_is_answered_in_order_is_no_report(drawer, db):
    assert Client().get("/nothing").status_code == 404
    assert drawer.events == []


def test_whatever_a_report_brings_along_is_left_out():
    event = {
        "event_id": "1",
        "request": {"data": SECRET, "cookies": SECRET},
        "user": {"email": SECRET},
        "extra": {"x": SECRET},
        "breadcrumbs": {"values": [SECRET]},
        "contexts": {"x": SECRET},
        "server_name": SECRET,
        "exception": {
            "values": [{"type": "E", "value": SECRET, "stacktrace": {"frames": [{"vars": SECRET}]}}]
        },
    }
    assert SECRET not in json.dumps(reports.scrub(event, {}))
