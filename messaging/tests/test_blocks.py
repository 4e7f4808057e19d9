"""Who is blocked writes no more, and can't tell it from an account that was closed."""

import re
import uuid
from contextlib import contextmanager, suppress

import pytest
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from messaging.models import Block, Message, ThrottleCount
from messaging.services import Blocked, BlockService, MessageService, ReceiverUnavailable
from messaging.throttles import PEOPLE, Throttled, count_look

from .factories import fresh, reply, versions, write
from .ledger import faults
from .visits import TOKENS
from .world import create_person

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
WAYS = pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
TYPED = "Half an hour of work"


@pytest.fixture
def letter(alice, bob):
    return write(alice, bob, "From alice")


def words(**more):
    return {"content": TYPED, "client_token": str(uuid.uuid4())} | more


# --- The rule ---


def test_who_is_blocked_neither_writes_nor_replies_nor_edits(alice, bob, letter):
    answer = reply(letter)
    assert BlockService.block(alice, bob)
    for parent in (None, letter):
        with pytest.raises(ReceiverUnavailable):
            MessageService.send(bob, receiver=alice, content="Hello?", parent=parent)
    with pytest.raises(ReceiverUnavailable):
        MessageService.edit(answer, content="Hello?", revision=1)
    assert Message.objects.count() == 2
    assert fresh(answer).content == "Yes?"


def test_who_blocks_writes_no_more_either_but_mends_what_they_wrote(alice, bob, letter):
    BlockService.block(alice, bob)
    with pytest.raises(Blocked):
        MessageService.send(alice, receiver=bob, content="By the way")
    assert MessageService.edit(letter, content="Mended", revision=1).revision == 2


def test_nothing_reaches_who_is_inactive_by_an_edit_either(alice, bob, letter):
    type(bob).objects.filter(pk=bob.pk).update(is_active=False)
    with pytest.raises(ReceiverUnavailable):
        MessageService.edit(letter, content="Are you there?", revision=1)


def test_who_was_left_alone_edits_on(settings, alice, bob, letter):
    settings.MESSAGING_ACCOUNT_DELETION = "keep"
    bob.delete()
    assert MessageService.edit(fresh(letter), content="To myself", revision=1).revision == 2


def test_unblocking_restores(alice, bob, letter):
    BlockService.block(alice, bob)
    assert BlockService.unblock(alice, bob)
    MessageService.send(bob, receiver=alice, content="Hello again")
    MessageService.send(alice, receiver=bob, content="Hello again")
    assert not BlockService.unblock(alice, bob)


def test_blocking_twice_is_blocking_once(alice, bob, letter):
    assert BlockService.block(alice, bob)
    before = versions(alice)
    assert not BlockService.block(alice, bob)
    assert Block.objects.count() == 1
    assert versions(alice) == before


def test_only_the_version_of_who_blocks_moves(alice, bob, letter):
    before = versions(alice, bob)
    BlockService.block(alice, bob)
    assert versions(alice, bob) == before | {"alice": before["alice"] + 1}
    BlockService.unblock(alice, bob)
    assert versions(alice, bob) == before | {"alice": before["alice"] + 2}


def test_what_both_wrote_stays_and_is_deleted_as_ever(alice, bob, letter, signed_in):
    answer = reply(letter)
    BlockService.block(alice, bob)
    for person in (alice, bob):
        page = signed_in(person).get(f"/messages/{letter.pk}/").text
        assert "From alice" in page
        assert "Yes?" in page
    assert signed_in(bob).post(f"/messages/{answer.pk}/delete/").status_code == 302
    assert not Message.objects.filter(pk=answer.pk).exists()


def test_a_script_may_write_all_the_same(alice, bob):
    BlockService.block(alice, bob)
    assert write(bob, alice).pk


def test_nobody_blocks_themselves_or_twice(alice, bob):
    for pair in [(alice, alice), (alice, bob)]:
        BlockService.block(alice, bob)
        with pytest.raises(IntegrityError), transaction.atomic():
            Block.objects.create(blocker=pair[0], blocked=pair[1])


@pytest.mark.parametrize("leaver", ["alice", "bob"])
def test_blocks_go_with_either_person(alice, bob, mallory, leaver):
    BlockService.block(alice, bob)
    BlockService.block(mallory, {"alice": bob, "bob": alice}[leaver])
    {"alice": alice, "bob": bob}[leaver].delete()
    connection.check_constraints()
    assert [block.blocker for block in Block.objects.all()] == [mallory]
    assert faults() == []


def test_who_has_left_is_blocked_by_nobody(alice, bob):
    stale = fresh(bob)
    bob.delete()
    with pytest.raises(ReceiverUnavailable):
        BlockService.block(alice, stale)
    assert not Block.objects.exists()


# --- What the blocked can tell ---


STATES = ("blocked", "inactive", "unknown")


@contextmanager
def state(name, alice, bob):
    """Have alice as somebody who blocked bob, whose account is closed, or whom nobody knows."""
    with transaction.atomic():
        match name:
            case "blocked":
                BlockService.block(alice, bob)
            case "inactive":
                type(alice).objects.filter(pk=alice.pk).update(is_active=False)
            case "unknown":
                alice.username = "somebodyelse"
                alice.save()
        yield
        transaction.set_rollback(True)
    alice.refresh_from_db()


def told(client, verb, path, fields, headers):
    """Return all that an answer tells, and what it cost in queries and in tries."""
    ThrottleCount.objects.all().delete()
    cache.clear()
    with CaptureQueriesContext(connection) as captured:
        response = getattr(client, verb)(path, fields, headers=headers)
    tries = sorted(len(row.tries) for row in ThrottleCount.objects.all())
    text = TOKENS.sub("TOKEN", response.content.decode())
    return response.status_code, text, dict(response.headers), len(captured), tries


CASES = {
    "a letter": ("post", "/messages/new/", {"to": "alice"}),
    "the form of one": ("get", "/messages/new/?to=alice", {}),
    "the search": ("get", "/people/?q=alice", {}),
    "the search in the form": ("get", "/people/?to=ali", {}),
}
AMONG_THE_TWO = {
    "a reply": ("post", "/messages/{letter}/reply/", {}),
    "a reply in place": ("post", "/messages/{letter}/reply/", {"in_place": "1"}),
    "the form of a reply": ("get", "/messages/{letter}/reply/", {}),
    "an edit": ("post", "/messages/{answer}/edit/", {"revision": "1"}),
    "an edit of long ago": ("post", "/messages/{answer}/edit/", {"revision": "7"}),
    "an edit that changes nothing": (
        "post",
        "/messages/{answer}/edit/",
        {"revision": "1", "content": "Yes?"},
    ),
    "the form of an edit": ("get", "/messages/{answer}/edit/", {}),
    "the thread": ("get", "/messages/{letter}/", {}),
    "the branch": ("get", "/messages/{letter}/replies/", {}),
    "the conversation": ("get", "/conversation/alice/", {}),
    "all messages": ("get", "/conversation/", {}),
    "the inbox": ("get", "/inbox/?show=all", {}),
    "the page to block": ("get", "/people/alice/block/", {}),
    "the way to delete": ("get", "/messages/{answer}/delete/", {}),
}


@WAYS
def test_the_blocked_are_told_what_they_are_told_of_a_closed_account(
    signed_in, alice, bob, letter, headers
):
    answer = reply(letter)
    client = signed_in(bob)
    client.get("/inbox/")  # what is read once a process is read
    for what, (verb, path, fields) in (CASES | AMONG_THE_TWO).items():
        address = path.format(letter=letter.pk, answer=answer.pk)
        form = words() | fields if verb == "post" else fields
        answers = {}
        for name in STATES if what in CASES else STATES[:2]:
            with state(name, alice, bob):
                answers[name] = told(client, verb, address, form, headers)
        for name in answers:
            assert answers[name] == answers["blocked"], f"{what}, {name}"
        if verb == "post":
            assert answers["blocked"][0] == 422
            assert form["content"] in answers["blocked"][1]


@WAYS
@pytest.mark.parametrize("verb", ["get", "post"])
def test_strangers_who_blocked_are_not_there(signed_in, alice, mallory, verb, headers):
    """Nor can names be tried out faster than in the search."""
    client, answers = signed_in(mallory), {}
    for name in STATES:
        with state(name, alice, mallory):
            fields = {"state": "blocked"}
            answers[name] = told(client, verb, "/people/alice/block/", fields, headers)
    assert answers["blocked"][0] == 404
    assert answers["inactive"] == answers["unknown"] == answers["blocked"]
    with suppress(Throttled):
        for _ in range(PEOPLE.rates[0].number):
            count_look(PEOPLE, mallory.pk)
    assert client.get("/people/alice/block/").status_code == 429
    assert client.get("/people/?q=alice").status_code == 429


def test_a_poll_of_the_blocked_stays_a_304(signed_in, alice, bob, letter):
    client = signed_in(bob)
    for path in (f"/messages/{letter.pk}/", "/inbox/", "/conversation/alice/", "/notifications/"):
        stamp = client.get(path)["HX-PTag"]
        BlockService.block(alice, bob)
        assert client.get(path, headers=HTMX | {"HX-PTag": stamp}).status_code in (200, 304)
        again = client.get(path)["HX-PTag"]
        assert again == stamp
        BlockService.unblock(alice, bob)


# --- What who blocks sees ---


@WAYS
def test_who_blocked_is_told_so_and_what_they_typed_stays(signed_in, alice, bob, letter, headers):
    BlockService.block(alice, bob)
    answer = reply(letter)
    client = signed_in(alice)
    for path, fields in [
        ("/messages/new/", words(to="bob")),
        (f"/messages/{answer.pk}/reply/", words()),
    ]:
        response = client.post(path, fields, headers=headers)
        assert response.status_code == 422
        assert 'You have blocked bob. <a href="/people/bob/block/">Unblock</a>' in response.text
        assert f"{TYPED}</textarea>" in response.text
    assert Message.objects.count() == 2


def test_the_pages_say_whom_one_blocked_and_offer_no_form(signed_in, alice, bob, letter):
    client = signed_in(alice)
    paths = [f"/messages/{letter.pk}/", "/conversation/bob/", f"/messages/{letter.pk}/reply/"]
    before = [client.get(path).text for path in paths]
    assert not any("locked <bdi>bob" in page or "blocked bob" in page for page in before)
    assert "<textarea" in before[0]
    assert "/messages/new/?to=bob" in before[1]
    BlockService.block(alice, bob)
    thread, conversation, form = (client.get(path).text for path in paths)
    for page in (thread, conversation):
        assert "You blocked <bdi>bob</bdi>" in page
        assert 'name="state" value="unblocked"' in page
    assert "/messages/new/?to=bob" not in conversation
    for page in (thread, form):
        assert "You have blocked bob." in page
        assert "<textarea" not in page


def test_a_page_to_block_says_what_it_does_and_does_it(signed_in, alice, bob, letter):
    client = signed_in(bob)
    way = f"/people/alice/block/?at={letter.pk}"
    assert way in client.get(f"/messages/{letter.pk}/").text
    page = client.get(way).text
    assert "will not be able to write to you" in page
    assert not Block.objects.exists()
    fields = {"state": "blocked", "at": letter.pk}
    done = client.post("/people/alice/block/", fields)
    assert done["Location"] == f"/messages/{letter.pk}/"
    block = Block.objects.get()
    assert (block.blocker, block.blocked) == (bob, alice)
    assert "will not be able" not in client.get("/people/alice/block/").text


def test_one_comes_back_to_a_page_of_ones_own(signed_in, alice, mallory, bob, letter):
    other = write(alice, mallory)
    client = signed_in(bob)
    for word in ("", "x", str(other.pk), "9" * 30, "https://evil.example/"):
        done = client.post("/people/alice/block/", {"state": "blocked", "at": word})
        assert done["Location"] == "/conversation/alice/"


def test_who_unblocks_from_the_list_comes_back_to_the_list(signed_in, alice, bob, letter):
    BlockService.block(bob, alice)
    client = signed_in(bob)
    assert 'name="at" value="list"' in client.get("/people/blocked/").text
    done = client.post("/people/alice/block/", {"state": "unblocked", "at": "list"})
    assert done["Location"] == "/people/blocked/"


def test_htmx_gets_the_state_with_the_other_button(signed_in, alice, bob, letter):
    client = signed_in(alice)
    for state_, says in [("blocked", "unblocked"), ("unblocked", "blocked")]:
        response = client.post("/people/bob/block/", {"state": state_}, headers=HTMX)
        assert response.status_code == 200
        assert f'name="state" value="{says}"' in response.text
        assert "<html" not in response.text


@pytest.mark.parametrize("word", ["", "Blocked", "1"])
def test_another_state_is_none(signed_in, alice, bob, letter, word):
    assert signed_in(alice).post("/people/bob/block/", {"state": word}).status_code == 422
    assert not Block.objects.exists()


def test_a_stranger_can_be_blocked_before_they_write(signed_in, alice, bob):
    client = signed_in(alice)
    assert client.get("/people/bob/block/").status_code == 200
    done = client.post("/people/bob/block/", {"state": "blocked"})
    assert done["Location"] == "/people/blocked/"
    with pytest.raises(ReceiverUnavailable):
        MessageService.send(bob, receiver=alice, content="Hello")
    assert client.get("/people/alice/block/").status_code == 404


def test_who_closed_their_account_can_be_unblocked(signed_in, alice, bob):
    BlockService.block(alice, bob)
    type(bob).objects.filter(pk=bob.pk).update(is_active=False)
    done = signed_in(alice).post("/people/bob/block/", {"state": "unblocked"})
    assert done.status_code == 302
    assert not Block.objects.exists()


# --- The list ---


def test_the_list_shows_whom_i_blocked_and_nobody_else(signed_in, alice, bob, mallory):
    BlockService.block(alice, bob)
    BlockService.block(mallory, alice)
    page = signed_in(alice).get("/people/blocked/").text
    assert re.findall(r'action="/people/(\w+)/block/"', page) == ["bob"]
    assert "Nobody." in signed_in(bob).get("/people/blocked/").text
    assert '"/people/blocked/"' in signed_in(alice).get("/account/").text


def test_the_list_is_paged_and_its_cost_does_not_grow(
    signed_in, alice, django_assert_max_num_queries
):
    for number in range(30):
        BlockService.block(alice, create_person(f"pest{number:02}"))
    client = signed_in(alice)
    with django_assert_max_num_queries(4):
        page = client.get("/people/blocked/").text
    names = re.findall(r'action="/people/(\w+)/block/"', page)
    older = re.search(r'href="(/people/blocked/\?before=[^"]+)"', page)[1]
    names += re.findall(r'action="/people/(\w+)/block/"', client.get(older).text)
    assert names == [f"pest{number:02}" for number in reversed(range(30))]
