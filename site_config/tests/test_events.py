"""What a guard of the site hears: one line an event, and no word of what was in it."""

import logging
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from messaging.tests.factories import write
from site_config import events

PASSWORD = "correct horse battery"


@pytest.fixture
def told(caplog):
    """Return a function that gives the events told since it was last asked, as dicts."""

    def read():
        lines = [each.getMessage() for each in caplog.records if each.name == "parley.security"]
        caplog.clear()
        return [dict(re.findall(r"(\w+)=(\S+)", line)) for line in lines]

    with caplog.at_level(logging.INFO, logger="parley.security"):
        yield read


def sign_in(client, login, password):
    return client.post("/accounts/login/", {"login": login, "password": password})


def test_signing_in_and_out_is_told(client, alice, told):
    sign_in(client, "alice", PASSWORD)
    client.post("/accounts/logout/")
    found = [(event["event"], event["user"]) for event in told()]
    assert found == [("signed_in", str(alice.pk)), ("signed_out", str(alice.pk))]


@pytest.mark.parametrize("login", ["alice", "nobody"])
def test_a_failed_sign_in_is_told_and_not_whether_there_is_such_a_person(
    client, alice, told, login
):
    sign_in(client, login, "wrong")
    [event] = told()
    assert (event["event"], event["user"], event["reason"]) == (
        "sign_in_failed",
        "-",
        "credentials",
    )


def test_someone_switched_off_who_knows_the_password_is_told(client, alice, told):
    alice.is_active = False
    alice.save()
    sign_in(client, "alice", PASSWORD)
    assert [event["event"] for event in told()] == ["sign_in_failed"]


def test_signing_up_is_told(client, db, told):
    person = {"username": "carol", "email": "carol@example.com", "password1": PASSWORD}
    client.post("/accounts/signup/", person)
    assert {event["event"] for event in told()} == {"signed_up", "signed_in"}


def test_a_changed_password_is_told(signed_in, alice, told):
    new = "another horse battery"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    signed_in(alice).post("/accounts/password/change/", form)
    assert "password_changed" in {event["event"] for event in told()}


def test_a_page_of_others_is_told_as_hidden(signed_in, alice, bob, mallory, told):
    letter = write(alice, bob)
    signed_in(mallory).get(f"/messages/{letter.pk}/")
    [event] = [event for event in told() if event["event"] == "hidden"]
    assert (event["user"], event["route"]) == (str(mallory.pk), "messaging:thread")


def test_a_page_that_nobody_has_is_not_told(client, db, told):
    client.get("/wp-login.php")
    assert told() == []


def test_what_one_may_not_do_is_told(signed_in, alice, bob, told):
    letter = write(alice, bob)
    signed_in(bob).post(f"/messages/{letter.pk}/edit/", {})
    assert ("refused", "messaging:message-update") in [
        (event["event"], event.get("route")) for event in told()
    ]


def test_what_came_too_often_is_told(client, db, told):
    for _ in range(7):
        sign_in(client, "alice", "wrong")
    assert told()[-1]["event"] == "throttled"


def test_a_foreign_form_is_told_with_its_kind(alice, told):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    told()
    client.post("/account/", {"username": "alicia"})
    [failure, refusal] = told()
    assert (failure["event"], failure["reason"]) == ("csrf_failed", "cookie")
    assert failure["id"] == refusal["id"]


def test_a_deleted_account_is_told(signed_in, alice, told):
    number = str(alice.pk)
    signed_in(alice).post("/account/delete/", {"password": PASSWORD})
    assert ("account_deleted", number) in [(event["event"], event["user"]) for event in told()]


def test_what_is_done_in_the_admin_is_told(alice, bob, told):
    LogEntry.objects.log_actions(alice.pk, [bob], action_flag=2, change_message="private reason")
    [event] = told()
    assert (event["action"], event["model"], event["object"]) == ("change", "user", str(bob.pk))


def test_an_event_has_the_id_of_the_line_of_its_request(client, alice, caplog):
    with caplog.at_level(logging.INFO):
        sign_in(client, "alice", PASSWORD)
    messages = [each.getMessage() for each in caplog.records if each.name.startswith("parley.")]
    ids = {re.search(r"id=([0-9a-f]{8})", message).group(1) for message in messages}
    assert len(messages) > 1
    assert len(ids) == 1


def test_no_event_holds_a_name_or_an_address(client, alice, caplog):
    with caplog.at_level(logging.INFO, logger="parley"):
        sign_in(client, "alice", "my-secret")
        sign_in(client, "alice@example.com", PASSWORD)
    told = "\n".join(each.getMessage() for each in caplog.records)
    for word in ("alice", "my-secret", "127.0.0.1", PASSWORD):
        assert word not in told


def test_no_word_can_begin_a_line():
    assert "\n" not in events.line(event="x\nevent=signed_in")
