"""Everything that I sent and received, to take along."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.export import PORTION
from messaging.tests.factories import reply, write
from messaging.tests.leaks import secret
from messaging.tests.many import write_many

pytestmark = pytest.mark.django_db


def download(client):
    response = client.get("/account/export/")
    assert response.status_code == 200
    return json.loads(response.getvalue())


def test_it_holds_what_one_sent_and_received_with_earlier_texts(signed_in, alice, bob):
    first = write(alice, bob, "From älice")
    first.content = "Better"
    first.save()
    reply(first, "From bob")
    found = download(signed_in(alice))
    assert (found["name"], found["email"]) == ("alice", "alice@example.com")
    sent, received = found["messages"]
    assert (sent["from"], sent["to"], sent["text"]) == ("alice", "bob", "Better")
    assert [row["text"] for row in sent["earlier_texts"]] == ["From älice"]
    assert (received["text"], received["in_reply_to"]) == ("From bob", sent["id"])
    assert [line["message"] for line in found["notifications"]] == [received["id"]]
    assert found["complete"] is True


def test_nothing_of_others_is_in_it(signed_in, alice, bob, mallory):
    write(bob, mallory, secret(bob, mallory))
    write(alice, bob, secret(alice, bob))
    assert download(signed_in(mallory))["messages"][0]["from"] == "bob"
    assert len(download(signed_in(alice))["messages"]) == 1
    assert "email" not in json.dumps(download(signed_in(alice))["messages"])


def test_a_deleted_message_has_no_text_in_it(signed_in, alice, bob):
    first = write(alice, bob, "Take me back")
    first.content = "Take me back, please"
    first.save()
    reply(first, "Too late")
    first.delete()
    buried, _ = download(signed_in(alice))["messages"]
    assert (buried["text"], buried["earlier_texts"]) == ("", [])
    assert buried["deleted_at"]


def test_of_who_left_no_name_is_in_it(signed_in, alice, bob, settings):
    settings.MESSAGING_ACCOUNT_DELETION = "keep"
    answer = reply(write(alice, bob, "Hello"), "Kept")
    alice.delete()
    assert [row["from"] for row in download(signed_in(bob))["messages"]] == [None, "bob"]
    assert answer.content == "Kept"


def test_a_portion_costs_three_queries_however_large(signed_in, alice, bob):
    write_many(alice, bob, PORTION + 1)
    client = signed_in(bob)
    with CaptureQueriesContext(connection) as queries:
        found = download(client)
    assert len(found["messages"]) == len(found["notifications"]) == PORTION + 1
    assert len(queries) <= 12


def test_it_is_a_file_that_no_cache_keeps(signed_in, alice):
    response = signed_in(alice).get("/account/export/")
    assert response["Content-Disposition"].startswith('attachment; filename="parley-')
    assert response["Content-Type"] == "application/json"
    assert "no-store" in response["Cache-Control"]


def test_it_can_be_had_three_times_a_minute(signed_in, alice, bob, clock):
    client = signed_in(alice)
    assert [client.get("/account/export/").status_code for _ in range(4)] == [200, 200, 200, 429]
    assert signed_in(bob).get("/account/export/").status_code == 200


@pytest.mark.parametrize("page", ["/account/", "/account/delete/"])
def test_pages_offer_it(signed_in, alice, page):
    assert 'href="/account/export/"' in signed_in(alice).get(page).text
