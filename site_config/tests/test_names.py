"""The rules of names, and every door that a name could come in by."""

import json

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError

from site_config.accounts import names

User = get_user_model()
PASSWORD = "correct horse battery"
pytestmark = pytest.mark.django_db

ACCEPTED = ["bob", "Bob-2", "alice.b", "under_score", "Änna", "Łukasz", "Олена", "Ξένια"]
ACCEPTED += ["太郎さん", "김철수", "محمد", "a" * 32]

REFUSED = {
    "Cyrillic first letter": "\u0430dmin",
    "Cyrillic twice": "\u0430dm\u0456n",
    "dotless i": "adm\u0131n",
    "full-width": "\uff41dmin",
    "bold": "\U0001d41admin",
    "circled": "\u24d0dmin",
    "ordinal": "\u00aadmin",
    "Hangul filler": "\u3164\u3164\u3164",
    "folded Hangul filler": "ab\u1160c",
    "zero-width joiner": "al\u200dice",
    "right-to-left override": "al\u202eice",
    "combining mark": "ab\u0301c",
    "NUL": "al\0ice",
    "dot": ".",
    "dots": "..",
    "at": "@",
    "underscore": "_",
    "plus": "+",
    "address": "a@b.example",
    "space": "al ice",
    "slash": "al/ice",
    "Arabic digits": "\u0663\u0664\u0665",
    "Arabic digits after a letter": "a\u0663\u0664",
    "digit first": "1bob",
    "too short": "bo",
    "too long": "a" * 33,
    "empty": "",
    "me": "me",
    "login": "login",
    "admin": "admin",
    "shouted": "ADMIN",
    "with a space behind": "ADMIN ",
    "too long for any column": "a" * 151,
    "admin in other letters": "adrnin",
    "deleted": "deleted",
}

ALIKE = [
    ("bob", "BOB"),
    ("Änna", "änna"),
    ("mallory", "rnallory"),
    ("alice", "AIice"),
    ("coco", "\u0441\u043e\u0441\u043e"),
    ("bobl", "bob1"),
    ("boob", "b0ob"),
    ("strasse", "straße"),
]


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_honest_name_is_accepted(name):
    assert User.objects.create_user(name).username == name


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED.keys())
def test_a_misleading_name_is_refused_by_the_model(name):
    with pytest.raises(ValidationError):
        User(username=name).save()
    assert not User.objects.exists()


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED.keys())
def test_a_misleading_name_is_refused_at_sign_up(client, name):
    data = {"username": name, "email": "new@example.com", "password1": "correct horse battery"}
    response = client.post("/accounts/signup/", data)
    assert response.status_code == 422
    assert response.context["form"].errors["username"]
    assert not User.objects.exists()


@pytest.mark.parametrize(("first", "second"), ALIKE)
def test_names_that_look_alike_are_one_name(first, second):
    assert names.key(first) == names.key(second)
    User.objects.create_user(first)
    with pytest.raises(ValidationError):
        User.objects.create_user(second)


def test_names_that_differ_are_two_names():
    assert len({names.key(name) for name in ACCEPTED}) == len(ACCEPTED)


def test_every_key_is_short_enough_for_its_column():
    longest = User._meta.get_field("username_key").max_length
    assert all(len(names.key(letter * 32)) <= longest for letter in "mΐἢᾒ꽦")


def test_a_superuser_may_have_a_reserved_name_and_nobody_one_that_looks_like_it():
    User.objects.create_superuser("admin")
    for name in ["Admin", "adrnin", "admln"]:
        with pytest.raises(ValidationError):
            User.objects.create_user(name)


def test_a_superuser_may_not_look_like_a_reserved_name():
    with pytest.raises(ValidationError):
        User.objects.create_superuser("adrnin")


def test_bulk_create_keeps_the_rules():
    User.objects.bulk_create([User(username="alice"), User(username="bob")])
    assert User.objects.get(username="bob").username_key == names.key("bob")
    with pytest.raises(ValidationError):
        User.objects.bulk_create([User(username="admin")])


def test_a_fixture_keeps_the_rules(tmp_path):
    def load(name):
        row = {"model": "accounts.user", "pk": 7, "fields": {"username": name, "password": "!"}}
        path = tmp_path / "people.json"
        path.write_text(json.dumps([row]))
        call_command("loaddata", str(path), verbosity=0)

    load("alice")
    assert User.objects.get(pk=7).username_key == names.key("alice")
    with pytest.raises(ValidationError):
        load("\u0430lice")


def test_saving_only_the_name_saves_the_key(alice):
    alice.username = "alicia"
    alice.save(update_fields=["username"])
    alice.refresh_from_db()
    assert alice.username_key == names.key("alicia")


def test_saving_something_else_neither_loads_nor_checks_the_name(alice, django_assert_num_queries):
    person = User.objects.only("pk", "is_active").get(pk=alice.pk)
    with django_assert_num_queries(1):
        person.save(update_fields=["is_active"])


def test_a_person_may_change_the_case_of_their_own_name(alice):
    alice.username = "Alice"
    alice.save()
    assert User.objects.get(pk=alice.pk).username == "Alice"


def test_the_admin_keeps_the_rules(client, alice):
    client.force_login(User.objects.create_superuser("owner"))
    data = {"username": "AIice", "usable_password": "false"}
    response = client.post("/admin/accounts/user/add/", data)
    assert response.status_code == 200
    assert response.context["adminform"].form.errors["username"]
    response = client.post("/admin/accounts/user/add/", data | {"username": "carol"})
    assert response.status_code == 302
    assert User.objects.get(username="carol").username_key == names.key("carol")


def test_two_people_cannot_share_an_address(alice):
    with pytest.raises(IntegrityError):
        User.objects.create_user("carol", email=alice.email.upper())


def test_people_without_an_address_may_be_many(alice):
    User.objects.create_user("carol")
    User.objects.create_user("dave")


def test_what_is_typed_for_a_name_is_read_so_far_and_no_farther():
    """To put a long row of accents in order takes seconds, and anyone may type one at the door."""
    name = "a" + "\u0301\u0327" * 30_000
    assert len(names.key(name)) <= names.MOST_READ
    assert names.key("a" * names.LONGEST) == "a" * names.LONGEST


def rename(person, *names_in_turn):
    for name in names_in_turn:
        person.username = name
        person.save(update_fields=["username"])


def may_be_had(name):
    try:
        User(username=name).clean()
    except ValidationError:
        return False
    return True


def test_a_former_name_is_kept_for_who_had_it(client, alice, bob):
    rename(alice, "alicia")
    for name in ("alice", "AIice"):
        with pytest.raises(ValidationError):
            rename(bob, name)
    data = {"username": "alice", "email": "new@example.com", "password1": PASSWORD}
    assert client.post("/accounts/signup/", data).status_code == 422
    rename(alice, "alice")
    assert User.objects.get(username="alice") == alice


def test_the_last_three_names_are_kept_and_no_more(alice):
    rename(alice, "alicia", "alissa", "alina", "alison")
    kept = [name for name in ("alice", "alicia", "alissa", "alina") if not may_be_had(name)]
    assert kept == ["alicia", "alissa", "alina"]
    rename(alice, "alicia", "alison")
    assert not any(map(may_be_had, ("alissa", "alina", "alicia")))


def test_who_leaves_takes_their_former_names_along(alice):
    rename(alice, "alicia")
    alice.delete()
    assert not may_be_had("alice")
    assert not may_be_had("alicia")


def test_another_way_to_write_a_name_is_no_other_name(alice):
    rename(alice, "Alice")
    assert not alice.former_names.exists()


def test_a_name_that_is_refused_keeps_none(alice, bob):
    with pytest.raises(ValidationError):
        rename(alice, "bob")
    assert not alice.former_names.exists()
