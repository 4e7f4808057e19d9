"""Somebody who can look after the site is always left, whatever is done in the admin."""

import pytest
from django.contrib.auth import get_user_model

from messaging.tests.test_races import at_once

User = get_user_model()
pytestmark = pytest.mark.django_db
LAST = "only active owner"


@pytest.fixture
def owner():
    return User.objects.create_superuser("owner", email="owner@example.com")


@pytest.fixture
def heir():
    return User.objects.create_superuser("heir")


@pytest.fixture
def retired():
    return User.objects.create_superuser("retired", is_active=False)


def change(client, person, **more):
    """Send the form of a person with these boxes ticked."""
    data = {"username": person.username, "email": person.email, **more}
    data |= {f"date_joined_{half}": value for half, value in [(0, "2026-01-01"), (1, "12:00")]}
    return client.post(f"/admin/accounts/user/{person.pk}/change/", data)


def delete(client, person):
    return client.post(f"/admin/accounts/user/{person.pk}/delete/", {"post": "yes"})


def delete_selected(client, *people):
    data = {"action": "delete_selected", "_selected_action": [p.pk for p in people], "post": "yes"}
    return client.post("/admin/accounts/user/", data)


def owners():
    users = User.objects.filter(is_active=True, is_superuser=True)
    return sorted(users.values_list("username", flat=True))


@pytest.mark.parametrize(
    "left", [{"is_superuser": "on"}, {"is_active": "on"}, {}], ids=["active", "superuser", "both"]
)
def test_the_last_owner_stays_one(signed_in, owner, retired, left):
    response = change(signed_in(owner), owner, is_staff="on", **left)
    assert response.status_code == 200
    assert LAST in response.text
    assert owners() == ["owner"]


def test_the_last_owner_may_change_all_else(signed_in, owner):
    boxes = {"is_staff": "on", "is_superuser": "on", "is_active": "on"}
    assert change(signed_in(owner), owner, **boxes | {"email": "o@example.com"}).status_code == 302
    owner.refresh_from_db()
    assert owner.email == "o@example.com"


def test_one_of_two_owners_may_go(signed_in, owner, heir):
    assert change(signed_in(owner), heir, is_active="on").status_code == 302
    assert owners() == ["owner"]


def test_the_last_owner_is_not_deleted(signed_in, owner, retired):
    client = signed_in(owner)
    for response in (
        client.get(f"/admin/accounts/user/{owner.pk}/delete/"),
        delete(client, owner),
        delete_selected(client, owner, retired),
    ):
        assert response.status_code == 200
        assert LAST in response.text
    assert User.objects.count() == 2


def test_others_are_deleted(signed_in, owner, heir, retired, alice, bob):
    client = signed_in(owner)
    assert delete(client, heir).status_code == 302
    assert delete_selected(client, retired, alice).status_code == 302
    assert delete(client, bob).status_code == 302
    assert sorted(User.objects.values_list("username", flat=True)) == ["owner"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deed", [delete, delete_selected, change])
def test_of_the_last_two_owners_one_stays(signed_in, owner, heir, deed):
    clients = signed_in(owner), signed_in(heir)
    at_once(lambda: deed(clients[0], heir), lambda: deed(clients[1], owner))
    assert len(owners()) == 1
