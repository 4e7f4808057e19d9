"""Answering a message: under it, at the foot of its thread, or on a page of its own."""

import re
import uuid

import pytest

from messaging.models import Message, Notification

from .factories import reply, write
from .pages import poll_path, ptag, shown, targets
from .trees import Shape, grow
from .world import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def letter(alice, bob):
    """alice has written to bob."""
    return write(alice, bob, "Is the ferry running?")


def address(message):
    return f"/messages/{message.pk}/reply/"


def words(content="Every hour.", **more):
    return {"content": content, "client_token": str(uuid.uuid4())} | more


def answers(message):
    return list(Message.objects.filter(parent_message=message).values_list("content", flat=True))


# --- The form ---


def test_the_form_is_a_page_that_quotes_the_message(bob, letter, signed_in):
    text = signed_in(bob).get(address(letter)).text
    assert "<html" in text
    assert "Is the ferry running?" in text
    assert f'<form class="composer" method="post" action="{address(letter)}"' in text
    assert 'name="client_token"' in text
    assert f'href="/messages/{letter.pk}/"' in text


def test_to_htmx_the_form_comes_alone_to_stand_under_the_message(bob, letter, signed_in):
    text = signed_in(bob).get(address(letter), headers=HTMX).text
    assert "<html" not in text
    assert f'<div class="message__reply" id="message-{letter.pk}-reply" hx-morph-skip>' in text
    assert 'name="in_place" value="1"' in text
    assert "autofocus" in text
    assert f'hx-get="/messages/{letter.pk}/message/"' in text  # Cancel


def test_each_form_has_a_token_of_its_own(bob, letter, signed_in):
    client = signed_in(bob)
    tokens = {
        re.search(r'name="client_token" value="([^"]+)"', client.get(address(letter)).text)[1]
        for _ in range(2)
    }
    assert len(tokens) == 2


def test_both_people_may_reply(alice, bob, letter, signed_in):
    for person in (alice, bob):
        assert signed_in(person).post(address(letter), words()).status_code == 302
    assert answers(letter) == ["Every hour.", "Every hour."]


# --- Sending ---


def test_a_reply_reaches_the_other_person(alice, bob, letter, signed_in):
    response = signed_in(bob).post(address(letter), words())
    answer = Message.objects.get(parent_message=letter)
    assert (answer.sender, answer.receiver, answer.content) == (bob, alice, "Every hour.")
    assert (response.status_code, response["Location"]) == (302, f"/messages/{answer.pk}/")
    assert Notification.objects.filter(user=alice, message=answer).count() == 1


def test_a_reply_at_the_foot_brings_the_list_and_an_empty_form(bob, letter, signed_in):
    client = signed_in(bob)
    response = client.post(address(letter), words(at=letter.pk), headers=HTMX)
    answer = Message.objects.get(parent_message=letter)
    assert response.status_code == 200
    list_target = f"#thread[data-thread='{letter.thread_id}']"
    assert targets(response.text) == [list_target, "#nav-unread", "#nav-bell"]
    assert shown(response.text) == [letter.pk, answer.pk]
    form = response.text[: response.text.index("<hx-partial")]
    assert 'id="composer"' in form
    assert "Every hour." not in form
    assert "Every hour." in response.text


def test_a_reply_in_place_closes_its_form(bob, letter, signed_in):
    data = words(at=letter.pk, in_place="1")
    text = signed_in(bob).post(address(letter), data, headers=HTMX).text
    form = text[: text.index("<hx-partial")]
    assert re.sub(r"\s+", " ", form).strip() == (
        f'<div class="message__reply" id="message-{letter.pk}-reply"></div>'
    )


def test_the_list_in_the_answer_polls_on_from_there(bob, letter, signed_in):
    client = signed_in(bob)
    text = client.post(address(letter), words(at=letter.pk), headers=HTMX).text
    headers = HTMX | {"HX-PTag": ptag(text)}
    assert client.get(poll_path(text), headers=headers).status_code == 304


def test_the_answer_shows_the_page_that_the_form_stood_on(alice, bob, signed_in):
    message_list = grow(bob, alice, [Shape(n - 1 if n else None) for n in range(6)])
    page, parent = message_list[0], message_list[5]
    text = signed_in(bob).post(address(parent), words(at=page.pk), headers=HTMX).text
    assert f'hx-get="/messages/{page.pk}/"' in text


def test_a_reply_in_a_closed_branch_is_shown(alice, bob, signed_in):
    message_list = grow(bob, alice, [Shape(n - 1 if n else None) for n in range(5)])
    parent = message_list[3]
    text = signed_in(bob).post(address(parent), words(at=message_list[0].pk), headers=HTMX).text
    assert Message.objects.latest("pk").pk in shown(text)


def test_a_reply_below_hundreds_of_others_is_shown(alice, bob, signed_in):
    message_list = grow(bob, alice, [Shape(), *(Shape(0) for _ in range(600))])
    text = signed_in(bob).post(address(message_list[0]), words(), headers=HTMX).text
    assert Message.objects.latest("pk").pk in shown(text)
    assert len(shown(text)) < 300


def test_a_page_that_is_not_one_is_taken_for_that_of_the_message(bob, letter, signed_in):
    client = signed_in(bob)
    for at in ("", "x", "0", "-1", "9" * 30, "٣"):
        text = client.post(address(letter), words(at=at), headers=HTMX).text
        assert f'hx-get="/messages/{letter.pk}/"' in text


def test_the_page_of_another_thread_is_not_shown(alice, bob, mallory, letter, signed_in):
    theirs = write(mallory, bob, "Elsewhere")
    text = signed_in(bob).post(address(letter), words(at=theirs.pk), headers=HTMX).text
    assert f'hx-get="/messages/{letter.pk}/"' in text
    assert "Elsewhere" not in text


# --- Twice ---


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_the_same_token_sends_once(bob, letter, signed_in, headers):
    client, data = signed_in(bob), words()
    first, second = (client.post(address(letter), data, headers=headers) for _ in range(2))
    assert answers(letter) == ["Every hour."]
    assert first.status_code == second.status_code == (200 if headers else 302)
    assert first.get("Location") == second.get("Location")


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_a_token_with_other_words_is_a_409_that_can_be_sent_again(bob, letter, signed_in, headers):
    client, data = signed_in(bob), words()
    client.post(address(letter), data)
    response = client.post(address(letter), data | {"content": "On Sundays."}, headers=headers)
    assert response.status_code == 409
    assert "On Sundays.</textarea>" in response.text
    token = re.search(r'name="client_token" value="([^"]+)"', response.text)[1]
    assert token != data["client_token"]
    client.post(address(letter), words("On Sundays.", client_token=token))
    assert answers(letter) == ["Every hour.", "On Sundays."]


def test_a_token_that_sent_to_another_message_is_a_409(bob, letter, signed_in):
    client, data, other = signed_in(bob), words(), write(letter.sender, bob)
    client.post(address(letter), data)
    assert client.post(address(other), data).status_code == 409
    assert answers(other) == []


# --- Refusals ---


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
@pytest.mark.parametrize("in_place", [{}, {"in_place": "1"}], ids=["foot", "in place"])
def test_an_empty_reply_comes_back_with_its_error(bob, letter, signed_in, headers, in_place):
    data = words(" \n ") | in_place
    response = signed_in(bob).post(address(letter), data, headers=headers)
    assert response.status_code == 422
    assert "This field is required." in response.text
    assert ("<html" in response.text) == (not headers)
    place = f"message-{letter.pk}-reply" if in_place else "composer"
    assert f'id="{place}"' in response.text
    assert f'name="client_token" value="{data["client_token"]}"' in response.text
    assert answers(letter) == []


def test_nobody_replies_to_what_was_deleted(bob, letter, signed_in):
    reply(letter)
    letter.delete()
    client = signed_in(bob)
    assert client.get(address(letter)).status_code == 422
    response = client.post(address(letter), words())
    assert response.status_code == 422
    assert "has been deleted" in response.text
    assert "Every hour.</textarea>" in response.text
    assert answers(letter) == ["Yes?"]


@pytest.mark.parametrize("is_gone", [False, True], ids=["tombstone", "gone"])
def test_the_form_at_the_foot_goes_on_with_what_is_left(alice, bob, letter, signed_in, is_gone):
    parent, left = letter, write(alice, bob, parent_message=letter)
    if is_gone:
        parent = write(alice, bob, parent_message=letter)
    place = address(parent)
    parent.delete()
    fields = words(at=letter.pk, thread=letter.thread_id)
    client = signed_in(bob)
    response = client.post(place, fields, headers=HTMX)
    assert response.status_code == 422
    assert "has been deleted" in response.text
    assert "Every hour.</textarea>" in response.text
    action = re.search(r'action="([^"]+)"', response.text)[1]
    assert action == address(letter if is_gone else left)
    assert f'hx-post="{action}"' in response.text
    assert client.post(action, fields, headers=HTMX).status_code == 200
    in_place = words(at=letter.pk, thread=letter.thread_id, in_place="1")
    again = client.post(place, in_place, headers=HTMX)
    assert again.status_code == (404 if is_gone else 422)
    assert address(left) not in again.text


def test_it_does_not_go_on_with_a_thread_of_others(bob, mallory, letter, signed_in):
    gone = write(mallory, bob)
    place = address(gone)
    gone.delete()
    fields = words(at=letter.pk, thread=letter.thread_id)
    assert signed_in(mallory).post(place, fields, headers=HTMX).status_code == 404


def test_nobody_replies_to_who_is_not_there_any_more(alice, bob, letter, signed_in):
    alice.is_active = False
    alice.save()
    response = signed_in(bob).post(address(letter), words())
    assert response.status_code == 422
    assert "This person can’t be written to any more." in response.text
    assert "Every hour.</textarea>" in response.text
    assert answers(letter) == []


def test_nobody_replies_to_who_left(bob, letter, signed_in):
    Message.objects.filter(pk=letter.pk).update(sender=None)
    assert signed_in(bob).post(address(letter), words()).status_code == 422


def test_a_stranger_replies_to_nothing(mallory, letter, signed_in):
    assert signed_in(mallory).post(address(letter), words()).status_code == 404
    assert answers(letter) == []


def test_signed_out_nothing_is_sent(client, letter):
    assert client.post(address(letter), words()).status_code == 302
    assert client.post(address(letter), words(), headers=HTMX).status_code == 401
    assert answers(letter) == []
