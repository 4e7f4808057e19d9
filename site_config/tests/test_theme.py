"""Light, dark, or like the device: kept with the account."""

import re

import pytest
from django.contrib.auth import get_user_model

pytestmark = pytest.mark.django_db


def choose(client, theme):
    return client.post("/account/preferences/", {"theme": theme})


def head(client):
    text = client.get("/account/").text
    return text[: text.index("</head>")]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_look_is_kept_with_the_account(alice, signed_in, theme):
    answer = choose(signed_in(alice), theme)
    assert (answer.status_code, answer["Location"]) == (302, "/account/")
    elsewhere = head(signed_in(alice))
    assert f'data-theme="{theme}"' in elsewhere
    assert f'<meta name="color-scheme" content="{theme}">' in elsewhere


def test_like_the_device_is_the_look_of_who_chose_none(alice, signed_in):
    client = signed_in(alice)
    assert "data-theme" not in head(client)
    choose(client, "dark")
    choose(client, "system")
    assert "data-theme" not in head(client)
    assert '<meta name="color-scheme" content="light dark">' in head(client)


def test_the_page_says_what_is_chosen(alice, signed_in):
    client = signed_in(alice)
    choose(client, "dark")
    [chosen] = re.findall(r'<input type="radio"[^>]*checked[^>]*>', client.get("/account/").text)
    assert 'value="dark"' in chosen


def test_no_other_look_is_taken(alice, signed_in):
    client = signed_in(alice)
    for theme in ("", "neon", 'dark" onload="x'):
        assert choose(client, theme).status_code == 422
    assert get_user_model().objects.get(pk=alice.pk).theme == "system"


def test_an_error_page_is_the_same_for_everyone(alice, bob, signed_in):
    choose(signed_in(alice), "dark")
    assert signed_in(alice).get("/nope").content == signed_in(bob).get("/nope").content
