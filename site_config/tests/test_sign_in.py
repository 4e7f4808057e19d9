"""Sign up, in and out, and the password pages."""

import re
from threading import Barrier, Thread

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client

from messaging.models import Mailbox

User = get_user_model()
PASSWORD = "correct horse battery"
NEW_PASSWORD = "wrong staple elsewhere"
pytestmark = pytest.mark.django_db


def sign_up(client, name, **changes):
    data = {"username": name, "email": f"{name}@example.com", "password1": PASSWORD}
    return client.post("/accounts/signup/", data | changes)


def sign_in(client, login, password=PASSWORD, **more):
    return client.post("/accounts/login/", {"login": login, "password": password} | more)


def is_signed_in(client):
    return client.get("/accounts/login/").status_code == 302


def test_a_new_person_signs_up_and_is_in(client):
    response = sign_up(client, "carol")
    assert (response.status_code, response["Location"]) == (302, "/inbox/")
    assert is_signed_in(client)
    assert User.objects.get(username="carol").check_password(PASSWORD)


def test_a_wrong_sign_up_keeps_what_was_typed(client):
    response = sign_up(client, "carol", email="no address")
    assert response.status_code == 422
    assert b'value="carol"' in response.content
    assert b'value="no address"' in response.content
    assert not User.objects.exists()


def test_an_address_that_someone_has_is_refused(client, alice):
    response = sign_up(client, "carol", email="ALICE@example.com")
    assert response.status_code == 422
    assert response.context["form"].errors["email"]


@pytest.mark.parametrize("login", ["alice", "ALICE", "alice@example.com", "Alice@Example.com"])
def test_a_person_signs_in_by_name_or_address_in_any_case(client, alice, login):
    assert sign_in(client, login).status_code == 302
    assert is_signed_in(client)


def test_a_name_beyond_ascii_signs_in_in_any_case(client):
    User.objects.create_user("Änna", password=PASSWORD)
    assert sign_in(client, "änna").status_code == 302


def test_the_session_key_changes_at_sign_in(client, alice):
    client.get("/accounts/password/reset/key/1-abc/")
    session = client.session
    session["before"] = True
    session.save()
    before = session.session_key
    sign_in(client, "alice")
    assert client.session.session_key != before


def test_a_wrong_password_and_an_unknown_name_get_one_answer(client, alice):
    wrong, unknown = sign_in(client, "alice", "no"), sign_in(client, "nobody-here", "no")
    assert (wrong.status_code, unknown.status_code) == (422, 422)
    errors = [response.context["form"].errors for response in (wrong, unknown)]
    assert errors[0] == errors[1]


def test_a_deactivated_person_cannot_sign_in(client, alice):
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert sign_in(client, "alice")["Location"] == "/accounts/inactive/"
    assert not is_signed_in(client)


def test_a_session_ends_when_its_person_is_deactivated(signed_in, alice):
    client = signed_in(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert not is_signed_in(client)


def test_who_is_signed_in_loads_in_two_queries(signed_in, alice, django_assert_num_queries):
    client = signed_in(alice)
    with django_assert_num_queries(2):
        person = client.get("/").wsgi_request.user
        Mailbox.of(person)


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example/", "javascript:x"])
def test_sign_in_never_leads_elsewhere(client, alice, elsewhere):
    assert sign_in(client, "alice", next=elsewhere)["Location"] == "/inbox/"


def test_sign_in_leads_back_to_the_page_that_asked(client, alice):
    assert sign_in(client, "alice", next="/account/")["Location"] == "/account/"


def test_signing_out_takes_a_post(signed_in, alice):
    client = signed_in(alice)
    assert b"<form" in client.get("/accounts/logout/").content
    assert is_signed_in(client)
    response = client.post("/accounts/logout/")
    assert (response.status_code, response["Location"]) == (302, "/")
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_signed_in(client)


def test_signing_out_twice_leads_home(client):
    assert client.post("/accounts/logout/")["Location"] == "/"
    assert client.get("/accounts/logout/")["Location"] == "/"


@pytest.mark.parametrize("path", ["login", "signup", "password/reset"])
@pytest.mark.parametrize("verb", ["put", "delete", "patch", "options", "trace"])
def test_other_verbs_are_refused(client, path, verb):
    response = getattr(client, verb)(f"/accounts/{path}/")
    assert response.status_code == 405
    assert "POST" in response["Allow"]


def test_json_is_an_empty_form(client):
    response = client.post("/accounts/login/", "{}", content_type="application/json")
    assert response.status_code == 422
    assert response["Content-Type"].startswith("text/html")


def test_a_changed_password_ends_the_other_sessions(signed_in, alice):
    here, elsewhere = signed_in(alice), signed_in(alice)
    data = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    response = here.post("/accounts/password/change/", data)
    assert (response.status_code, response["Location"]) == (302, "/account/")
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)


def test_a_wrong_current_password_changes_nothing(signed_in, alice):
    data = {"oldpassword": "no", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert signed_in(alice).post("/accounts/password/change/", data).status_code == 422
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_a_forgotten_password_is_replaced_by_a_link_in_the_mail(client, alice, mailoutbox):
    response = client.post("/accounts/password/reset/", {"email": "alice@example.com"})
    assert response["Location"] == "/accounts/password/reset/done/"
    link = re.search(r"http://testserver(/\S+)", mailoutbox[0].body)[1]
    form = client.get(link, follow=True).context["action_url"]
    wrong = client.post(form, {"password1": NEW_PASSWORD, "password2": "another"})
    assert wrong.status_code == 422
    right = client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert right.status_code == 302
    assert sign_in(Client(), "alice", NEW_PASSWORD).status_code == 302


def test_an_unknown_address_gets_no_mail_and_the_same_answer(client, alice, mailoutbox):
    response = client.post("/accounts/password/reset/", {"email": "nobody@example.com"})
    assert response["Location"] == "/accounts/password/reset/done/"
    assert mailoutbox == []


@pytest.mark.django_db(transaction=True)
def test_of_two_sign_ups_for_one_name_one_wins():
    together, statuses = Barrier(2), []

    def run(name, address):
        together.wait()
        try:
            response = sign_up(Client(), name, email=f"{address}@example.com")
            statuses.append(response.status_code)
        finally:
            connection.close()

    for turn in range(4):
        threads = [
            Thread(target=run, args=(name, f"{name}{turn}"))
            for name in (f"carol{'x' * turn}", f"CAROL{'x' * turn}")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(statuses) == [302] * 4 + [422] * 4
    assert User.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_a_name_taken_between_check_and_save_is_a_form_error(client, monkeypatch):
    from site_config.accounts.adapter import AccountAdapter

    save_user = AccountAdapter.save_user

    def lose_the_race(self, *args, **kwargs):
        User.objects.create_user("Carol")
        return save_user(self, *args, **kwargs)

    monkeypatch.setattr(AccountAdapter, "save_user", lose_the_race)
    response = sign_up(client, "carol")
    assert response.status_code == 422
    assert response.context["form"].errors["username"]
    assert User.objects.count() == 1
