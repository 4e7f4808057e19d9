"""Too fast: the text stays, and the page says when to try again."""

import uuid
from contextlib import suppress

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.models import Message
from messaging.throttles import EDIT, FIRST_LETTER, SEND, Throttled, count

from .factories import fresh, write

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
WAYS = pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
TYPED = "Half an hour of work"


@pytest.fixture
def letter(alice, bob):
    return write(alice, bob)


def use_up(limit, person, clock):
    with suppress(Throttled):
        for _ in range(limit.rates[0].number):
            count({limit: person.pk})
    clock.now += 20


def compose(to="bob", **more):
    return {"to": to, "content": TYPED, "client_token": str(uuid.uuid4())} | more


def deeds(letter):
    """Return where to post what, and what must have been used up, by what it is called."""
    reply = {"content": TYPED, "client_token": str(uuid.uuid4())}
    return {
        "message": ("/messages/new/", compose(), SEND),
        "reply": (f"/messages/{letter.pk}/reply/", reply, SEND),
        "reply in place": (f"/messages/{letter.pk}/reply/", reply | {"in_place": "1"}, SEND),
        "edit": (f"/messages/{letter.pk}/edit/", {"content": TYPED, "revision": 1}, EDIT),
    }


@WAYS
@pytest.mark.parametrize("what", ["message", "reply", "reply in place", "edit"])
def test_the_typed_text_stays(signed_in, alice, letter, clock, what, headers):
    path, data, limit = deeds(letter)[what]
    use_up(limit, alice, clock)
    response = signed_in(alice).post(path, data, headers=headers)
    assert (response.status_code, response["Retry-After"]) == (429, "40")
    assert TYPED in response.text
    assert "try again in 40 seconds" in response.text
    assert ("<html" in response.text) == (not headers)
    assert Message.objects.count() == 1
    assert fresh(letter).content == "Hello"
    if "client_token" in data:  # what is sent again is the same message
        assert data["client_token"] in response.text
    clock.now += 40
    assert signed_in(alice).post(path, data).status_code == 302


@pytest.mark.parametrize("what", ["message", "reply"])
def test_what_has_arrived_may_be_sent_again(signed_in, alice, letter, clock, what):
    path, data, limit = deeds(letter)[what]
    client = signed_in(alice)
    first = client.post(path, data)
    use_up(limit, alice, clock)
    again = client.post(path, data)
    assert (again.status_code, again["Location"]) == (302, first["Location"])
    assert Message.objects.count() == 2
    other_words = client.post(path, data | {"content": "Other words"})
    assert other_words.status_code == 409


def test_who_is_known_may_be_written_to_after_ten_strangers(
    signed_in, alice, bob, mallory, letter, clock
):
    use_up(FIRST_LETTER, alice, clock)
    client = signed_in(alice)
    assert client.post("/messages/new/", compose("bob")).status_code == 302
    refused = client.post("/messages/new/", compose("mallory"))
    assert refused.status_code == 429
    assert "in 60 minutes" in refused.text
    write(mallory, alice)
    assert client.post("/messages/new/", compose("mallory")).status_code == 302


@pytest.mark.parametrize("to", ["bob", "nobody", "", "alice"])
def test_too_fast_nothing_is_told_of_a_name(signed_in, alice, letter, clock, to):
    use_up(SEND, alice, clock)
    response = signed_in(alice).post("/messages/new/", compose(to))
    assert response.status_code == 429
    assert list(response.context["form"].errors) == ["__all__"]


@WAYS
def test_fifty_versions_are_enough(signed_in, alice, letter, headers):
    Message.objects.filter(pk=letter.pk).update(revision=50)
    data = {"content": TYPED, "revision": 50}
    response = signed_in(alice).post(f"/messages/{letter.pk}/edit/", data, headers=headers)
    assert response.status_code == 422
    assert TYPED in response.text
    assert "stays as it is" in response.text
    assert fresh(letter).revision == 50


@WAYS
def test_a_poll_that_is_too_fast_gets_nothing_to_show(signed_in, alice, clock, headers):
    client = signed_in(alice)
    for _ in range(240):
        client.get("/notifications/", headers=HTMX | {"HX-PTag": "x"})
    response = client.get("/inbox/", headers=HTMX | {"HX-PTag": "x"})
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert client.get("/inbox/", headers=headers).status_code == 200
    assert signed_in(alice).get("/inbox/", headers=HTMX | {"HX-PTag": "x"}).status_code == 200


@pytest.mark.parametrize(("what", "most"), [("message", 2), ("reply", 1), ("edit", 1)])
def test_what_it_costs(signed_in, alice, letter, settings, what, most):
    client, costs = signed_in(alice), {}
    for is_on in (False, True):
        settings.MESSAGING_THROTTLES = is_on
        path, data, _ = deeds(letter)[what]
        data |= {"revision": fresh(letter).revision, "content": f"Text {is_on}"}
        with CaptureQueriesContext(connection) as captured:
            assert client.post(path, data).status_code == 302
        # A savepoint is one only inside the transaction that each test is.
        costs[is_on] = sum("SAVEPOINT" not in query["sql"] for query in captured)
    assert costs[True] - costs[False] <= most
