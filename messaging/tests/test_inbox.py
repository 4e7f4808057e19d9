import re
from datetime import timedelta

import pytest

from messaging.models import Mailbox, Message, Participation
from messaging.services import MessageService, ThreadService

from .many import NOON, write_many

HTMX = {"HX-Request": "true"}


def write(sender, receiver, content="Hello", **more):
    return Message.objects.create(sender=sender, receiver=receiver, content=content, **more)


def text_of(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", response.content.decode()))


def ptag_of(response):
    return re.search(r'hx-ptag="(\w+)"', response.content.decode())[1]


def poll(client, path="/inbox/?show=all", ptag=None):
    headers = HTMX | ({"HX-PTag": ptag} if ptag else {})
    return client.get(path, headers=headers)


def test_a_thread_shows_who_what_and_how_many(alice, bob, signed_in):
    message = write(bob, alice, "The train is at seven.")
    html = signed_in(alice).get("/inbox/").content.decode()
    assert "bob" in html
    assert "The train is at seven." in html
    assert f'href="/messages/{message.pk}/"' in html
    assert '<span class="badge thread-row__count">1<' in html


def test_ones_own_words_are_marked(alice, bob, signed_in):
    write(alice, bob, "I will be there.")
    assert "You: I will be there." in text_of(signed_in(alice).get("/inbox/"))
    assert "You:" not in text_of(signed_in(bob).get("/inbox/"))


def test_a_thread_stands_once_with_its_latest_words(alice, bob, signed_in):
    first = write(bob, alice, "Question?")
    write(alice, bob, "Answer.", parent_message=first)
    text = text_of(signed_in(alice).get("/inbox/?show=all"))
    assert "You: Answer." in text
    assert "Question?" not in text


def test_the_link_leads_to_the_first_unread_message(alice, bob, signed_in):
    first = write(bob, alice, timestamp=NOON)
    ThreadService.mark_read(alice, message=first)
    second = write(bob, alice, parent_message=first, timestamp=NOON + timedelta(minutes=1))
    write(bob, alice, parent_message=first, timestamp=NOON + timedelta(minutes=2))
    assert f'/messages/{second.pk}/"' in signed_in(alice).get("/inbox/").content.decode()


def test_the_latest_thread_stands_first(alice, bob, signed_in):
    write_many(bob, alice, 3)
    text = text_of(signed_in(alice).get("/inbox/"))
    assert text.index("Number 2.") < text.index("Number 1.") < text.index("Number 0.")


def test_words_are_shown_and_never_obeyed(alice, bob, signed_in):
    write(bob, alice, "<script>alert(1)</script> {{ 7*7 }}")
    html = signed_in(alice).get("/inbox/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }}" in html


def test_a_person_who_left_is_called_so(alice, bob, signed_in):
    message = write(bob, alice)
    Message.objects.filter(pk=message.pk).update(sender=None)
    assert "Deleted user" in text_of(signed_in(alice).get("/inbox/?show=all"))


# --- Tabs ---


def test_the_tab_is_unread_while_something_is(alice, bob, signed_in):
    client, message = signed_in(alice), write(bob, alice)
    assert 'show=unread" aria-current="page"' in client.get("/inbox/").content.decode()
    ThreadService.mark_read(alice, message=message)
    assert 'show=all" aria-current="page"' in client.get("/inbox/").content.decode()


def test_the_unread_tab_has_only_what_is_unread(alice, bob, signed_in):
    message = write(bob, alice, "Read already.")
    ThreadService.mark_read(alice, message=message)
    write(bob, alice, "Still new.")
    text = text_of(signed_in(alice).get("/inbox/?show=unread"))
    assert "Still new." in text
    assert "Read already." not in text


def test_the_sent_tab_shows_ones_own_latest_words(alice, bob, signed_in):
    first = write(alice, bob, "Mine.")
    write(bob, alice, "Theirs.", parent_message=first)
    write(bob, alice, "Received only.")
    html = signed_in(alice).get("/inbox/?show=sent").content.decode()
    assert "Mine." in html
    assert f'href="/messages/{first.pk}/"' in html
    assert "Theirs." not in html
    assert "Received only." not in html


@pytest.mark.parametrize("tab", ["archived", "trash", "", "UNREAD", "'", "\0", "x" * 5000])
def test_an_unknown_tab_is_the_usual_one(alice, signed_in, tab):
    response = signed_in(alice).get("/inbox/", {"show": tab})
    assert 'show=all" aria-current="page"' in response.content.decode()


@pytest.mark.parametrize(
    ("tab", "words"),
    [("all", "Write your first message"), ("unread", "read everything"), ("sent", "written yet")],
)
def test_an_empty_tab_says_what_to_do(alice, signed_in, tab, words):
    assert words in text_of(signed_in(alice).get(f"/inbox/?show={tab}"))


# --- Pages ---


def test_every_thread_stands_on_exactly_one_page(alice, bob, signed_in):
    for _ in range(60):
        write(bob, alice, timestamp=NOON)  # one moment for all: the id decides
    client, address, seen = signed_in(alice), "/inbox/?show=all", []
    while address:
        html = client.get(address).content.decode()
        seen += re.findall(r'id="thread-row-(\d+)"', html)
        link = re.search(r'href="([^"]+before=[^"]+)">Older', html)
        address = link and link[1].replace("&amp;", "&")
    assert len(seen) == len(set(seen)) == 60


@pytest.mark.parametrize("key", ["", "x", "0", "-1", "'", "\0", "1" * 9999, "ffffffffffffff-1"])
def test_a_broken_page_key_is_the_first_page(alice, bob, signed_in, key):
    write(bob, alice, "Here.")
    response = signed_in(alice).get("/inbox/", {"show": "all", "before": key})
    assert "Here." in text_of(response)


# --- Polling ---


def test_an_unchanged_poll_is_an_empty_304_of_two_queries(
    alice, bob, signed_in, django_assert_max_num_queries
):
    write(bob, alice)
    client = signed_in(alice)
    ptag = ptag_of(client.get("/inbox/?show=all"))
    with django_assert_max_num_queries(2):
        response = poll(client, ptag=ptag)
    assert (response.status_code, response.content) == (304, b"")
    assert response["HX-PTag"] == ptag
    weight = len(f"HTTP/1.1 304 Not Modified\r\n{response.serialize_headers().decode()}\r\n\r\n")
    assert weight <= 400


def test_a_changed_poll_brings_the_list_and_the_numbers(alice, bob, signed_in):
    write(bob, alice)
    client = signed_in(alice)
    ptag = ptag_of(client.get("/inbox/?show=all"))
    write(bob, alice, "News.")
    response = poll(client, ptag=ptag)
    html = response.content.decode()
    assert response.status_code == 200
    assert html.startswith('<section id="inbox"')
    assert "<html" not in html
    assert 'hx-target="#nav-unread">' in html
    assert 'hx-target="#nav-bell">' in html
    assert "<title>" not in html  # the list may stand beside a thread, whose title it is
    assert response["HX-PTag"] == ptag_of(response) != ptag


@pytest.mark.parametrize("change", ["edit", "read", "delete", "rename"])
def test_a_poll_notices(alice, bob, signed_in, change):
    message = write(bob, alice)
    client = signed_in(alice)
    ptag = ptag_of(client.get("/inbox/?show=all"))
    if change == "edit":
        MessageService.edit(message, content="Better words.", revision=1)
    elif change == "read":
        ThreadService.mark_read(alice, message=message)
    elif change == "delete":
        message.delete()
    else:
        bob.username = "robert"
        bob.save()
    assert poll(client, ptag=ptag).status_code == 200


def test_each_tab_page_and_person_has_its_own_ptag(alice, bob, signed_in):
    write_many(bob, alice, 30)
    client = signed_in(alice)
    before = re.search(r"before=([\w-]+)", client.get("/inbox/?show=all").content.decode())[1]
    paths = ["/inbox/?show=all", "/inbox/?show=sent", f"/inbox/?show=all&before={before}"]
    ptags = {ptag_of(client.get(path)) for path in paths}
    ptags.add(ptag_of(signed_in(bob).get("/inbox/?show=all")))
    assert len(ptags) == 4


@pytest.mark.parametrize("ptag", ["x", "0" * 10_000, "é"])
def test_an_unknown_ptag_gets_the_fresh_list(alice, signed_in, ptag):
    assert poll(signed_in(alice), ptag=ptag).status_code == 200


def test_somebody_elses_ptag_gets_the_fresh_list(alice, bob, signed_in):
    ptag = ptag_of(signed_in(bob).get("/inbox/?show=all"))
    assert poll(signed_in(alice), ptag=ptag).status_code == 200


def test_without_htmx_there_is_no_304(alice, signed_in):
    client = signed_in(alice)
    ptag = ptag_of(client.get("/inbox/?show=all"))
    response = client.get("/inbox/?show=all", headers={"HX-PTag": ptag})
    assert response.status_code == 200
    assert "<html" in response.content.decode()


# --- The door, and what it costs ---


def test_signed_out_goes_to_log_in(client, db):
    assert client.get("/inbox/")["Location"].startswith("/accounts/login/")
    assert client.get("/inbox/", headers=HTMX).status_code == 401


def test_a_stranger_sees_nothing_of_it(alice, bob, mallory, signed_in):
    write(alice, bob, "Between us.")
    for tab in ("unread", "all", "sent"):
        text = text_of(signed_in(mallory).get(f"/inbox/?show={tab}"))
        assert "Between us." not in text
        assert "alice" not in text


@pytest.mark.parametrize("verb", ["post", "put", "delete", "patch", "options", "trace"])
def test_the_inbox_can_only_be_read(alice, signed_in, verb):
    assert getattr(signed_in(alice), verb)("/inbox/").status_code == 405


def test_both_answers_vary_on_htmx(alice, signed_in):
    client = signed_in(alice)
    for headers in ({}, HTMX):
        assert "HX-Request" in client.get("/inbox/", headers=headers)["Vary"]


def test_a_person_without_a_mailbox_has_an_inbox(alice, signed_in):
    Mailbox.objects.filter(pk=alice.pk).delete()
    assert signed_in(alice).get("/inbox/").status_code == 200


@pytest.mark.parametrize("tab", ["unread", "all", "sent"])
@pytest.mark.parametrize("number", [10, 1000])
def test_a_page_costs_four_queries_at_most(
    alice, bob, signed_in, django_assert_max_num_queries, number, tab
):
    sender, receiver = (alice, bob) if tab == "sent" else (bob, alice)
    write_many(sender, receiver, number)
    client = signed_in(alice)
    client.get("/account/")  # not of this page: the epoch, read once a process
    with django_assert_max_num_queries(4):
        client.get(f"/inbox/?show={tab}")
    with django_assert_max_num_queries(2):
        client.get(f"/inbox/?show={tab}")


def test_a_large_number_is_short_to_the_eye_and_whole_to_the_ear(alice, bob, signed_in):
    letter = write(bob, alice)
    Participation.objects.filter(user=alice).update(unread_count=134)
    Mailbox.objects.filter(pk=alice.pk).update(unread_count=134)
    html = signed_in(alice).get("/inbox/").text
    assert letter.content in html
    whole = '<span class="visually-hidden">134 unread</span>'
    assert len(re.findall(rf'{whole}<span\s+aria-hidden="true">99\+</span>', html)) == 2
