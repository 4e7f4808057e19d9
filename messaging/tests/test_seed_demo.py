from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db.models import Count, Max, Q
from django.utils import timezone

from messaging.demo import scale
from messaging.demo.bulk import reply_to, store
from messaging.demo.script import read_script, read_thread
from messaging.models import (
    Mailbox,
    Message,
    MessageHistory,
    Notification,
    Participation,
    Thread,
)
from messaging.services import MailboxService

User = get_user_model()
NOW = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)


@pytest.fixture
def demo(db):
    call_command("seed_demo")


def read(text):
    return read_thread(text, NOW)


# --- The command ---


def test_it_says_how_many_there_are_and_who_to_sign_in_as(db, capsys):
    call_command("seed_demo")
    said = capsys.readouterr().out
    assert f"{User.objects.count()} people and {Message.objects.count()} messages" in said
    assert "alice" in said
    assert "bob" in said
    assert "parley-demo" in said
    assert "createsuperuser" in said


def test_everyone_signs_in_with_the_password_that_is_asked_for(db, client):
    call_command("seed_demo", password="a quiet bar of rest")
    for person in User.objects.all():
        assert client.login(username=person.username, password="a quiet bar of rest")


def test_a_second_run_changes_nothing(demo, capsys):
    before = Message.objects.count(), Mailbox.objects.aggregate(Max("version"))
    capsys.readouterr()
    call_command("seed_demo")
    assert "There are people here already; nothing was seeded." in capsys.readouterr().out
    assert before == (Message.objects.count(), Mailbox.objects.aggregate(Max("version")))


def test_an_owner_alone_is_nobody_yet(db):
    User.objects.create_superuser("greta", "greta@example.com", "correct horse battery")
    call_command("seed_demo")
    assert User.objects.filter(username="alice").exists()


def test_an_owner_who_has_a_name_of_the_cast_keeps_it(db, capsys):
    User.objects.create_superuser("Alice", "owner@example.com", "correct horse battery")
    call_command("seed_demo")
    assert "nothing was seeded" in capsys.readouterr().out
    assert User.objects.count() == 1


def test_a_public_host_is_never_seeded(db, settings):
    settings.IS_PUBLIC = True
    with pytest.raises(CommandError, match="public"):
        call_command("seed_demo", scale=10)
    assert not User.objects.exists()


def test_a_name_that_is_taken_leaves_nothing_behind(db):
    User.objects.create_superuser("al1ce", "owner@example.com", "correct horse battery")
    with pytest.raises(CommandError, match="Nothing was seeded"):
        call_command("seed_demo")
    assert not Message.objects.exists()
    assert User.objects.count() == 1


# --- The demo ---


def test_the_demo_is_lively(demo):
    assert User.objects.count() == 12
    assert Message.objects.count() > 300
    assert Thread.objects.count() > 50
    assert Message.objects.aggregate(deepest=Max("depth"))["deepest"] >= 12
    assert Thread.objects.aggregate(longest=Max("message_count"))["longest"] >= 60
    assert Message.objects.filter(deleted_at__isnull=False, replies__isnull=False).exists()
    for piece in ("🎹", "https://", "mailto:", "\n\n"):
        assert Message.objects.filter(content__contains=piece).exists()
    for right_to_left in ("[\u0600-\u06ff]{3}", "[\u0590-\u05ff]{3}"):
        assert Message.objects.filter(content__regex=right_to_left).exists()


@pytest.mark.parametrize("name", ["alice", "bob"])
def test_both_find_unread_mail_of_several_people(demo, name):
    person = User.objects.get(username=name)
    unread = Message.unread.for_user(person)
    assert unread.count() == person.mailbox.unread_count >= 8
    assert len({message.sender_id for message in unread}) >= 6


def test_edits_have_their_history_at_times_long_past(demo):
    edited = Message.objects.filter(edited=True)
    assert edited.count() >= 10
    assert edited.filter(revision=3).exists()
    for message in edited.prefetch_related("history"):
        times = [row.edited_at for row in message.history.order_by("revision")]
        assert len(times) == message.revision - 1
        assert [message.timestamp, *times] == sorted([message.timestamp, *times])
        assert message.edited_at == times[-1] < timezone.now() - timedelta(minutes=5)


def test_the_newest_message_is_some_minutes_old(demo):
    newest = Message.objects.aggregate(newest=Max("timestamp"))["newest"]
    assert timedelta(minutes=1) < timezone.now() - newest < timedelta(minutes=20)


def test_ids_follow_time(demo):
    ids = list(Message.objects.in_time_order().values_list("pk", flat=True))
    assert ids == sorted(ids)


def test_all_that_is_counted_is_counted_right(demo):
    assert_counts_are_right()


# --- The script ---


@pytest.mark.parametrize("hour", range(24))
def test_the_script_fits_whatever_the_hour(hour):
    for entry in read_script(NOW.replace(hour=hour, minute=59 if hour % 2 else 0)):
        assert 1 <= len(entry.content) <= 5000
        assert (
            entry.parent is None
            or entry.parent.deleted_at is None
            or (entry.sent_at < entry.parent.deleted_at)
        )


def test_a_reply_hangs_below_what_it_answers():
    first, reply, answer, second = read(
        "@alice to bob, 3d 18:40\n  One.\n  @bob +4m\n    Two.\n    @alice +1d 08:05\n"
        "      Three.\n  @alice +5m\n    Four."
    )
    assert (first.sender, first.receiver, first.parent) == ("alice", "bob", None)
    assert (reply.sender, reply.receiver, reply.parent) == ("bob", "alice", first)
    assert (answer.receiver, answer.parent, answer.root) == ("bob", reply, first)
    assert second.parent is first
    assert first.sent_at == datetime(2026, 5, 11, 18, 40, tzinfo=UTC)
    assert reply.sent_at == datetime(2026, 5, 11, 18, 44, tzinfo=UTC)
    assert answer.sent_at == datetime(2026, 5, 12, 8, 5, tzinfo=UTC)


def test_an_edit_and_the_marks_are_read():
    (entry,) = read("@alice to bob, 2h, unread, deleted +9m\n  Befor.\n  ~ +2m\n  Before.")
    assert (entry.content, entry.is_unread) == ("Befor.", True)
    assert entry.edits == [(entry.sent_at + timedelta(minutes=2), "Before.")]
    assert entry.deleted_at == entry.sent_at + timedelta(minutes=9)


def test_lines_are_joined_unless_they_stand_alone():
    (entry,) = read("@alice to bob, 2h\n  One\n  line.\n\n  | first\n  | second\n\n  End.\n")
    assert entry.content == "One line.\n\nfirst\nsecond\n\nEnd."


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("@alice 2h\n  To whom?", "Who writes to whom"),
        ("@alice to bob, 2h\n  One.\n  @bob to alice, +2m\n    We know.", "Who writes to whom"),
        ("@alice to bob, soon\n  When?", "What time"),
        ("@alice to bob, 5m\n  One.\n  @bob +6m\n    Not yet.", "in the future"),
        ("@alice to bob, 5m\n  One.\n  @bob 7m\n    Too early.", "not after"),
        ("@alice to bob, 5m\n  One.\n      @bob +1m\n        Too far in.", "further than"),
    ],
)
def test_a_slip_in_the_script_is_named(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        read(text)


# --- Many threads ---


def test_scale_adds_threads_and_counts_them_right(demo, capsys):
    before = Thread.objects.count()
    call_command("seed_demo", scale=60)
    assert Thread.objects.count() == before + 60
    assert "nothing was seeded" not in capsys.readouterr().out
    assert_counts_are_right()
    first = User.objects.get(username="scale-0001")
    assert Participation.objects.for_user(first).count() >= 30
    longest = Thread.objects.get(message_count=scale.LONG_THREAD)
    assert longest.message_set.aggregate(deepest=Max("depth"))["deepest"] == scale.DEEPEST


def test_scale_makes_one_huge_thread_where_there_are_many(db, monkeypatch):
    monkeypatch.setattr(scale, "ENOUGH_FOR_HUGE", 20)
    monkeypatch.setattr(scale, "HUGE_THREAD", 401)
    scale.make_threads(20, password="x")
    huge = Thread.objects.get(message_count=401)
    assert huge.message_set.get(depth=0).reply_count > 200
    assert_counts_are_right()


def test_scale_makes_the_same_again(db):
    for _ in range(2):
        scale.make_threads(12, password="x")
    contents = list(Message.objects.order_by("pk").values_list("content", flat=True))
    half = len(contents) // 2
    assert sorted(contents[:half]) == sorted(contents[half:])
    assert User.objects.count() == 10


# --- In bulk as one at a time ---


def test_a_thread_stored_in_bulk_is_like_one_sent_message_by_message(alice, bob, mallory):
    times = [timezone.now() - timedelta(hours=hours) for hours in (3, 2, 1)]
    lines = [(None, False, True), (0, True, False), (1, False, False)]

    sent = []
    for (parent, by_other, is_read), timestamp in zip(lines, times, strict=True):
        people = (bob, alice) if by_other else (alice, bob)
        sent.append(
            Message.objects.create(
                sender=people[0],
                receiver=people[1],
                content="Hello",
                timestamp=timestamp,
                read=is_read,
                parent_message=None if parent is None else sent[parent],
            )
        )
    drafts = []
    for (parent, by_other, is_read), timestamp in zip(lines, times, strict=True):
        people = (bob, mallory) if by_other else (mallory, bob)
        drafts.append(
            reply_to(
                None if parent is None else drafts[parent],
                sender=people[0],
                receiver=people[1],
                content="Hello",
                timestamp=timestamp,
                read=is_read,
            )
        )
    store([drafts])
    MailboxService.recount([bob.pk, mallory.pk])

    assert picture(sent[0].thread_id, alice, bob) == picture(drafts[0].thread_id, mallory, bob)
    assert Mailbox.objects.get(user=alice).unread_count == 1
    assert Mailbox.objects.get(user=mallory).unread_count == 1
    assert Mailbox.objects.get(user=bob).unread_count == 2
    assert_counts_are_right()


def picture(thread_id, first, second):
    """All that is stored of a thread but ids, with its people by their part in it."""
    parts = {first.pk: "first", second.pk: "second"}
    thread = Thread.objects.select_related("last_message").get(pk=thread_id)
    return (
        (thread.message_count, thread.version, thread.last_message.timestamp),
        [
            (parts[m.sender_id], parts[m.receiver_id], m.depth, m.reply_count, m.revision, m.read)
            for m in thread.message_set.in_time_order()
        ],
        sorted(
            (parts[p.user_id], p.unread_count, p.last_activity, p.sent_at or 0)
            for p in thread.participations.all()
        ),
        sorted(
            (parts[n.user_id], n.created_at, n.is_read)
            for n in Notification.objects.filter(message__thread_id=thread_id)
        ),
    )


def assert_counts_are_right():
    """Count everything anew, from the messages alone."""
    there = Q(deleted_at__isnull=True)
    for thread in Thread.objects.prefetch_related("participations"):
        message_set = thread.message_set.filter(there)
        assert thread.message_count == message_set.count()
        assert thread.last_message == message_set.in_time_order().last()
        assert thread.participations.count() == 2
        for place in thread.participations.all():
            sent = message_set.filter(sender_id=place.user_id).in_time_order().last()
            assert place.sent_at == (sent and sent.timestamp)
            assert place.last_activity == thread.last_message.timestamp
            unread = message_set.filter(receiver_id=place.user_id, read=False)
            assert place.unread_count == unread.count()
    counted = Message.objects.annotate(
        replying=Count("replies", filter=Q(replies__deleted_at__isnull=True), distinct=True)
    )
    for message in counted.select_related("parent_message"):
        parent = message.parent_message
        assert message.reply_count == message.replying
        assert message.depth == (parent.depth + 1 if parent else 0)
        assert parent is None or parent.thread_id == message.thread_id
        assert (message.read_at is None) or message.read
    for mailbox in Mailbox.objects.all():
        unread = Message.unread.filter(receiver_id=mailbox.user_id)
        assert mailbox.unread_count == unread.count()
        assert mailbox.version > 0
    noticed = Message.objects.filter(there).exclude(notifications__isnull=True)
    assert noticed.count() == Message.objects.filter(there).count() == Notification.objects.count()
    assert not Notification.objects.exclude(is_read=True, message__read=True).exclude(
        is_read=False, message__read=False
    )
    assert not MessageHistory.objects.filter(message__edited=False).exists()
