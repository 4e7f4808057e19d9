"""Unsending: asks first, leaves nobody else's words."""

import re

import pytest

from messaging.models import Message, Thread

from .factories import reply, write
from .pages import shown, targets
from .trees import Shape, grow
from .world import HTMX

pytestmark = pytest.mark.django_db

BOTH = pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])


@pytest.fixture
def letter(alice, bob):
    """alice has written to bob."""
    return write(alice, bob, "Said too soon.")


def address(message):
    return f"/messages/{message.pk}/delete/"


def at(message, **fields):
    """What the page of a thread says of itself, opened at a message of it."""
    return {"at": message.pk, "thread": message.thread_id} | fields


def test_it_asks_first_on_a_page(alice, letter, signed_in):
    text = signed_in(alice).get(address(letter)).text
    assert "<html" in text
    assert "Said too soon." in text
    assert f'action="{address(letter)}"' in text
    assert "It can’t be undone." in text
    assert Message.objects.filter(pk=letter.pk, deleted_at=None).exists()


def test_to_htmx_it_asks_in_the_place_of_the_message(alice, letter, signed_in):
    text = signed_in(alice).get(address(letter), headers=HTMX).text
    assert "<html" not in text
    assert re.search(rf'<article class="[^"]*" id="message-{letter.pk}"', text)
    assert f'hx-post="{address(letter)}"' in text
    assert f'hx-get="/messages/{letter.pk}/message/"' in text  # Cancel


def test_it_says_that_replies_stay(alice, letter, signed_in):
    client = signed_in(alice)
    assert "The replies to it stay." not in client.get(address(letter)).text
    reply(letter)
    assert "The replies to it stay." in client.get(address(letter)).text


def test_a_thread_of_one_message_goes_and_leads_to_the_inbox(alice, letter, signed_in):
    response = signed_in(alice).post(address(letter))
    assert (response.status_code, response["Location"]) == (302, "/inbox/")
    assert not Message.objects.exists()
    assert not Thread.objects.exists()


def test_to_htmx_the_way_to_the_inbox_is_a_header(alice, letter, signed_in):
    response = signed_in(alice).post(address(letter), at(letter), headers=HTMX)
    assert response.status_code == 200
    assert response["HX-Redirect"] == "/inbox/"
    assert response.content == b""


def test_with_replies_a_tombstone_stays_and_is_led_to(alice, letter, signed_in):
    answer = reply(letter, "Not too soon.")
    response = signed_in(alice).post(address(letter))
    assert response["Location"] == f"/messages/{letter.pk}/"
    assert Message.objects.get(pk=letter.pk).content == ""
    assert Message.objects.get(pk=answer.pk).content == "Not too soon."


def test_to_htmx_a_tombstone_comes_with_the_list_and_the_numbers(alice, letter, signed_in):
    answer = reply(letter)
    text = signed_in(alice).post(address(letter), at(letter), headers=HTMX).text
    list_target = f"#thread[data-thread='{letter.thread_id}']"
    assert targets(text) == [f"#message-{letter.pk}", list_target, "#nav-unread", "#nav-bell"]
    piece = text[: text.index("</hx-partial>")]
    assert f'<article class="message message--mine message--deleted" id="message-{letter.pk}"' in (
        piece
    )
    assert "Said too soon." not in text
    assert "This message was deleted." in text
    assert shown(text)[-2:] == [letter.pk, answer.pk]


def test_a_last_reply_goes_and_leads_to_what_it_answered(bob, letter, signed_in):
    answer = reply(letter)
    response = signed_in(bob).post(address(answer))
    assert response["Location"] == f"/messages/{letter.pk}/"
    assert not Message.objects.filter(pk=answer.pk).exists()


def test_to_htmx_a_last_reply_leaves_the_list(bob, letter, signed_in):
    answer = reply(letter)
    text = signed_in(bob).post(address(answer), at(letter), headers=HTMX).text
    assert shown(text) == [letter.pk]
    piece = text[: text.index("</hx-partial>")]
    assert f'hx-target="#message-{answer.pk}"' in piece
    assert "<article" not in piece


def test_a_page_opened_at_the_message_goes_where_it_can(bob, letter, signed_in):
    answer = reply(letter)
    response = signed_in(bob).post(address(answer), at(answer), headers=HTMX)
    assert response["HX-Redirect"] == f"/messages/{letter.pk}/"


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_page_of_something_else_stays_as_it_is(alice, bob, letter, signed_in, is_gone):
    other = write(alice, bob)
    if not is_gone:
        reply(letter)
    for fields in (at(other), {}):  # another thread, and a conversation
        message = letter if fields else write(alice, bob, parent_message=None if is_gone else other)
        response = signed_in(alice).post(address(message), fields, headers=HTMX)
        assert "HX-Redirect" not in response.headers
        assert targets(response.text) == [f"#message-{message.pk}", "#nav-unread", "#nav-bell"]
        assert shown(response.text) == []


def test_what_is_left_of_a_thread_is_led_to(alice, bob, letter, signed_in):
    reply(letter)
    middle = reply(letter)
    leaf = reply(middle)
    middle.delete()
    assert Message.objects.filter(pk=middle.pk).exists()
    response = signed_in(leaf.sender).post(address(leaf), at(leaf), headers=HTMX)
    assert not Message.objects.filter(pk=middle.pk).exists()
    assert response["HX-Redirect"] == f"/messages/{letter.pk}/"


def test_a_tombstone_with_nothing_left_below_goes_too(alice, bob, letter, signed_in):
    answer = reply(letter)
    letter.delete()
    response = signed_in(bob).post(address(answer))
    assert response["Location"] == "/inbox/"
    assert not Message.objects.exists()


def test_what_is_open_on_the_page_stays_open(alice, bob, signed_in):
    message_list = grow(alice, bob, [Shape(n - 1 if n else None) for n in range(6)])
    mine = write(alice, bob, "Mine", parent_message=message_list[0])
    client = signed_in(alice)
    opened = at(message_list[0], open=f"{message_list[3].pk:x}")
    before = client.get(f"/messages/{message_list[0].pk}/", opened, headers=HTMX).text
    text = client.post(address(mine), opened, headers=HTMX).text
    assert set(shown(text)) == set(shown(before)) - {mine.pk}


@BOTH
def test_the_receiver_may_not_delete(bob, letter, signed_in, headers):
    client = signed_in(bob)
    assert client.get(address(letter), headers=headers).status_code == 403
    assert client.post(address(letter), headers=headers).status_code == 403
    assert Message.objects.get().content == "Said too soon."


@BOTH
def test_it_goes_once(alice, letter, signed_in, headers):
    reply(letter)
    client = signed_in(alice)
    client.post(address(letter), headers=headers)
    assert client.get(address(letter), headers=headers).status_code == 404
    assert client.post(address(letter), headers=headers).status_code == 404


def test_its_words_are_in_no_page_any_more(alice, bob, letter, signed_in):
    reply(letter)
    message = Message.objects.get(pk=letter.pk)
    message.content = "Said otherwise."
    message.save()
    people = [signed_in(alice), signed_in(bob)]
    paths = ["/inbox/?show=all", "/inbox/?show=sent", "/conversation/", "/notifications/"]
    paths += [f"/messages/{letter.pk}/", f"/messages/{letter.pk}/replies/"]
    assert any("Said otherwise." in c.get(path).text for c in people for path in paths)
    people[0].post(address(letter))
    for client in people:
        for path in paths:
            assert "Said" not in client.get(path).text
        assert client.get(f"/messages/{letter.pk}/history/").status_code == 404
