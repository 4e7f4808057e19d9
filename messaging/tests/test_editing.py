"""The inline editor, and two who are faster than each other."""

import re

import pytest

from messaging.models import Message, MessageHistory
from messaging.services import MessageService

from .factories import reply, write
from .world import HTMX

pytestmark = pytest.mark.django_db

BOTH = pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])


@pytest.fixture
def letter(alice, bob):
    """alice has written to bob."""
    return write(alice, bob, "Is the fery running?")


def address(message):
    return f"/messages/{message.pk}/edit/"


def text_of(message):
    return Message.objects.get(pk=message.pk).content


def revision_in(text):
    return re.search(r'name="revision" value="(\d+)"', text)[1]


def test_the_editor_is_a_page_that_works_without_htmx(alice, letter, signed_in):
    text = signed_in(alice).get(address(letter)).text
    assert "<html" in text
    assert f'action="{address(letter)}"' in text
    assert "Is the fery running?</textarea>" in text
    assert revision_in(text) == "1"


def test_to_htmx_the_editor_stands_in_the_place_of_the_message(alice, letter, signed_in):
    text = signed_in(alice).get(address(letter), headers=HTMX).text
    assert "<html" not in text
    assert re.search(rf'<article class="[^"]*" id="message-{letter.pk}"[^>]* hx-morph-skip>', text)
    assert f'hx-post="{address(letter)}"' in text
    assert f'hx-target="#message-{letter.pk}"' in text
    assert f'hx-get="/messages/{letter.pk}/message/"' in text  # Cancel
    assert "autofocus" in text


def test_saving_leads_back_to_the_message(alice, letter, signed_in):
    response = signed_in(alice).post(
        address(letter), {"content": "Is the ferry running?", "revision": "1"}
    )
    assert (response.status_code, response["Location"]) == (302, f"/messages/{letter.pk}/")
    assert text_of(letter) == "Is the ferry running?"


def test_saving_by_htmx_brings_the_message_with_its_mark(alice, letter, signed_in):
    data = {"content": "Is the ferry running?", "revision": "1"}
    response = signed_in(alice).post(address(letter), data, headers=HTMX)
    assert response.status_code == 200
    assert response.text.lstrip().startswith('<article class="message message--mine"')
    assert "Is the ferry running?" in response.text
    assert 'class="message__edited"' in response.text
    assert f'hx-get="/messages/{letter.pk}/history/"' in response.text
    assert "<textarea" not in response.text


def test_an_edit_is_logged_once(alice, letter, signed_in):
    signed_in(alice).post(address(letter), {"content": "Better.", "revision": "1"})
    (row,) = MessageHistory.objects.all()
    assert (row.old_content, row.editor, row.revision) == ("Is the fery running?", alice, 1)


def test_the_same_text_is_no_edit(alice, letter, signed_in):
    data = {"content": letter.content, "revision": "1"}
    response = signed_in(alice).post(address(letter), data, headers=HTMX)
    assert response.status_code == 200
    assert 'class="message__edited"' not in response.text
    assert not MessageHistory.objects.exists()


def test_the_form_of_a_long_message_counts_lines_once(alice, bob, signed_in):
    message = write(alice, bob, "x\n" * 2000)
    data = {"content": "y\r\n" * 2000, "revision": "1"}
    assert signed_in(alice).post(address(message), data).status_code == 302
    assert text_of(message) == ("y\n" * 2000).strip()


# --- Conflicts ---


@BOTH
def test_the_slower_tab_gets_both_texts_and_the_new_revision(alice, letter, signed_in, headers):
    MessageService.edit(letter, content="What it says now.", revision=1)
    data = {"content": "What I was writing.", "revision": "1"}
    response = signed_in(alice).post(address(letter), data, headers=headers)
    assert response.status_code == 409
    assert ("<html" in response.text) == (not headers)
    assert "What it says now." in response.text
    assert "What I was writing.</textarea>" in response.text
    assert revision_in(response.text) == "2"
    assert text_of(letter) == "What it says now."


@BOTH
def test_saving_again_puts_ones_own_text_in_its_place(alice, letter, signed_in, headers):
    client = signed_in(alice)
    MessageService.edit(letter, content="What it says now.", revision=1)
    data = {"content": "What I was writing.", "revision": "1"}
    text = client.post(address(letter), data, headers=headers).text
    again = data | {"revision": revision_in(text)}
    response = client.post(address(letter), again, headers=headers)
    assert response.status_code == (200 if headers else 302)
    assert text_of(letter) == "What I was writing."
    assert MessageHistory.objects.count() == 2


@BOTH
def test_a_text_that_is_saved_already_is_no_conflict(alice, letter, signed_in, headers):
    client, data = signed_in(alice), {"content": "Once is enough.", "revision": "1"}
    statuses = {client.post(address(letter), data, headers=headers).status_code for _ in range(2)}
    assert statuses == {200 if headers else 302}
    assert MessageHistory.objects.count() == 1


def test_two_conflicts_in_a_row_are_two_questions(alice, letter, signed_in):
    client, data = signed_in(alice), {"content": "Mine.", "revision": "1"}
    MessageService.edit(letter, content="Second.", revision=1)
    revision = revision_in(client.post(address(letter), data).text)
    MessageService.edit(letter, content="Third.", revision=2)
    response = client.post(address(letter), data | {"revision": revision})
    assert response.status_code == 409
    assert "Third." in response.text
    assert revision_in(response.text) == "3"


@pytest.mark.parametrize("revision", ["7", "9" * 400])
def test_a_revision_of_the_future_is_a_conflict(alice, letter, signed_in, revision):
    data = {"content": "Mine.", "revision": revision}
    response = signed_in(alice).post(address(letter), data)
    assert response.status_code == 409
    assert revision_in(response.text) == "1"
    assert text_of(letter) == letter.content


@pytest.mark.parametrize("revision", [None, "", "x", "0", "-1", "1.5", "9" * 5000, "2 OR 1"])
def test_a_revision_that_is_none_is_a_422_with_a_sound_one(alice, letter, signed_in, revision):
    data = {"content": "Mine."} | ({"revision": revision} if revision is not None else {})
    response = signed_in(alice).post(address(letter), data)
    assert response.status_code == 422
    assert "Mine.</textarea>" in response.text
    assert revision_in(response.text) == "1"
    assert text_of(letter) == letter.content


# --- Refusals ---


@BOTH
def test_an_empty_text_comes_back_with_its_error(alice, letter, signed_in, headers):
    data = {"content": " ", "revision": "1"}
    response = signed_in(alice).post(address(letter), data, headers=headers)
    assert response.status_code == 422
    assert "This field is required." in response.text
    assert ("<html" in response.text) == (not headers)
    assert text_of(letter) == letter.content


@BOTH
def test_the_receiver_may_not_edit(bob, letter, signed_in, headers):
    client = signed_in(bob)
    assert client.get(address(letter), headers=headers).status_code == 403
    data = {"content": "Not mine.", "revision": "1"}
    assert client.post(address(letter), data, headers=headers).status_code == 403
    assert text_of(letter) == letter.content


def test_a_refusal_shows_no_text_of_the_message(bob, letter, signed_in):
    assert letter.content not in signed_in(bob).get(address(letter)).text


@BOTH
def test_a_deleted_message_cannot_be_edited(alice, letter, signed_in, headers):
    reply(letter)
    letter.delete()
    client = signed_in(alice)
    assert client.get(address(letter), headers=headers).status_code == 404
    data = {"content": "Again.", "revision": "1"}
    assert client.post(address(letter), data, headers=headers).status_code == 404
    assert text_of(letter) == ""


def test_an_edit_of_what_was_deleted_meanwhile_is_a_404(alice, letter, signed_in, monkeypatch):
    edit = MessageService.edit

    def late(message, **data):
        letter.delete()
        return edit(message, **data)

    monkeypatch.setattr(MessageService, "edit", late)
    data = {"content": "Too late.", "revision": "1"}
    assert signed_in(alice).post(address(letter), data).status_code == 404
