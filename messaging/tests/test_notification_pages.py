import re

import pytest

from messaging.models import Message, Notification
from messaging.templatetags.messaging import COUNTED

from .many import write_many

HTMX = {"HX-Request": "true"}
PATH = "/notifications/"


def notify(sender, receiver, content="Hello"):
    message = Message.objects.create(sender=sender, receiver=receiver, content=content)
    return message.notifications.get()


def html_of(response):
    assert response.status_code == 200
    return response.content.decode()


def read_path(notification):
    return f"{PATH}{notification.pk}/read/"


def test_a_line_says_who_wrote_and_leads_there(alice, bob, signed_in):
    notification = notify(bob, alice, "The train is at seven.")
    html = html_of(signed_in(alice).get(PATH))
    assert "<bdi>bob</bdi> wrote to you" in html
    assert "The train is at seven." in html
    assert f'href="/messages/{notification.message_id}/"' in html


def test_what_is_unread_is_marked_so(alice, bob, signed_in):
    read, _ = notify(bob, alice), notify(bob, alice)
    client = signed_in(alice)
    client.post(read_path(read))
    assert html_of(client.get(PATH)).count("notification--unread") == 1


def test_an_empty_bell_says_so(alice, signed_in):
    assert "Nothing in the bell" in html_of(signed_in(alice).get(PATH))


def test_one_is_marked_read_and_the_message_is_not(alice, bob, signed_in):
    one, other = notify(bob, alice), notify(bob, alice)
    response = signed_in(alice).post(read_path(one))
    assert (response.status_code, response["Location"]) == (302, PATH)
    assert list(Notification.objects.unread()) == [other]
    assert Message.objects.filter(read=True).count() == 0


def test_htmx_gets_the_line_and_the_number(alice, bob, signed_in):
    one, _ = notify(bob, alice), notify(bob, alice)
    html = html_of(signed_in(alice).post(read_path(one), headers=HTMX))
    assert html.startswith(f'<li class="notification" id="notification-{one.pk}"')
    assert re.search(r'id="nav-bell"\s*>1<', html)


def test_of_very_many_none_is_counted_beyond_99(alice, bob, signed_in):
    letters = [notify(bob, alice).message for _ in range(COUNTED)]
    html = html_of(signed_in(alice).get(PATH))
    assert re.search(r'id="nav-bell"\s*><span class="visually-hidden">99\+ new</span>', html)
    letters[0].delete()
    html = html_of(signed_in(alice).get(PATH))
    assert re.search(r'id="nav-bell"\s*>99<', html)


def test_all_are_marked_read(alice, bob, signed_in):
    notify(bob, alice), notify(bob, alice), notify(alice, bob)
    response = signed_in(alice).post(f"{PATH}read/")
    assert (response.status_code, response["Location"]) == (302, PATH)
    assert [notification.user for notification in Notification.objects.unread()] == [bob]


def test_htmx_gets_the_list_without_a_number(alice, bob, signed_in):
    notify(bob, alice)
    html = html_of(signed_in(alice).post(f"{PATH}read/", headers=HTMX))
    assert html.startswith('<section id="notifications"')
    assert "notification--unread" not in html
    assert re.search(r'id="nav-bell"\s+hidden></span>', html)


def test_marking_all_of_nothing_is_fine(alice, signed_in):
    for headers in ({}, HTMX):
        assert signed_in(alice).post(f"{PATH}read/", headers=headers).status_code in (200, 302)


def test_somebody_elses_is_not_there(alice, bob, mallory, signed_in):
    notification = notify(bob, alice, "Between us.")
    assert "Between us." not in html_of(signed_in(mallory).get(PATH))
    for stranger in (bob, mallory):
        answer = signed_in(stranger).post(read_path(notification))
        missing = signed_in(stranger).post(f"{PATH}{2**62}/read/")
        assert answer.status_code == missing.status_code == 404
        assert answer.content == missing.content
    assert Notification.objects.unread().count() == 1


@pytest.mark.parametrize("pk", ["-1", "1e3", "x", "9" * 31, "9" * 4000])
def test_a_strange_id_is_not_there(alice, signed_in, pk):
    assert signed_in(alice).post(f"{PATH}{pk}/read/").status_code == 404


def test_every_line_stands_on_exactly_one_page(alice, bob, signed_in):
    write_many(bob, alice, 60)
    client, address, seen = signed_in(alice), PATH, []
    while address:
        html = html_of(client.get(address))
        seen += re.findall(r'id="notification-(\d+)"', html)
        link = re.search(r'href="([^"]+before=[^"]+)">Older', html)
        address = link and link[1]
    assert len(seen) == len(set(seen)) == 60


def test_an_unchanged_poll_is_a_304_and_a_changed_one_brings_the_list(alice, bob, signed_in):
    notify(bob, alice)
    client = signed_in(alice)
    headers = HTMX | {"HX-PTag": re.search(r'hx-ptag="(\w+)"', html_of(client.get(PATH)))[1]}
    assert client.get(PATH, headers=headers).status_code == 304
    notify(bob, alice, "News.")
    html = html_of(client.get(PATH, headers=headers))
    assert html.startswith('<section id="notifications"')
    assert "News." in html


@pytest.mark.parametrize("number", [10, 1000])
def test_a_page_costs_four_queries_at_most(
    alice, bob, signed_in, django_assert_max_num_queries, number
):
    write_many(bob, alice, number)
    client = signed_in(alice)
    client.get("/account/")
    with django_assert_max_num_queries(4):
        client.get(PATH)


def test_signed_out_goes_to_log_in(client, db):
    assert client.get(PATH)["Location"].startswith("/accounts/login/")
    assert client.post(f"{PATH}read/", headers=HTMX).status_code == 401


@pytest.mark.parametrize(
    ("path", "verbs"),
    [
        (PATH, ["post", "put", "delete", "patch", "options", "trace"]),
        (f"{PATH}read/", ["get", "head", "put", "delete", "options", "trace"]),
        (f"{PATH}1/read/", ["get", "head", "put", "delete", "options", "trace"]),
    ],
)
def test_a_wrong_verb_is_refused(alice, signed_in, path, verbs):
    client = signed_in(alice)
    assert {getattr(client, verb)(path).status_code for verb in verbs} == {405}


def test_both_answers_vary_on_htmx(alice, signed_in):
    for headers in ({}, HTMX):
        assert "HX-Request" in signed_in(alice).get(PATH, headers=headers)["Vary"]
