"""Where the mail server can't be reached, everybody gets the answer they would have got."""

import logging
from smtplib import SMTPServerDisconnected

import pytest
from django.contrib.auth import get_user_model
from django.core.mail.backends.locmem import EmailBackend

PASSWORD = "correct horse battery"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True, params=[ConnectionRefusedError, TimeoutError, SMTPServerDisconnected])
def mail_is_down(request, monkeypatch):
    def refuse(self, messages):
        raise request.param("of alice@example.com")

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)


def test_a_new_password_is_promised_to_all_alike(client, alice):
    answers = {
        client.post("/accounts/password/reset/", {"email": email})["Location"]
        for email in (alice.email, "nobody@example.com")
    }
    assert answers == {"/accounts/password/reset/done/"}


def test_an_address_is_added(signed_in, alice):
    client = signed_in(alice)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    added = client.post("/accounts/email/", {"email": "new@example.com", "action_add": ""})
    assert added.status_code == 302
    assert "new@example.com" in client.get("/accounts/email/").text


def test_who_signs_up_is_asked_to_look_into_their_mail(client, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    person = {"username": "carol", "email": "carol@example.com", "password1": PASSWORD}
    response = client.post("/accounts/signup/", person)
    assert response["Location"] == "/accounts/confirm-email/"
    assert get_user_model().objects.filter(username="carol").exists()


def test_one_line_tells_it_and_no_address(client, alice, caplog):
    with caplog.at_level(logging.INFO):
        client.post("/accounts/password/reset/", {"email": alice.email})
    [line] = [text for text in caplog.messages if "mail_failed" in text]
    assert "reason=" in line
    assert "@" not in caplog.text
