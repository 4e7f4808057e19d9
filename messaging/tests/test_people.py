import re

import pytest
from django.contrib.auth import get_user_model

HTMX = {"HX-Request": "true"}


def create(name):
    return get_user_model().objects.create_user(username=name, email=f"{name}@example.com")


def names(client, **query):
    response = client.get("/people/", query, headers=HTMX)
    assert response.status_code == 200
    return re.findall(r'data-value="([^"]*)"', response.content.decode())


@pytest.mark.parametrize("letters", ["bo", "BO", "bob", " bo "])
def test_a_person_is_found_by_the_first_letters(alice, bob, signed_in, letters):
    assert names(signed_in(alice), q=letters) == ["bob"]


def test_letters_beyond_ascii_have_a_case_too(alice, signed_in):
    create("Änne")
    assert names(signed_in(alice), q="än") == names(signed_in(alice), q="ÄN") == ["Änne"]


def test_the_field_of_the_composer_asks_by_its_own_name(alice, bob, signed_in):
    assert names(signed_in(alice), to="bo") == ["bob"]
    assert names(signed_in(alice), q="xx", to="bo") == []


@pytest.mark.parametrize(
    "letters", ["", "b", " b ", "ob", "%b", "_ob", "b%", "b\0", "\\", "x" * 999]
)
def test_nobody_is_found_by_anything_else(alice, bob, signed_in, letters):
    assert names(signed_in(alice), q=letters) == []


def test_oneself_is_not_suggested(alice, signed_in):
    assert names(signed_in(alice), q="al") == []


def test_the_inactive_are_not_suggested(alice, bob, signed_in):
    bob.is_active = False
    bob.save()
    assert names(signed_in(alice), q="bo") == []


def test_ten_are_suggested_at_most(alice, signed_in, django_assert_max_num_queries):
    for letter in "abcdefghjkmnopq":
        create(f"zoe{letter}")
    client = signed_in(alice)
    with django_assert_max_num_queries(3):
        assert names(client, q="zo") == [f"zoe{letter}" for letter in "abcdefghjk"]


def test_no_address_is_given_away(alice, bob, signed_in):
    response = signed_in(alice).get("/people/?q=bo")
    assert "example.com" not in response.content.decode()


def test_how_many_were_found_is_said_aloud(alice, bob, signed_in):
    client = signed_in(alice)
    for letters, words in [("bo", "1 person found"), ("xx", "Nobody found")]:
        html = client.get("/people/", {"q": letters}, headers=HTMX).content.decode()
        assert (
            f'<hx-partial hx-target="#to-status" hx-swap="innerHTML">{words}</hx-partial>' in html
        )


def test_opened_directly_it_is_a_page_that_leads_to_composing(alice, bob, signed_in):
    html = signed_in(alice).get("/people/?q=bo").content.decode()
    assert "<html" in html
    assert 'href="/messages/new/?to=bob"' in html


def test_signed_out_goes_to_log_in(client, db):
    assert client.get("/people/?q=bo")["Location"].startswith("/accounts/login/")
    assert client.get("/people/?q=bo", headers=HTMX).status_code == 401


@pytest.mark.parametrize("verb", ["post", "put", "delete", "patch", "options", "trace"])
def test_people_can_only_be_looked_up(alice, signed_in, verb):
    assert getattr(signed_in(alice), verb)("/people/").status_code == 405


def test_both_answers_vary_on_htmx(alice, signed_in):
    for headers in ({}, HTMX):
        assert "HX-Request" in signed_in(alice).get("/people/?q=bo", headers=headers)["Vary"]
