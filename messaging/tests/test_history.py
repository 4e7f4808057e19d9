"""What a message said before, for both who share it."""

import re

import pytest

from messaging.services import MessageService

from .factories import reply, write
from .world import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def letter(alice, bob):
    """alice has written to bob, and changed her mind twice."""
    message = write(alice, bob, "The ferry leaves at six.")
    message = MessageService.edit(message, content="The ferry leaves at seven.", revision=1)
    return MessageService.edit(message, content="The boat leaves at seven.", revision=2)


def address(message):
    return f"/messages/{message.pk}/history/"


def versions(text):
    return re.findall(r'<div class="history__text"[^>]*>(.*?)</div>', text, re.DOTALL)


def test_both_read_every_version_newest_first(alice, bob, letter, signed_in):
    for person in (alice, bob):
        assert versions(signed_in(person).get(address(letter)).text) == [
            "The <del>ferry</del><ins>boat</ins> leaves at seven.",
            "The ferry leaves at <del>six.</del><ins>seven.</ins>",
            "The ferry leaves at six.",
        ]


def test_it_is_a_page_that_leads_back(alice, letter, signed_in):
    text = signed_in(alice).get(address(letter)).text
    assert "<html" in text
    assert f'href="/messages/{letter.pk}/"' in text
    assert "as first written" in text
    assert "as it is now" in text


def test_to_htmx_it_is_the_list_alone(alice, letter, signed_in):
    text = signed_in(alice).get(address(letter), headers=HTMX).text
    assert "<html" not in text
    assert "<h1" not in text
    assert len(versions(text)) == 3
    assert text.count("<time datetime=") == 3


def test_the_mark_opens_it_in_a_popover_or_as_a_page(alice, letter, signed_in):
    text = signed_in(alice).get(f"/messages/{letter.pk}/").text
    mark = re.search(r'popovertarget="(message-\d+-history-3)"', text)[1]
    popover = re.search(rf'<div [^>]*id="{mark}"[^>]*>.*?</div>', text, re.DOTALL)[0]
    assert f'hx-get="{address(letter)}"' in popover
    assert f'<a href="{address(letter)}">' in popover


def test_a_message_that_was_never_edited_says_so(alice, bob, signed_in):
    message = write(alice, bob)
    text = signed_in(bob).get(address(message)).text
    assert "This message was never edited." in text
    assert versions(text) == ["Hello"]


def test_old_words_are_shown_and_never_obeyed(alice, bob, signed_in):
    message = write(alice, bob, "<script>x()</script>")
    MessageService.edit(message, content='<img src=x onerror="x()">', revision=1)
    text = signed_in(bob).get(address(message)).text
    assert "&lt;script&gt;" in text
    assert "<img" not in text
    assert "<script>x" not in text


def test_a_stranger_gets_none(mallory, letter, signed_in):
    assert signed_in(mallory).get(address(letter)).status_code == 404


def test_a_deleted_message_has_none(alice, letter, signed_in):
    reply(letter)
    letter.delete()
    assert signed_in(alice).get(address(letter)).status_code == 404


def test_it_costs_the_same_of_two_and_of_forty(alice, bob, signed_in, django_assert_num_queries):
    message, client = write(alice, bob), signed_in(alice)
    client.get(address(message))
    for revision in range(1, 40):
        message = MessageService.edit(message, content=f"Take {revision}", revision=revision)
        if revision in (1, 39):
            with django_assert_num_queries(4):  # session, person, message, its history
                client.get(address(message), headers=HTMX)
