"""The account page: name, sessions, leaving."""

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client

from messaging.models import Message, ThrottleCount
from site_config.accounts.models import ReservedName

User = get_user_model()
PASSWORD = "correct horse battery"
pytestmark = pytest.mark.django_db


def is_signed_in(client):
    return client.get("/accounts/login/").status_code == 302


def everything():
    """Every row of every table, for comparison; but for the counts of what was tried."""
    rows = {}
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for table in set(tables) - {ThrottleCount._meta.db_table}:
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608
            rows[table] = cursor.fetchall()
    return rows


@pytest.mark.parametrize("path", ["/account/", "/account/delete/"])
def test_signed_out_it_leads_to_the_log_in(client, path):
    assert client.get(path)["Location"] == f"/accounts/login/?next={path}"
    answer = client.get(path, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (401, b"")


def test_a_person_changes_their_name(signed_in, alice):
    response = signed_in(alice).post("/account/", {"username": "alicia"})
    assert (response.status_code, response["Location"]) == (302, "/account/")
    alice.refresh_from_db()
    assert alice.username == "alicia"


@pytest.mark.parametrize("name", ["", "x", "BOB", "b0b", "admin", "\u0430lice"])
def test_a_refused_name_changes_nothing_and_stays_in_the_form(signed_in, alice, bob, name):
    response = signed_in(alice).post("/account/", {"username": name})
    assert response.status_code == 422
    assert f'value="{name}"' in response.text or not name
    assert response.context["user"].username == "alice"
    alice.refresh_from_db()
    assert alice.username == "alice"


def test_other_columns_cannot_be_sent_along(signed_in, alice):
    data = {"username": "alicia", "is_staff": "on", "is_superuser": "on", "email": "x@y.example"}
    signed_in(alice).post("/account/", data)
    alice.refresh_from_db()
    assert (alice.is_staff, alice.is_superuser) == (False, False)
    assert alice.email == "alice@example.com"


def test_signing_out_everywhere_spares_this_session(signed_in, alice, bob):
    here, elsewhere, other = signed_in(alice), signed_in(alice), signed_in(bob)
    response = here.post("/account/sign-out-everywhere/")
    assert (response.status_code, response["Location"]) == (302, "/account/")
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)
    assert is_signed_in(other)


def test_signing_out_everywhere_takes_a_post(signed_in, alice):
    response = signed_in(alice).get("/account/sign-out-everywhere/")
    assert (response.status_code, response["Allow"]) == (405, "POST")


def test_the_page_of_leaving_counts_what_goes(signed_in, alice, bob):
    for content in ("one", "two"):
        Message.objects.create(sender=alice, receiver=bob, content=content)
    Message.objects.create(sender=bob, receiver=alice, content="three")
    response = signed_in(alice).get("/account/delete/")
    expected = {"sent": 2, "received": 1, "threads": 3, "notifications": 1}
    assert response.context["counts"] == expected


def test_a_wrong_password_deletes_nothing(signed_in, alice, bob):
    Message.objects.create(sender=alice, receiver=bob, content="still here")
    client = signed_in(alice)
    before = everything()
    for password in ("", "no"):
        assert client.post("/account/delete/", {"password": password}).status_code == 422
    assert everything() == before


def test_guessing_the_password_is_slowed_down(signed_in, alice):
    client = signed_in(alice)
    statuses = [client.post("/account/delete/", {"password": "no"}).status_code for _ in range(15)]
    assert statuses[0] == 422
    assert statuses[-1] == 429


def test_the_last_superuser_cannot_leave(signed_in):
    owner = User.objects.create_superuser("owner", password=PASSWORD)
    User.objects.create_superuser("retired", is_active=False)
    client = signed_in(owner)
    response = client.post("/account/delete/", {"password": PASSWORD})
    assert response.status_code == 422
    assert User.objects.filter(pk=owner.pk).exists()
    User.objects.create_superuser("heir")
    assert client.post("/account/delete/", {"password": PASSWORD}).status_code == 302


def test_leaving_lands_outside_with_everything_gone(signed_in, alice, bob, mallory):
    Message.objects.create(sender=alice, receiver=bob, content="goes along")
    Message.objects.create(sender=bob, receiver=mallory, content="stays")
    here, elsewhere = signed_in(alice), signed_in(alice)
    response = here.post("/account/delete/", {"password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, "/")
    assert response["Clear-Site-Data"] == '"cache", "storage"'
    assert "are gone" in here.get("/").text
    assert not is_signed_in(here)
    assert not is_signed_in(elsewhere)
    assert [message.content for message in Message.objects.all()] == ["stays"]


def test_who_left_is_spelled_nowhere(signed_in, alice, bob):
    LogEntry.objects.create(
        user=bob,
        content_type=ContentType.objects.get_for_model(User),
        object_id=str(alice.pk),
        object_repr="alice",
        action_flag=CHANGE,
    )
    client = Client()
    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    keys = [client.session.session_key, signed_in(alice).session.session_key]
    client.post("/account/delete/", {"password": PASSWORD})
    assert not Session.objects.filter(pk__in=keys).exists()
    spelled = repr(everything()).casefold()
    assert "alice" not in spelled
    assert all("alice" not in repr(session.get_decoded()) for session in Session.objects.all())


@pytest.mark.parametrize("goes", ["person", "address", "by staff"])
def test_an_address_that_went_is_spelled_nowhere(admin_client, alice, goes):
    address = EmailAddress.objects.create(user=alice, email="old@example.com")
    path = f"/admin/account/emailaddress/{address.pk}"
    for email in ("alice@home.example", "alice@work.example"):
        data = {"user": alice.pk, "email": email, "verified": "on"}
        assert admin_client.post(f"{path}/change/", data).status_code == 302
    if goes == "by staff":
        admin_client.post(f"{path}/delete/", {"post": "yes"})
    else:
        (alice if goes == "person" else EmailAddress.objects.get()).delete()
    assert not EmailAddress.objects.exists()
    spelled = repr(everything())
    for word in ("old@", "home.example", "work.example"):
        assert word not in spelled


def test_the_name_of_who_left_stays_reserved(client, alice):
    alice.delete()
    assert ReservedName.objects.count() == 1
    for name in ("alice", "AIice"):
        with pytest.raises(ValidationError):
            User.objects.create_user(name)
    data = {"username": "Alice", "email": "new@example.com", "password1": PASSWORD}
    assert client.post("/accounts/signup/", data).status_code == 422


def test_a_reserved_name_outlives_a_new_secret(alice, settings):
    alice.delete()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    with pytest.raises(ValidationError):
        User.objects.create_user("alice")


def test_a_session_of_who_left_is_worth_nothing(signed_in, alice):
    client = signed_in(alice)
    alice.delete()
    assert client.get("/account/").status_code == 302


PATHS = [
    "/",
    "/account/",
    "/account/sessions/",
    "/account/delete/",
    "/account/export/",
    "/healthz",
    "/readyz",
    "/nothing",
]
PATHS += [
    f"/accounts/{page}/"
    for page in (
        "login",
        "signup",
        "logout",
        "inactive",
        "email",
        "confirm-email",
        "confirm-email/abc",
        "reauthenticate",
        "password/change",
        "password/set",
        "password/reset",
        "password/reset/done",
        "password/reset/key/done",
        "password/reset/key/1-abc",
        "login/code/confirm",
        "2fa",
        "2fa/authenticate",
        "2fa/app/add",
        "2fa/passkeys/add",
        "2fa/recovery-codes/new",
    )
]


@pytest.mark.parametrize("path", PATHS)
def test_a_get_writes_nothing(signed_in, alice, path):
    for client in (Client(), signed_in(alice)):
        before = everything()
        for headers in ({}, {"HX-Request": "true"}):
            assert client.get(path, headers=headers).status_code < 500
        assert everything() == before


def test_every_page_of_accounts_has_the_look_of_the_site(signed_in, alice):
    for path in PATHS:
        for client in (Client(), signed_in(alice)):
            response = client.get(path)
            if response.status_code == 200 and "html" in response["Content-Type"]:
                assert 'id="main"' in response.text, path
