"""The e-mail addresses of a person: whoever gives one can have the account by it."""

import re

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.contrib.auth import get_user_model

User = get_user_model()
PASSWORD = "correct horse battery"
ADDRESSES = "/accounts/email/"
TAKEN = "Someone here has this e-mail address already."
pytestmark = pytest.mark.django_db


def act(client, action, email="new@example.com"):
    return client.post(ADDRESSES, {"email": email, f"action_{action}": ""})


def addresses(person):
    return set(EmailAddress.objects.filter(user=person).values_list("email", flat=True))


def give(person, email, **columns):
    return EmailAddress.objects.create(user=person, email=email, **columns)


@pytest.fixture
def known(signed_in):
    """Return a client that has just shown its person's password: `known(alice)`."""

    def show_password(person):
        client = signed_in(person)
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        return client

    return show_password


def test_an_address_is_added_after_the_password(signed_in, alice, mailoutbox):
    client = signed_in(alice)
    response = act(client, "add")
    assert response["Location"].startswith("/accounts/reauthenticate/?next=")
    assert (addresses(alice), mailoutbox) == ({alice.email}, [])
    wrong = client.post(response["Location"], {"password": "no", "next": ADDRESSES})
    assert wrong.status_code == 422
    right = client.post(response["Location"], {"password": PASSWORD, "next": ADDRESSES})
    assert (right.status_code, right["Location"]) == (302, ADDRESSES)
    assert addresses(alice) == {alice.email, "new@example.com"}
    assert [mail.to for mail in mailoutbox] == [["new@example.com"]]


@pytest.mark.parametrize("action", ["primary", "remove"])
def test_none_is_made_the_first_or_removed_without_it(signed_in, alice, action):
    give(alice, alice.email, primary=True)
    give(alice, "new@example.com")
    response = act(signed_in(alice), action)
    assert response["Location"].startswith("/accounts/reauthenticate/")
    assert EmailAddress.objects.get(email="new@example.com").primary is False


def test_an_address_that_is_merely_added_gets_no_link_to_a_new_password(client, alice, mailoutbox):
    address = give(alice, "new@example.com")
    asked = {"email": "new@example.com"}
    response = client.post("/accounts/password/reset/", asked)
    assert (response["Location"], mailoutbox) == ("/accounts/password/reset/done/", [])
    EmailAddress.objects.filter(pk=address.pk).update(verified=True)
    client.post("/accounts/password/reset/", asked)
    assert [mail.to for mail in mailoutbox] == [["new@example.com"]]
    assert re.search(r"/password/reset/key/", mailoutbox[0].body)


def test_who_adds_the_address_of_another_gets_none_either(client, alice, mallory, mailoutbox):
    give(mallory, alice.email)
    client.post("/accounts/password/reset/", {"email": alice.email.upper()})
    [mail] = mailoutbox
    assert "alice" in mail.body
    assert "mallory" not in mail.body


def test_the_address_of_another_is_refused_as_at_the_sign_up(known, alice, bob):
    client = known(bob)
    for email in ("Alice@example.com", "second@example.com"):
        give(alice, email.lower())
        response = act(client, "add", email)
        assert response.status_code == 422
        assert response.context["form"].errors["email"] == [TAKEN]
    assert addresses(bob) == {bob.email}


def test_where_addresses_are_confirmed_first_nobody_is_told_of_another(known, alice, bob, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    assert act(known(bob), "add", alice.email).status_code == 302


def test_an_address_that_is_taken_meanwhile_is_not_made_the_first(known, alice, bob):
    give(bob, bob.email, primary=True)
    give(bob, "new@example.com")
    User.objects.filter(pk=alice.pk).update(email="new@example.com")
    response = act(known(bob), "primary")
    assert response.status_code == 422
    assert response.context["form"].errors["email"] == [TAKEN]
    assert EmailAddress.objects.get(user=bob, primary=True).email == bob.email
    assert User.objects.get(pk=bob.pk).email == bob.email


def test_an_address_that_is_free_is_made_the_first(known, bob):
    give(bob, "new@example.com")
    assert act(known(bob), "primary").status_code == 302
    assert User.objects.get(pk=bob.pk).email == "new@example.com"


def test_an_address_that_is_the_first_of_another_is_not_confirmed(client, alice, bob):
    address = give(bob, "new@example.com")
    link = f"/accounts/confirm-email/{EmailConfirmationHMAC(address).key}/"
    User.objects.filter(pk=alice.pk).update(email="new@example.com")
    response = client.post(link)
    assert response.status_code == 302
    assert "new@example.com" in client.get(response["Location"]).text
    address.refresh_from_db()
    assert (address.verified, address.primary) == (False, False)
