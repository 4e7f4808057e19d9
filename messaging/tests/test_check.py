"""Whatever is broken behind the back of the services is found, told in words, and mended."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.models import (
    AccessNotice,
    AccessRecord,
    Block,
    Mailbox,
    Message,
    MessageHistory,
    Notification,
    Participation,
    Thread,
)
from messaging.services import AccessService, BlockService, CheckService

from .factories import reply, write
from .ledger import faults

MODELS = (
    *(Message, MessageHistory, Notification, Participation, Thread, Mailbox),
    *(AccessNotice, AccessRecord, Block),
)
MOVING = {"version", "id", "thread_id"}  # what a repair moves, or gives anew


@pytest.fixture
def letters(alice, bob, mallory):
    """Two threads of alice and bob, with an edit, a tombstone and a read message; one of others."""
    first = write(alice, bob, "The first")
    answer = reply(first, "Its answer")
    reply(answer, "The answer to that")
    first.content = "The first, edited"
    first.save()
    buried = write(bob, alice, "Buried")
    hanging = reply(buried, "Hangs on a tombstone")
    buried.delete()
    hanging.read = True
    hanging.save()
    AccessService.read_text(mallory, [first.pk], reason="Report 12")
    BlockService.block(alice, mallory)
    return {
        "first": first.pk,
        "answer": answer.pk,
        "buried": buried.pk,
        "hanging": hanging.pk,
        "other": write(mallory, bob, "Of others").pk,
        "alice": alice.pk,
        "bob": bob.pk,
        "mallory": mallory.pk,
        "thread": first.thread_id,
        "second": hanging.thread_id,
    }


BREAKS = {
    "counts its replies wrong": "UPDATE message SET reply_count = 7 WHERE id = {first}",
    "counts its messages wrong": "UPDATE thread SET message_count = 9 WHERE id = {thread}",
    "tells another for the last": "UPDATE thread SET last_message_id = {first} WHERE id = {thread}",
    "counts what is unread wrong, or": "UPDATE participation SET unread_count = 4",
    "tells a wrong time": "UPDATE participation SET sent_at = NULL WHERE thread_id = {thread}",
    "counts what is unread wrong": "UPDATE mailbox SET unread_count = 99 WHERE user_id = {alice}",
    "has messages and no mailbox": "DELETE FROM mailbox WHERE user_id = {bob}",
    "a receiver without a place": "DELETE FROM participation WHERE user_id = {alice}",
    "a sender without a place": "DELETE FROM participation WHERE user_id = {alice}",
    "somebody who isn't in the thread": (
        "UPDATE participation SET user_id = {mallory} "
        "WHERE thread_id = {thread} AND user_id = {alice}"
    ),
    "rang for nobody": "DELETE FROM notification WHERE message_id = {first}",
    "rings for the wrong person": (
        "UPDATE notification SET user_id = {mallory} WHERE message_id = {first}"
    ),
    "or for nothing": (
        "INSERT INTO notification (user_id, message_id, created_at, is_read) "
        "VALUES ({alice}, {buried}, '2026-01-01 00:00:00+00', TRUE)"
    ),
    "rings for a message that was read": (
        "UPDATE notification SET is_read = FALSE WHERE message_id = {hanging}"
    ),
    "is an earlier text of a message that was deleted": (
        "INSERT INTO messagehistory (message_id, revision, old_content, edited_at) "
        "VALUES ({buried}, 1, 'Before', '2026-01-01 00:00:00+00')"
    ),
    "counts its earlier texts wrong": "UPDATE message SET revision = 5 WHERE id = {first}",
    "says wrongly whether it was edited": "UPDATE message SET edited = FALSE WHERE id = {first}",
    "a look at a message of others": (
        "INSERT INTO accessnotice (user_id, record_id) SELECT {mallory}, id FROM accessrecord "
    ),
    "is in another place": "UPDATE message SET depth = 4 WHERE id = {answer}",
    "than below what it answers": "UPDATE message SET thread_id = {second} WHERE id = {answer}",
    "says it is deeper in it": "UPDATE message SET depth = 2 WHERE id = {first}",
}


def do(statement, letters):
    sql = statement.format(**letters)
    for model in MODELS:
        for word in ("UPDATE", "FROM", "INTO"):
            name, table = model._meta.model_name, model._meta.db_table
            sql = sql.replace(f"{word} {name} ", f"{word} {table} ")
    with connection.cursor() as cursor:
        cursor.execute(sql)


def everything():
    """Return all rows as words, but for what a repair moves or gives anew."""
    return {
        model.__name__: sorted(
            str({name: value for name, value in row.items() if name not in MOVING})
            for row in model.objects.values()
        )
        for model in MODELS
    }


def test_a_sound_database_is_told_nothing_of_and_left_alone(letters):
    versions = list(Mailbox.objects.values_list("user", "version"))
    assert list(CheckService.find()) == []
    assert CheckService.repair() == []
    assert list(Mailbox.objects.values_list("user", "version")) == versions


@pytest.mark.parametrize("words", BREAKS)
def test_what_was_broken_by_hand_is_told_and_mended(letters, words):
    before = everything()
    do(BREAKS[words], letters)
    assert everything() != before or "thread" in words or "below" in words
    assert any(words in sentence for sentence in CheckService.find())
    assert any(words in sentence for sentence in CheckService.repair())
    assert everything() == before
    assert faults() == []


@pytest.mark.parametrize(
    ("words", "statement"),
    [
        (
            "answers a message of other people",
            "UPDATE message SET parent_message_id = {first} WHERE id = {other}",
        ),
        (
            "by a circle of answers",
            "UPDATE message SET parent_message_id = {answer} WHERE id = {first}",
        ),
        (
            "begins a thread that has a beginning already",
            "UPDATE message SET parent_message_id = NULL WHERE id = {answer}",
        ),
        (
            "has a parent_message that is not there",
            "UPDATE message SET parent_message_id = 4711 WHERE id = {answer}",
        ),
        ("has a last_message that is not there", "UPDATE thread SET last_message_id = 4711"),
        (
            "has a sender that is not there",
            "UPDATE message SET sender_id = 4711 WHERE id = {first}",
        ),
        (
            "has a user that is not there",
            "UPDATE participation SET user_id = 4711 WHERE user_id = {mallory}",
        ),
        (
            "has a blocked that is not there",
            "UPDATE block SET blocked_id = 4711 WHERE blocked_id = {mallory}",
        ),
        (
            "has a staff that is not there",
            "UPDATE accessrecord SET staff_id = 4711 WHERE staff_id = {mallory}",
        ),
        (
            "has a message that is not there",
            "UPDATE notification SET message_id = 4711 WHERE message_id = {answer}",
        ),
    ],
)
def test_a_broken_tree_is_mended_and_no_words_are_lost(letters, words, statement):
    texts = sorted(Message.objects.values_list("content", flat=True))
    do(statement, letters)
    assert any(words in sentence for sentence in CheckService.find())
    CheckService.repair()
    assert sorted(Message.objects.values_list("content", flat=True)) == texts
    assert faults() == []


def test_an_answer_to_other_people_does_not_stay_with_them(letters):
    do(
        "UPDATE message SET parent_message_id = {first}, thread_id = {thread} WHERE id = {other}",
        letters,
    )
    CheckService.repair()
    other = Message.objects.get(pk=letters["other"])
    assert (other.parent_message, other.depth) == (None, 0)
    assert not Message.objects.filter(thread=other.thread_id).exclude(pk=other.pk).exists()
    assert faults() == []


def test_tombstones_that_nothing_hangs_on_go_with_an_empty_thread(letters):
    do("DELETE FROM notification WHERE message_id = {hanging}", letters)
    do("UPDATE thread SET last_message_id = NULL WHERE id = {second}", letters)
    do("DELETE FROM message WHERE id = {hanging}", letters)
    assert any("nothing hangs on" in sentence for sentence in CheckService.find())
    CheckService.repair()
    assert not Thread.objects.filter(pk=letters["second"]).exists()
    assert faults() == []


def test_a_repair_lets_everybody_see_another_version(letters, alice):
    version = Mailbox.objects.get(user=alice).version
    do("UPDATE message SET reply_count = 7 WHERE id = {first}", letters)
    CheckService.repair()
    assert Mailbox.objects.get(user=alice).version > version


def test_the_command_tells_mends_and_says_by_its_status(letters, capsys):
    call_command("messaging_check")
    assert "Nothing is broken" in capsys.readouterr().out
    do("UPDATE message SET reply_count = 7", letters)
    with pytest.raises(CommandError, match="--repair"):
        call_command("messaging_check")
    assert "counts its replies wrong" in capsys.readouterr().out
    call_command("messaging_check", repair=True)
    assert "mended" in capsys.readouterr().out
    call_command("messaging_check")


def test_the_database_is_told_to_look_at_its_tables_first(letters):
    """SQLite is told by nobody else: it took five minutes for what takes it two seconds."""
    with CaptureQueriesContext(connection) as captured:
        call_command("messaging_check")
    asked = [query["sql"] for query in captured]
    looks = [sql.startswith("ANALYZE") for sql in asked]
    counts = ["counted_unread_count" in sql for sql in asked]
    assert looks.index(True) < counts.index(True)
