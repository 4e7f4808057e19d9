"""What happened to an account while a request was on its way: that request undoes none of it."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.db.models import F
from django.test import Client

from site_config.accounts.adapter import AccountAdapter
from site_config.accounts.forms import NameForm, PreferencesForm
from site_config.accounts.models import Erasure
from site_config.accounts.services import AccountService

User = get_user_model()
PASSWORD, NEW_PASSWORD = "correct horse battery", "wrong staple elsewhere"
CHANGE = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
pytestmark = pytest.mark.django_db(transaction=True)

# What changes the row of a person: the address, what is posted, and where it is about to be saved.
WRITES = {
    "password": ("/accounts/password/change/", CHANGE, (AccountAdapter, "set_password")),
    "name": ("/account/", {"username": "alicia"}, (NameForm, "save")),
    "preferences": ("/account/preferences/", {"theme": "dark"}, (PreferencesForm, "save")),
}


@pytest.fixture
def meanwhile(monkeypatch):
    """Let something happen just before a method is run: `meanwhile(NameForm, "save", event)`."""

    def happen(owner, name, event):
        method = getattr(owner, name)

        def late(*args, **kwargs):
            event()
            return method(*args, **kwargs)

        monkeypatch.setattr(owner, name, late)

    return happen


def leave(person):
    """Delete the account, as another session of the person does."""
    User.objects.get(pk=person.pk).delete()


@pytest.mark.parametrize(("path", "data", "moment"), WRITES.values(), ids=WRITES)
def test_who_left_is_signed_out_and_does_not_come_back(
    signed_in, alice, meanwhile, path, data, moment
):
    client = signed_in(alice)
    meanwhile(*moment, lambda: leave(alice))
    response = client.post(path, data)
    assert (response.status_code, response["Location"]) == (302, f"/accounts/login/?next={path}")
    assert not User.objects.exists()
    assert Erasure.objects.count() == 1
    assert "_auth_user_id" not in client.session


def test_who_left_at_the_door_is_not_let_in(client, alice, meanwhile):
    meanwhile(AccountAdapter, "login", lambda: leave(alice))
    response = client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    assert response["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in client.session
    assert not User.objects.exists()


def test_htmx_is_told_where_to_sign_in(signed_in, alice, meanwhile):
    client = signed_in(alice)
    meanwhile(NameForm, "save", lambda: leave(alice))
    response = client.post("/account/", {"username": "alicia"}, headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (401, "/accounts/login/")


def test_who_left_cannot_sign_out_elsewhere(signed_in, alice, meanwhile):
    client = signed_in(alice)
    meanwhile(AccountService, "sign_out_everywhere", lambda: leave(alice))
    assert client.post("/account/sign-out-everywhere/").status_code == 302


def test_a_link_to_a_new_password_brings_nobody_back(client, alice, mailoutbox, meanwhile):
    client.post("/accounts/password/reset/", {"email": alice.email})
    link = re.search(r"http://testserver(/\S+)", mailoutbox[0].body)[1]
    form = client.get(link, follow=True).context["action_url"]
    meanwhile(AccountAdapter, "set_password", lambda: leave(alice))
    response = client.post(form, CHANGE)
    assert response.context["token_fail"]
    assert not User.objects.exists()


@pytest.mark.parametrize(("path", "data", "moment"), WRITES.values(), ids=WRITES)
def test_a_change_undoes_no_other(signed_in, alice, meanwhile, path, data, moment):
    def shut_out():
        User.objects.filter(pk=alice.pk).update(
            session_version=F("session_version") + 1, is_active=False, first_name="Alice"
        )

    meanwhile(*moment, shut_out)
    signed_in(alice).post(path, data)
    alice.refresh_from_db()
    assert (alice.session_version, alice.is_active, alice.first_name) == (2, False, "Alice")


def test_a_new_name_undoes_no_new_password(signed_in, alice, meanwhile):
    def change_password():
        person = User.objects.get(pk=alice.pk)
        person.set_password(NEW_PASSWORD)
        person.save(update_fields=["password"])

    meanwhile(NameForm, "save", change_password)
    signed_in(alice).post("/account/", {"username": "alicia"})
    alice.refresh_from_db()
    assert alice.username == "alicia"
    assert alice.check_password(NEW_PASSWORD)


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("change", {"username": "alicia", "email": "alice@example.com", "is_active": "on"}),
        ("password", {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}),
    ],
)
def test_staff_undo_no_signing_out(admin_client, alice, meanwhile, path, data):
    def sign_out_everywhere():
        User.objects.filter(pk=alice.pk).update(session_version=F("session_version") + 1)

    meanwhile(User, "save", sign_out_everywhere)
    joined = {"last_login_0": "", "last_login_1": ""}
    address = f"/admin/accounts/user/{alice.pk}/{path}/"
    assert admin_client.post(address, data | joined).status_code == 302
    alice.refresh_from_db()
    assert alice.session_version == 2
    assert alice.username == "alicia" or alice.check_password(NEW_PASSWORD)


def test_a_person_is_saved_by_hand_as_ever(alice):
    alice.first_name = "Alice"
    alice.save()
    assert User.objects.get(first_name="Alice") == alice
    User(pk=alice.pk + 1, username="carol").save()
    assert User.objects.count() == 2


def test_who_left_cannot_be_saved_by_hand(alice):
    leave(alice)
    with pytest.raises(Exception, match="did not affect any rows"):
        alice.save()
    assert not User.objects.exists()


def test_who_has_just_signed_in_is_noted(alice):
    client = Client()
    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    alice.refresh_from_db()
    assert alice.last_login


@pytest.mark.parametrize("moment", ["clean_username", "save"])
def test_a_name_that_another_takes_meanwhile_is_a_form_error(signed_in, alice, meanwhile, moment):
    client = signed_in(alice)
    meanwhile(NameForm, moment, lambda: User.objects.get_or_create(username="alicia"))
    response = client.post("/account/", {"username": "alicia"})
    assert response.status_code == 422
    assert response.context["form"].errors["username"]
    assert 'value="alicia"' in response.text
    assert response.context["user"].username == "alice"
    alice.refresh_from_db()
    assert alice.username == "alice"


def test_of_two_names_in_one_moment_the_database_lets_one_through(signed_in, alice, bob, meanwhile):
    client = signed_in(alice)
    meanwhile(NameForm, "save", lambda: User.objects.filter(pk=bob.pk).update(username="alicia"))
    response = client.post("/account/", {"username": "alicia"})
    assert response.status_code == 422
    assert response.context["form"].errors["username"]
