"""Whoever leaves may leave what others wrote to them: MESSAGING_ACCOUNT_DELETION=keep."""

import random

import pytest
from django.db import connection

from messaging.models import Message, MessageHistory, Notification, Participation, Thread

from .factories import reply, unread, versions, write
from .ledger import faults
from .test_cleanup import rows_naming

CHANGED = ("receiver_id", "reply_count")  # of a message that stays, at the most


@pytest.fixture(autouse=True)
def keep(settings):
    settings.MESSAGING_ACCOUNT_DELETION = "keep"


@pytest.fixture
def letters(alice, bob):
    first = write(alice, bob, "From alice")
    answer = reply(first, "From bob")
    reply(answer, "From alice again")
    write(alice, bob, "Of alice alone")
    return first


def test_what_the_other_wrote_stays_below_a_tombstone(alice, bob, letters):
    alice.delete()
    tombstone, answer = Message.objects.order_by("pk")
    assert tombstone.is_deleted
    assert (tombstone.sender, tombstone.receiver) == (None, bob)
    assert (answer.sender, answer.receiver, answer.content) == (bob, None, "From bob")
    assert answer.parent_message == tombstone
    assert faults() == []


def test_nothing_names_the_person_any_more(alice, letters):
    pk = alice.pk
    alice.delete()
    assert rows_naming(pk) == []
    assert not Message.objects.filter(content__contains="alice").exists()


def test_earlier_texts_and_bells_of_the_person_go(alice, bob, letters):
    letters.content = "From alice, edited"
    letters.save()
    answer = letters.replies.get()
    answer.content = "From bob, edited"
    answer.save()
    alice.delete()
    assert MessageHistory.objects.get().message == answer
    assert not Notification.objects.exists()
    assert unread(bob) == 0
    assert faults() == []


def test_the_other_is_told_by_a_new_version(alice, bob, letters):
    before = versions(bob)
    alice.delete()
    assert versions(bob)["bob"] > before["bob"]


def test_when_the_second_leaves_nothing_is_left(alice, bob, letters):
    alice.delete()
    bob.delete()
    for model in (Message, MessageHistory, Notification, Participation, Thread):
        assert not model.objects.exists()
    connection.check_constraints()


def test_the_other_sees_a_deleted_user_and_can_answer_nobody(alice, bob, letters, signed_in):
    answer = letters.replies.get()
    alice.delete()
    page = signed_in(bob).get(f"/messages/{answer.pk}/").content.decode()
    assert "Deleted user" in page
    assert "From bob" in page
    assert "alice" not in page
    assert "Write to" not in page
    assert signed_in(bob).get("/inbox/?show=all").status_code == 200


@pytest.mark.parametrize("seed", range(6))
def test_of_whatever_was_written_the_words_of_others_stay(alice, bob, mallory, seed):
    chance, people = random.Random(seed), [alice, bob, mallory]  # noqa: S311
    for number in range(60):
        found = list(Message.objects.not_deleted())
        what = chance.random()
        if what < 0.25 or not found:
            write(*chance.sample(people, 2), f"Number {number}")
        elif what < 0.8:
            reply(chance.choice(found), f"Number {number}")
        elif what < 0.9:
            chance.choice(found).delete()
        else:
            message = chance.choice(found)
            message.content = f"Number {number}, edited"
            message.save()
    others = Message.objects.not_deleted().exclude(sender=alice)
    before = [_kept(row) for row in others.order_by("pk").values()]
    alice.delete()
    after = Message.objects.not_deleted().order_by("pk").values()
    assert [_kept(row) for row in after] == before
    assert faults() == []
    bob.delete()
    assert faults() == []
    mallory.delete()
    assert not Message.objects.exists()


def _kept(row):
    return {name: value for name, value in row.items() if name not in CHANGED}


def test_the_page_says_what_goes_and_what_stays(alice, letters, signed_in):
    page = signed_in(alice).get("/account/delete/").content.decode()
    assert "<strong>3</strong> messages you sent" in page
    assert "<strong>1</strong> message that you received stays with whoever wrote it" in page
    assert "message you received</li>" not in page
