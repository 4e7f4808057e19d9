"""A thread in the order of time, for those who want it so."""

import re
from datetime import timedelta

import pytest

from messaging.models import Message, Participation
from messaging.services import ThreadService

from .factories import place, reply, unread, versions, write
from .pages import poll_path, ptag, shown, state_fields
from .trees import NOON, Shape, grow
from .world import HTMX

pytestmark = pytest.mark.django_db


def path(message, rest=""):
    return f"/messages/{message.pk}/{rest}"


def ids(message_list):
    return [message.pk for message in message_list]


@pytest.fixture
def chat(alice, bob):
    """Return a function that grows a long thread, which alice sees flat; each replies to one."""

    def grow_chat(number=130, **unread):
        shapes = [Shape(n // 2 if n else None, is_mine=n % 3 == 0, **unread) for n in range(number)]
        message_list = grow(alice, bob, shapes)
        ThreadService.choose_view(alice, message=message_list[0], is_flat=True)
        return message_list

    return grow_chat


@pytest.fixture
def few(alice, bob):
    first = write(alice, bob, "One", timestamp=NOON)
    second = reply(first, "Two", timestamp=NOON + timedelta(minutes=1))
    third = reply(first, "Three", timestamp=NOON + timedelta(minutes=2))
    fourth = reply(second, "Four", timestamp=NOON + timedelta(minutes=3))
    return [first, second, third, fourth]


def see_flat(person, message):
    ThreadService.choose_view(person, message=message, is_flat=True)


# --- Choosing ---


def test_a_thread_is_a_tree_until_it_is_wanted_flat(alice, few, signed_in):
    client = signed_in(alice)
    first, second, third, fourth = ids(few)
    assert shown(client.get(path(few[0])).text) == [first, second, fourth, third]
    response = client.post(path(few[1], "view/"), {"view": "flat"})
    assert (response.status_code, response["Location"]) == (302, path(few[1]))
    assert shown(client.get(path(few[0])).text) == [first, second, third, fourth]
    client.post(path(few[1], "view/"), {"view": "tree"})
    assert shown(client.get(path(few[0])).text) == [first, second, fourth, third]


def test_the_choice_is_of_one_person_and_one_thread(alice, bob, few, signed_in):
    other = write(alice, bob)
    before = versions(bob)
    signed_in(alice).post(path(few[0], "view/"), {"view": "flat"})
    assert place(few[0], alice).is_flat
    assert not place(few[0], bob).is_flat
    assert not place(other, alice).is_flat
    assert versions(bob) == before


def test_only_a_choice_that_changes_something_moves_the_version(alice, few):
    before = versions(alice)["alice"]
    see_flat(alice, few[0])
    assert versions(alice)["alice"] == before + 1
    see_flat(alice, few[0])
    assert versions(alice)["alice"] == before + 1


@pytest.mark.parametrize("view", ["", "round", "Flat"])
def test_there_is_no_other_view(alice, few, signed_in, view):
    assert signed_in(alice).post(path(few[0], "view/"), {"view": view}).status_code == 422
    assert not Participation.objects.filter(is_flat=True).exists()


def test_an_open_page_follows_at_its_next_poll(alice, few, signed_in):
    client = signed_in(alice)
    page = client.get(path(few[0]))
    see_flat(alice, few[0])
    response = client.get(poll_path(page.text), headers=HTMX | {"HX-PTag": ptag(page.text)})
    assert shown(response.text) == ids(few)


def test_a_branch_as_a_page_of_its_own_stays_a_tree(alice, few, signed_in):
    see_flat(alice, few[0])
    html = signed_in(alice).get(path(few[1], "replies/")).text
    assert shown(html) == ids([few[1], few[3]])
    assert "/view/" not in html


# --- What each row says ---


def test_each_reply_says_what_it_replies_to_and_leads_there(alice, few, signed_in):
    see_flat(alice, few[0])
    html = signed_in(alice).get(path(few[0])).text
    said = re.findall(r'class="reply-to__link" href="([^"]+)">In reply to <bdi>(\w+)</bdi>', html)
    first, second = (f"#message-{message.pk}" for message in few[:2])
    assert said == [(first, "alice"), (first, "alice"), (second, "bob")]
    assert html.count('data-format="short" datetime="2026-11-01T12:00:00+00:00"') == 2


def test_what_stands_on_another_page_is_linked_there(alice, chat, signed_in):
    message_list = chat()
    html = signed_in(alice).get(path(message_list[-1])).text
    assert f'class="reply-to__link" href="{path(message_list[50])}"' in html


def test_a_reply_to_a_deleted_message_says_so(alice, few, signed_in):
    few[1].delete()
    see_flat(alice, few[0])
    html = signed_in(alice).get(path(few[0])).text
    assert shown(html) == ids(few)
    assert html.count("In reply to a deleted message") == 1


def test_a_line_stands_above_what_is_new_and_stays_there(alice, bob, chat, signed_in):
    message_list = chat(6, is_read=True)
    client = signed_in(alice)
    assert "new-line" not in client.get(path(message_list[0])).text
    news = [write(bob, alice, parent_message=message_list[0]) for _ in range(2)]
    page = client.get(path(message_list[0])).text
    assert page.count("new-line") == 2  # its class and its id
    assert page.index("new-line") < page.index(f'id="message-{news[0].pk}"')
    client.post(path(news[1], "read/"), {"state": "read"})
    again = client.get(poll_path(page), headers=HTMX).text
    assert again.index("new-line") < again.index(f'id="message-{news[0].pk}"')


# --- Pages ---


def test_the_newest_page_comes_first_and_others_follow_by_key(alice, chat, signed_in):
    message_list, client = chat(), signed_in(alice)
    html, found = client.get(path(message_list[-1])).text, []
    while True:
        found = shown(html) + found
        older = re.search(r'href="(/messages/\d+/\?before=[^"]+)"', html)
        if not older:
            break
        html = client.get(older[1]).text
    assert found == ids(message_list)


def test_a_permalink_opens_at_its_message(alice, chat, signed_in):
    message_list, client = chat(), signed_in(alice)
    html = client.get(path(message_list[40])).text
    assert shown(html) == ids(message_list[15:65])
    assert html.count("message--target") == 1
    newer = re.search(r'href="([^"]+)">Newer', html)[1]
    assert message_list[65].pk in shown(client.get(newer).text)


def test_at_the_first_message_there_is_nothing_older(alice, chat, signed_in):
    message_list = chat()
    html = signed_in(alice).get(path(message_list[0])).text
    assert shown(html) == ids(message_list[:25])
    assert "Older messages" not in html


def test_all_that_is_unread_is_on_the_newest_page(alice, bob, chat, signed_in):
    message_list = chat(80)
    more = grow(alice, bob, [Shape(0, is_read=False) for _ in range(70)], onto=message_list)
    client = signed_in(alice)
    html = client.get(path(more[-1])).text
    assert shown(html) == ids(more[80:])
    assert f"/messages/{more[-1].pk}/read/" in html


def test_nothing_that_was_not_shown_is_marked(alice, bob, chat, signed_in):
    message_list = chat(10)
    grow(alice, bob, [Shape(0, is_read=False) for _ in range(210)], onto=message_list)
    last = Message.objects.in_time_order().last()
    assert "read-marker" not in signed_in(alice).get(path(last)).text
    assert unread(alice) == 210


# --- Polls ---


def test_new_replies_arrive_at_the_end_and_nothing_goes(alice, bob, chat, signed_in):
    message_list, client = chat(), signed_in(alice)
    page = client.get(path(message_list[-1])).text
    news = [write(bob, alice, parent_message=message_list[n]) for n in (0, 100)]
    again = client.get(poll_path(page), headers=HTMX | {"HX-PTag": ptag(page)}).text
    assert shown(again) == [*shown(page), *ids(news)]


def test_an_old_page_stays_as_it_is(alice, bob, chat, signed_in):
    message_list, client = chat(), signed_in(alice)
    page = client.get(path(message_list[40])).text
    write(bob, alice, parent_message=message_list[40])
    again = client.get(poll_path(page), headers=HTMX | {"HX-PTag": ptag(page)}).text
    assert shown(again) == shown(page)


def test_an_unchanged_poll_is_a_304(alice, chat, signed_in, django_assert_max_num_queries):
    message_list, client = chat(), signed_in(alice)
    for message in (message_list[-1], message_list[40]):
        page = client.get(path(message)).text
        headers = HTMX | {"HX-PTag": ptag(page)}
        with django_assert_max_num_queries(2):
            assert client.get(poll_path(page), headers=headers).status_code == 304


def test_what_was_deleted_goes_or_leaves_its_mark(alice, few, signed_in):
    see_flat(alice, few[0])
    client = signed_in(alice)
    fields = [("at", few[0].pk), *state_fields(client.get(path(few[0])).text)]
    answer = client.post(path(few[3], "delete/"), dict(fields), headers=HTMX).text
    assert shown(answer)[-3:] == ids(few[:3])


def test_a_reply_is_answered_with_the_page_and_the_reply_at_its_end(alice, bob, few, signed_in):
    see_flat(alice, few[0])
    client = signed_in(alice)
    page = client.get(path(few[3])).text
    fields = dict(state_fields(page)) | {
        "content": "Five",
        "client_token": "00000000-0000-4000-8000-000000000005",
    }
    answer = client.post(path(few[1], "reply/"), fields, headers=HTMX).text
    assert shown(answer) == [*ids(few), Message.objects.get(content="Five").pk]


def test_a_reply_from_an_old_page_is_led_to(alice, chat, signed_in):
    message_list, client = chat(), signed_in(alice)
    fields = dict(state_fields(client.get(path(message_list[40])).text)) | {
        "content": "So late",
        "client_token": "00000000-0000-4000-8000-000000000006",
    }
    answer = client.post(path(message_list[40], "reply/"), fields, headers=HTMX)
    sent = Message.objects.get(content="So late")
    assert (answer.status_code, answer["HX-Redirect"]) == (200, path(sent))
    assert sent.pk in shown(client.get(path(sent)).text)


@pytest.mark.parametrize("word", ["0-0", "x", "ffffffffffffff-1", "", "0-fffffffffffffff"])
def test_any_window_is_a_page(alice, few, signed_in, word):
    see_flat(alice, few[0])
    for query in ({"before": word}, {"first": word}, {"first": word, "last": word}):
        response = signed_in(alice).get(path(few[0]), query)
        assert response.status_code == 200
        assert shown(response.text)


def test_a_page_costs_eight_queries_at_most(alice, chat, signed_in, django_assert_max_num_queries):
    message_list, client = chat(300), signed_in(alice)
    client.get("/account/")  # not of this page: the epoch, read once a process
    for message in (message_list[-1], message_list[150]):
        with django_assert_max_num_queries(8):
            page = client.get(path(message))
        with django_assert_max_num_queries(4):
            client.get(path(message))
        poll = poll_path(page.text)
        with django_assert_max_num_queries(8):
            client.get(poll, headers=HTMX)
