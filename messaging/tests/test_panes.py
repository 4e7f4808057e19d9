"""On a wide screen the list stands beside the thread, and a thread opens without the rest."""

import re

import pytest

from .factories import reply, write
from .pages import shown
from .world import HTMX

pytestmark = pytest.mark.django_db
IN_PANE = HTMX | {"HX-Target": "section#pane"}


@pytest.fixture
def letters(alice, bob, mallory):
    """Two threads of alice's, and one that is none of hers."""
    return (
        write(bob, alice, "The ferry runs."),
        write(alice, bob, "Bring soup."),
        write(bob, mallory),
    )


def page(client, message, headers=None):
    return client.get(f"/messages/{message.pk}/", headers=headers)


def lines(html):
    return re.findall(r'<li class="thread-row.*?</li>', html, re.DOTALL)


def test_the_list_stands_beside_a_thread_and_marks_it(alice, letters, signed_in):
    first, second, _ = letters
    found = lines(page(signed_in(alice), first).text)
    assert len(found) == 2
    marked = [
        line for line in found if f'data-thread="{first.thread_id}" aria-current="true"' in line
    ]
    assert len(marked) == 1
    assert "The ferry runs." in marked[0]
    assert sum("aria-current" in line for line in found) == 1
    assert f'data-thread="{second.thread_id}"' in "".join(found)


def test_the_list_beside_is_as_new_as_the_page(alice, bob, letters, signed_in):
    client = signed_in(alice)
    page(client, letters[0])
    write(bob, alice, "At noon, then.")
    assert "At noon, then." in page(client, letters[0]).text


def test_each_person_has_their_own_list_beside(alice, bob, letters, signed_in):
    page(signed_in(bob), letters[0])
    assert len(lines(page(signed_in(alice), letters[0]).text)) == 2
    assert len(lines(page(signed_in(bob), letters[0]).text)) == 3


def test_in_the_pane_a_thread_comes_without_the_rest(alice, letters, signed_in):
    answer = reply(letters[0])
    html = page(signed_in(alice), letters[0], IN_PANE).text
    assert shown(html) == [letters[0].pk, answer.pk]
    assert re.search(r"<title>\(\d\)\s+bob · Parley</title>", html)
    assert 'id="composer"' in html
    assert "<html" not in html
    assert 'id="inbox"' not in html


def test_back_at_the_inbox_the_pane_is_empty(alice, letters, signed_in):
    html = signed_in(alice).get("/inbox/", headers=IN_PANE).text
    assert "Choose a thread" in html
    assert re.search(r"<title>\(\d\)\s+Inbox · Parley</title>", html)
    assert not lines(html)


def test_a_thread_of_others_is_a_404_in_the_pane_too(alice, letters, signed_in):
    assert page(signed_in(alice), letters[2], IN_PANE).status_code == 404


def test_a_branch_can_be_folded_where_something_hangs_on_it(alice, letters, signed_in):
    answer = reply(letters[0])
    html = page(signed_in(alice), letters[0], IN_PANE).text
    rows = dict(re.findall(r'id="message-(\d+)" .*?</article>(.*?)</li>', html, re.DOTALL))
    assert "thread__fold" in rows[str(letters[0].pk)]
    assert "thread__fold" not in rows[str(answer.pk)]
