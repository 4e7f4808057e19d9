"""Marking what one received: read up to a message, or unread from it on."""

from datetime import timedelta

import pytest

from messaging.models import Message, Notification
from messaging.services import ThreadService

from .factories import bell, fresh, unread, write
from .pages import targets
from .trees import NOON
from .world import HTMX

pytestmark = pytest.mark.django_db

BOTH = pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])


@pytest.fixture
def thread(alice, bob):
    """alice has written to bob three times, and bob once in between."""
    first = write(alice, bob, "One", timestamp=NOON)
    rest = [(alice, bob, "Two"), (bob, alice, "Mine"), (alice, bob, "Three")]
    return [
        first,
        *(
            write(*words, parent_message=first, timestamp=NOON + timedelta(minutes=minute))
            for minute, words in enumerate(rest, 1)
        ),
    ]


def address(message):
    return f"/messages/{message.pk}/read/"


def read_by(person):
    found = Message.objects.received_by(person).filter(read=True).in_time_order()
    return list(found.values_list("content", flat=True))


def test_all_up_to_the_message_is_read(bob, thread, signed_in):
    response = signed_in(bob).post(address(thread[1]), {"state": "read"})
    assert read_by(bob) == ["One", "Two"]
    assert (unread(bob), bell(bob)) == (1, 1)
    assert (response.status_code, response["Location"]) == (302, f"/messages/{thread[1].pk}/")


def test_to_htmx_the_answer_is_the_numbers(bob, thread, signed_in):
    response = signed_in(bob).post(address(thread[1]), {"state": "read"}, headers=HTMX)
    assert response.status_code == 200
    assert targets(response.text) == ["#nav-unread", "#nav-bell"]
    assert response.text.count(">1<span") == 2
    assert "<html" not in response.text


def test_all_from_the_message_on_is_unread(bob, thread, signed_in):
    client = signed_in(bob)
    client.post(address(thread[3]), {"state": "read"})
    response = client.post(address(thread[1]), {"state": "unread"})
    assert read_by(bob) == ["One"]
    assert unread(bob) == 2
    assert (response.status_code, response["Location"]) == (302, "/inbox/")


def test_marking_by_ones_own_message_marks_what_came_before_it(bob, thread, signed_in):
    signed_in(bob).post(address(thread[2]), {"state": "read"})
    assert read_by(bob) == ["One", "Two"]


def test_each_marks_only_what_they_received(alice, bob, thread, signed_in):
    signed_in(alice).post(address(thread[3]), {"state": "read"})
    assert read_by(alice) == ["Mine"]
    assert read_by(bob) == []


def test_another_thread_stays_as_it_is(alice, bob, thread, signed_in):
    write(alice, bob, "Elsewhere", timestamp=NOON - timedelta(days=1))
    signed_in(bob).post(address(thread[3]), {"state": "read"})
    assert "Elsewhere" not in read_by(bob)


def test_twice_is_once(bob, thread, signed_in):
    client = signed_in(bob)
    for _ in range(2):
        assert client.post(address(thread[3]), {"state": "read"}).status_code == 302
    assert unread(bob) == 0


def test_reading_a_message_reads_its_notification(bob, thread, signed_in):
    signed_in(bob).post(address(thread[0]), {"state": "read"})
    rows = Notification.objects.filter(user=bob, is_read=True)
    assert [row.message for row in rows] == [thread[0]]


@BOTH
def test_another_state_is_a_422(bob, thread, signed_in, headers):
    client = signed_in(bob)
    for data in ({}, *({"state": state} for state in ("", "READ", "maybe", "read\0", "x" * 5000))):
        assert client.post(address(thread[3]), data, headers=headers).status_code == 422
    assert read_by(bob) == []


@BOTH
def test_a_stranger_marks_nothing(bob, mallory, thread, signed_in, headers):
    for state in ("read", "unread", "?"):
        data = {"state": state}
        response = signed_in(mallory).post(address(thread[3]), data, headers=headers)
        assert response.status_code == 404
    assert read_by(bob) == []


def test_looking_marks_nothing(bob, thread, signed_in):
    client = signed_in(bob)
    assert client.get(address(thread[3])).status_code == 405
    client.get(f"/messages/{thread[3].pk}/")
    assert read_by(bob) == []


def test_the_button_without_javascript_comes_back_to_the_thread(bob, thread, signed_in):
    response = signed_in(bob).post(address(thread[3]), {"state": "read"}, follow=True)
    assert response.status_code == 200
    assert 'class="read-marker"' not in response.text


def test_who_leaves_in_another_tab_meanwhile_meets_no_error(bob, thread, signed_in, monkeypatch):
    mark_read = ThreadService.mark_read

    def leave_after(user, **kwargs):
        mark_read(user, **kwargs)
        fresh(bob).delete()

    monkeypatch.setattr(ThreadService, "mark_read", leave_after)
    response = signed_in(bob).post(address(thread[3]), {"state": "read"}, headers=HTMX)
    assert response.status_code == 200
