import re
from datetime import timedelta

import pytest
from django.db import connection

from messaging.models import Message
from messaging.services import MessageService, ThreadService
from messaging.views.conversation import newest_messages

from .many import NOON, forget_statistics, write_many
from .pages import poll_path

HTMX = {"HX-Request": "true"}


def write(sender, receiver, content="Hello", minute=0, **more):
    moment = NOON + timedelta(minutes=minute)
    return Message.objects.create(
        sender=sender, receiver=receiver, content=content, timestamp=moment, **more
    )


def html_of(client, path, **query):
    response = client.get(path, query)
    assert response.status_code == 200
    return response.content.decode()


def ptag_of(html):
    return re.search(r'hx-ptag="(\w+)"', html)[1]


def test_all_messages_stand_in_the_order_of_time(alice, bob, mallory, signed_in):
    write(bob, alice, "Second.", minute=2)
    first = write(alice, mallory, "First.", minute=1)
    write(mallory, alice, "Third.", minute=3, parent_message=first)
    html = html_of(signed_in(alice), "/conversation/")
    assert html.index("First.") < html.index("Second.") < html.index("Third.")


def test_with_one_person_only_theirs_and_mine(alice, bob, mallory, signed_in):
    write(bob, alice, "From bob.")
    write(alice, bob, "To bob.")
    write(mallory, alice, "From mallory.")
    write(bob, mallory, "Not mine.")
    html = html_of(signed_in(alice), "/conversation/bob/")
    assert "From bob." in html
    assert "To bob." in html
    assert "From mallory." not in html
    assert "Not mine." not in html


def test_each_message_leads_to_its_place_in_the_thread(alice, bob, signed_in):
    message = write(bob, alice)
    assert f'href="/messages/{message.pk}/"' in html_of(signed_in(alice), "/conversation/bob/")


def test_what_was_deleted_is_not_there(alice, bob, signed_in):
    message = write(bob, alice, "Gone.")
    write(alice, bob, "Still here.", parent_message=message)
    message.delete()
    html = html_of(signed_in(alice), "/conversation/bob/")
    assert "Still here." in html
    assert "was deleted" not in html


def test_a_person_who_left_is_called_so(alice, bob, signed_in):
    message = write(bob, alice)
    Message.objects.filter(pk=message.pk).update(sender=None)
    assert "Deleted user" in html_of(signed_in(alice), "/conversation/")


@pytest.mark.parametrize("name", ["mallory", "nobody", "alice", "x" * 500, "a\0b", "%00", "٣"])
def test_there_is_none_with_a_stranger(alice, bob, mallory, signed_in, name):
    write(bob, alice)
    write(bob, mallory)
    assert signed_in(alice).get(f"/conversation/{name}/").status_code == 404


def test_an_empty_one_says_what_it_is_for(alice, signed_in):
    assert "No messages yet" in html_of(signed_in(alice), "/conversation/")


def test_every_message_stands_on_exactly_one_page(alice, bob, signed_in):
    for number in range(60):
        write(bob, alice)
        write(alice, bob, minute=number % 2)
    client, address, seen = signed_in(alice), "/conversation/bob/", []
    while address:
        html = html_of(client, address)
        seen += re.findall(r'<article class="[^"]+" id="message-(\d+)"', html)
        link = re.search(r'href="([^"]+before=[^"]+)">Older messages', html)
        address = link and link[1]
    assert len(seen) == len(set(seen)) == 120


@pytest.mark.parametrize("key", ["x", "0", "-1", "'", "\0", "1" * 9999])
def test_a_broken_page_key_is_the_newest_page(alice, bob, signed_in, key):
    write(bob, alice, "Here.")
    assert "Here." in html_of(signed_in(alice), "/conversation/", before=key)


def test_an_edit_is_seen_at_once(alice, bob, signed_in):
    message, client = write(bob, alice, "Old words."), signed_in(alice)
    html_of(client, "/conversation/")
    MessageService.edit(message, content="New words.", revision=1)
    html = html_of(client, "/conversation/")
    assert "New words." in html
    assert "Old words." not in html


def test_an_unchanged_poll_is_a_304_and_a_changed_one_brings_the_list(alice, bob, signed_in):
    write(bob, alice)
    client = signed_in(alice)
    headers = HTMX | {"HX-PTag": ptag_of(html_of(client, "/conversation/bob/"))}
    response = client.get("/conversation/bob/", headers=headers)
    assert (response.status_code, response.content) == (304, b"")
    write(bob, alice, "News.", minute=1)
    html = client.get("/conversation/bob/", headers=headers).content.decode()
    assert html.startswith('<section id="conversation"')
    assert "News." in html
    assert re.search(r"<title>\(2\)\s+With bob · Parley</title>", html)


def test_each_person_and_page_has_its_own_ptag(alice, bob, mallory, signed_in):
    write(bob, alice)
    write(mallory, alice)
    client = signed_in(alice)
    paths = ["/conversation/", "/conversation/bob/", "/conversation/mallory/"]
    assert len({ptag_of(html_of(client, path)) for path in paths}) == 3


@pytest.mark.parametrize("path", ["/conversation/", "/conversation/bob/"])
@pytest.mark.parametrize("number", [10, 1000])
def test_the_cost_does_not_grow(alice, bob, signed_in, django_assert_max_num_queries, number, path):
    write_many(bob, alice, number)
    client = signed_in(alice)
    client.get("/account/")
    with django_assert_max_num_queries(8):
        client.get(path)
    with django_assert_max_num_queries(4):
        client.get(path)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's plans")
def test_each_half_comes_straight_from_its_index(alice, bob, django_assert_num_queries):
    written = write_many(bob, alice, 10)
    forget_statistics()
    with django_assert_num_queries(2) as captured:
        seen = list(newest_messages(alice, None, None, 5))
    assert [entry.pk for entry in seen] == [message.pk for message in written[:4:-1]]
    for query in captured.captured_queries:
        with connection.cursor() as cursor:
            plan = str(cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}").fetchall())
        assert "USING INDEX message_" in plan
        assert "TEMP B-TREE" not in plan


def test_signed_out_goes_to_log_in(client, db):
    assert client.get("/conversation/")["Location"].startswith("/accounts/login/")
    assert client.get("/conversation/bob/", headers=HTMX).status_code == 401


@pytest.mark.parametrize("verb", ["post", "put", "delete", "patch", "options", "trace"])
@pytest.mark.parametrize("path", ["/conversation/", "/conversation/nobody/"])
def test_a_conversation_can_only_be_read(alice, signed_in, verb, path):
    assert getattr(signed_in(alice), verb)(path).status_code == 405


def test_both_answers_vary_on_htmx(alice, signed_in):
    for headers in ({}, HTMX):
        assert "HX-Request" in signed_in(alice).get("/conversation/", headers=headers)["Vary"]


def test_a_day_is_told_once(alice, bob, signed_in):
    for minute in (0, 1, 24 * 60):
        write(bob, alice, f"At {minute}.", minute=minute)
    html = html_of(signed_in(alice), "/conversation/")
    days = re.findall(r'<p class="conversation__day"( hidden)?>', html)
    assert days == ["", " hidden", ""]


def test_what_is_new_begins_at_a_line(alice, bob, signed_in):
    old, *_ = [write(bob, alice, f"Number {n}.", minute=n) for n in range(3)]
    ThreadService.mark_read(alice, message=old)
    html = html_of(signed_in(alice), "/conversation/")
    assert html.count('id="new-line"') == 1
    assert html.index("Number 0.") < html.index('id="new-line"') < html.index("Number 1.")


def test_a_page_follows_the_name_of_the_other_but_shows_no_stranger(alice, bob, mallory, signed_in):
    write(alice, bob)
    client = signed_in(alice)
    path = poll_path(client.get("/conversation/bob/").text)
    bob.username = "robert"
    bob.save()
    assert client.get(path).status_code == 404
    assert client.get(path, headers=HTMX)["HX-Redirect"] == "/conversation/robert/"
    for other in (mallory.pk, alice.pk, 0, "x"):
        response = client.get(f"/conversation/bob/?with={other}", headers=HTMX)
        assert response.status_code == 404
