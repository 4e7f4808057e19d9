"""The names and behaviours that Parley was asked for, one after the other."""

import json
import os
import re
import subprocess
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings as site_settings
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.validators import MaxLengthValidator
from django.db import IntegrityError, models, transaction
from django.db.models.signals import post_delete, post_save, pre_save
from django.urls import reverse
from django.utils import timezone

import messaging.models
import messaging.services
import messaging.signals
from messaging.admin import MessageAdmin, NotificationAdmin
from messaging.models import (
    Mailbox,
    Message,
    MessageHistory,
    MessageQuerySet,
    Notification,
    Participation,
    Thread,
)
from messaging.services import (
    MessageHistoryService,
    NotificationService,
    UserCleanupService,
)

from .factories import fresh, reply, unread, versions, write
from .ledger import faults
from .many import forget_statistics

User = get_user_model()
ROOT = Path(messaging.__file__).parents[1]
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def sources(*folders, suffix):
    """Yield the files of ours with this suffix, tests excepted."""
    for folder in folders:
        for path in (ROOT / folder).rglob(f"*{suffix}"):
            if "tests" not in path.parts:
                yield path


# --- Message ---


def test_a_message_has_the_fields_that_were_asked_for(alice, bob):
    message = Message.objects.create(sender=alice, receiver=bob, content="Hello")
    assert (message.sender, message.receiver, message.content) == (alice, bob, "Hello")
    assert (message.read, message.edited, message.parent_message) == (False, False, None)
    answer = Message.objects.create(
        sender=bob, receiver=alice, content="Hello yourself", parent_message=message
    )
    assert alice.sent_messages.get() == bob.received_messages.get() == message
    assert bob.sent_messages.get() == alice.received_messages.get() == message.replies.get()
    assert message.replies.get() == answer


def test_the_timestamp_is_now_unless_it_is_set(alice, bob):
    before = timezone.now()
    assert before <= write(alice, bob).timestamp <= timezone.now()
    assert fresh(write(alice, bob, timestamp=NOON)).timestamp == NOON


def test_content_is_1_to_5000_characters_in_forms_and_in_the_database(alice, bob):
    for content in ("", "x" * 5001):
        with pytest.raises(ValidationError):
            Message(sender=alice, receiver=bob, content=content).clean_fields(exclude=["thread"])
        with pytest.raises(IntegrityError), transaction.atomic():
            write(alice, bob, content)
    assert write(alice, bob, "x" * 5000).pk
    validators = Message._meta.get_field("content").validators
    assert [v.limit_value for v in validators if isinstance(v, MaxLengthValidator)] == [5000]


def test_nobody_writes_to_oneself_not_even_past_the_model(alice, bob):
    with pytest.raises(IntegrityError), transaction.atomic():
        write(alice, alice)
    message = write(alice, bob)
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.filter(pk=message.pk).update(receiver=alice)


def test_a_reply_has_the_same_pair_of_people_as_its_parent(alice, bob, mallory):
    message = write(alice, bob)
    assert write(alice, bob, parent_message=message).thread == message.thread
    for sender, receiver in [(bob, mallory), (mallory, bob), (mallory, alice)]:
        with pytest.raises(ValidationError):
            write(sender, receiver, parent_message=message)


def test_the_constraints_are_in_the_database():
    names = {constraint.name for constraint in Message._meta.constraints}
    assert names == {
        "message_to_someone_else",
        "message_of_someone",
        "message_content_length",
        "client_token_once",
    }
    # Each is provoked past `save` and validators in test_models.


# --- The shell ---


def test_in_a_shell_a_bare_create_does_everything(alice, bob):
    before = versions(alice, bob)
    message = Message.objects.create(sender=alice, receiver=bob, content="Hello")
    assert message.thread.message_count == 0  # the copy in memory; the row follows
    assert fresh(message.thread).message_count == 1
    assert fresh(message.thread).last_message == message
    assert set(Participation.objects.values_list("user__username", "unread_count")) == {
        ("alice", 0),
        ("bob", 1),
    }
    assert unread(bob) == 1
    assert all(version > before[name] for name, version in versions(alice, bob).items())
    assert Notification.objects.get().user == bob
    assert faults() == []


def test_in_a_shell_a_reply_needs_no_more_than_its_parent(alice, bob):
    message = Message.objects.create(sender=alice, receiver=bob, content="Hello")
    Message.objects.create(sender=bob, receiver=alice, content="Hi", parent_message=message)
    assert Thread.objects.get().message_count == 2
    assert fresh(message).reply_count == 1
    assert faults() == []


def test_in_a_shell_a_save_of_a_new_text_logs_history(alice, bob):
    message = Message.objects.create(sender=alice, receiver=bob, content="First")
    message.content = "Second"
    message.save()
    assert message.history.get().old_content == "First"
    assert (message.edited, fresh(message).edited) == (True, True)


def test_in_a_shell_read_is_all_it_takes(alice, bob):
    message = Message.objects.create(sender=alice, receiver=bob, content="Hello")
    message.read = True
    message.save()
    assert fresh(message).read_at is not None
    assert unread(bob) == Participation.objects.get(user=bob).unread_count == 0
    assert Notification.objects.get().is_read


def test_in_a_shell_deleting_a_person_cleans_up(alice, bob, mallory):
    Message.objects.create(sender=alice, receiver=bob, content="Hello")
    kept = Message.objects.create(sender=bob, receiver=mallory, content="Hello")
    alice.delete()
    assert Message.objects.get() == kept
    assert Notification.objects.get().message == kept
    assert faults() == []


# --- Querysets and managers ---


def test_for_user_is_what_one_sent_or_received(alice, bob, mallory):
    sent, received = write(alice, bob), write(mallory, alice)
    write(bob, mallory)
    assert isinstance(Message.objects.all(), MessageQuerySet)
    assert set(Message.objects.for_user(alice)) == {sent, received}


def test_unread_is_what_has_not_been_read(alice, bob):
    message = write(alice, bob)
    write(alice, bob, read=True)
    assert Message.objects.unread().get() == message
    assert Message.objects.for_user(alice).unread().get() == message


def test_the_unread_manager_gives_exactly_the_unread_messages_that_one_received(
    alice, bob, mallory
):
    mine = write(alice, bob)
    buried = write(alice, bob)
    reply(buried, read=True)
    buried.delete()
    write(alice, bob, read=True)
    write(bob, alice)
    write(alice, mallory)
    assert isinstance(Message.unread, models.Manager)
    assert list(Message.unread.for_user(bob)) == [mine]


def test_using_the_unread_messages_costs_no_second_query(alice, bob, django_assert_num_queries):
    for _ in range(3):
        write(alice, bob)
    with django_assert_num_queries(1):
        for message in Message.unread.for_user(bob):
            assert (message.sender.username, str(message.sender)) == ("alice", "alice")
            assert (message.content, message.read, message.revision) == ("Hello", False, 1)
            assert (message.sender_id, message.receiver_id) == (alice.pk, bob.pk)
            assert (type(message.timestamp), message.thread_id is None) == (datetime, False)


def test_the_unread_messages_load_only_what_an_inbox_shows(alice, bob):
    write(alice, bob)
    message = Message.unread.for_user(bob).get()
    assert message.get_deferred_fields() >= {"depth", "reply_count", "edited_at", "client_token"}
    assert message.sender.get_deferred_fields() >= {"password", "email", "last_login"}


# --- Notifications ---


def test_the_receiver_of_a_message_is_notified_exactly_once(alice, bob):
    message = write(alice, bob)
    line = bob.notifications.get()
    assert (line.message, line.is_read, line.created_at) == (message, False, message.timestamp)
    message.content = "Second"
    message.save()
    NotificationService.create_notification(message)
    assert Notification.objects.get() == line


def test_a_second_notification_is_refused_by_the_database(alice, bob):
    message = write(alice, bob)
    with pytest.raises(IntegrityError), transaction.atomic():
        Notification.objects.bulk_create([Notification(user=bob, message=message)])


# --- Edit history ---


def test_one_row_of_history_for_each_edit_that_changed_the_text(alice, bob):
    message = write(alice, bob, "First")
    for content in ("Second", "Second", "Third", "First"):
        message.content = content
        message.save()
    rows = message.history.order_by("revision")
    assert list(rows.values_list("revision", "old_content", "editor__username")) == [
        (1, "First", "alice"),
        (2, "Second", "alice"),
        (3, "Third", "alice"),
    ]
    assert all(row.edited_at <= timezone.now() for row in rows)
    assert (fresh(message).revision, fresh(message).edited) == (4, True)


def test_no_row_of_history_without_a_new_text(alice, bob):
    message = write(alice, bob)
    message.save()
    message.read = True
    message.save()
    assert not MessageHistory.objects.exists()
    assert not fresh(message).edited


# --- Services ---


def test_the_services_go_by_their_names(alice, bob):
    message = write(alice, bob, "First")
    Notification.objects.all().delete()
    assert NotificationService.create_notification(message).user == bob
    message.content = "Second"
    assert MessageHistoryService.log_edit(message, "First").old_content == "First"
    UserCleanupService.cleanup_user_data(alice)
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("service", "act"),
    [
        (NotificationService, lambda m: NotificationService.create_notification(m)),
        (MessageHistoryService, lambda m: MessageHistoryService.log_edit(m, "Another")),
        (UserCleanupService, lambda m: UserCleanupService.cleanup_user_data(m.sender)),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_service_does_all_or_nothing(alice, bob, monkeypatch, service, act):
    message = write(alice, bob)
    Notification.objects.all().delete()
    tables = Message, MessageHistory, Notification, Participation, Thread, Mailbox
    before = [list(table.objects.values()) for table in tables]

    def fail(*args, **kwargs):
        raise RuntimeError

    for name in ("bump", "recount"):  # the last step of each
        monkeypatch.setattr(messaging.services.MailboxService, name, fail)
    with pytest.raises(RuntimeError), transaction.atomic():
        act(message)
    assert [list(table.objects.values()) for table in tables] == before


# --- Signals ---


@pytest.mark.parametrize(
    ("signal", "sender", "uid"),
    [
        (post_save, Message, "messaging.notify_receiver"),
        (pre_save, Message, "messaging.log_edit"),
        (post_delete, User, "messaging.clean_up_user"),
        (post_save, Message, "messaging.count_saved"),
        (post_delete, Message, "messaging.count_deleted"),
    ],
)
def test_the_receivers_are_registered_by_dispatch_uid(signal, sender, uid):
    assert (uid, id(sender)) in [key for key, *_ in signal.receivers]


def test_every_receiver_is_thin():
    source = Path(messaging.signals.__file__).read_text()
    bodies = re.split(r"^@receiver", source, flags=re.MULTILINE)[1:]
    assert bodies
    for body in bodies:
        assert "dispatch_uid=" in body
        lines = [line for line in body.split("\n") if line.strip() and "#" not in line]
        assert len(lines) <= 16, body


def test_the_signals_are_imported_when_the_app_is_ready():
    code = "import sys, django; django.setup();sys.exit('messaging.signals' not in sys.modules)"
    assert in_a_new_process(code).returncode == 0


def test_a_handler_that_fails_takes_the_message_with_it(alice, bob):
    def fail(sender, **kwargs):
        raise RuntimeError

    post_save.connect(fail, sender=Message)
    try:
        with pytest.raises(RuntimeError):
            write(alice, bob)
    finally:
        post_save.disconnect(fail, sender=Message)
    for model in (Message, Thread, Participation, Notification):
        assert not model.objects.exists()
    assert versions(alice, bob) == {"alice": 0, "bob": 0}


def test_a_fixture_is_loaded_as_it_stands(alice, bob, tmp_path):
    message = write(alice, bob, "First")
    message.content = "Second"
    message.save()
    fixture = tmp_path / "messages.json"
    call_command("dumpdata", "messaging.message", "messaging.thread", output=fixture, verbosity=0)
    for model in (Notification, MessageHistory, Participation, Message, Thread):
        model.objects.all()._raw_delete("default")
    before = versions(alice, bob)
    call_command("loaddata", fixture, verbosity=0)
    assert Message.objects.get().content == "Second"
    assert versions(alice, bob) == before
    for model in (Notification, MessageHistory, Participation):
        assert not model.objects.exists()


# --- Admin ---


def test_the_admin_shows_messages_as_metadata():
    assert isinstance(admin.site.get_model_admin(Message), MessageAdmin)
    assert {"sender", "receiver", "content_preview", "timestamp"} <= set(MessageAdmin.list_display)
    assert set(MessageAdmin.list_filter) == {"timestamp", "read"}
    assert not any("content" in field for field in MessageAdmin.search_fields)


def test_the_preview_is_of_50_characters(alice, bob):
    preview = MessageAdmin(Message, admin.site).content_preview(write(alice, bob, "x" * 99))
    assert len(preview) == 50
    assert preview.startswith("x" * 49)


def test_notifications_and_history_are_in_the_admin():
    assert isinstance(admin.site.get_model_admin(Notification), NotificationAdmin)
    assert admin.site.is_registered(MessageHistory)


@pytest.fixture
def secret(alice, bob):
    message = write(alice, bob, "Nobody's business")
    message.content = "Nobody else's business"
    message.save()
    return message


def admin_pages(message):
    line, row = message.notifications.get(), message.history.get()
    return [
        reverse("admin:messaging_message_changelist"),
        reverse("admin:messaging_message_changelist") + "?q=business",
        reverse("admin:messaging_message_change", args=[message.pk]),
        reverse("admin:messaging_message_history", args=[message.pk]),
        reverse("admin:messaging_message_delete", args=[message.pk]),
        reverse("admin:messaging_messagehistory_changelist"),
        reverse("admin:messaging_messagehistory_change", args=[row.pk]),
        reverse("admin:messaging_notification_changelist"),
        reverse("admin:messaging_notification_change", args=[line.pk]),
    ]


def show_text(client, message, **data):
    data |= {"action": "show_text", "_selected_action": [message.pk]}
    return client.post(reverse("admin:messaging_message_changelist"), data, follow=True)


def test_not_even_a_superuser_sees_a_text_by_looking_around(admin_client, secret):
    for page in admin_pages(secret):
        response = admin_client.get(page)
        assert response.status_code == 200, page
        assert "Nobody" not in response.content.decode(), page
    assert "Nobody" not in show_text(admin_client, secret, reason="Curious").content.decode()


@pytest.mark.parametrize(
    ("name", "lookup"),
    [
        ("message", "q"),
        ("message", "content__startswith"),
        ("message", "content__length"),
        ("message", "history__old_content__startswith"),
        ("messagehistory", "old_content__startswith"),
        ("messagehistory", "message__content__startswith"),
        ("notification", "message__content__startswith"),
    ],
)
def test_not_even_a_superuser_can_guess_a_text_by_asking_for_it(admin_client, secret, name, lookup):
    page = reverse(f"admin:messaging_{name}_changelist")
    right = admin_client.get(page, {lookup: "Nobody"})
    wrong = admin_client.get(page, {lookup: "Somebody"})
    assert right.status_code == wrong.status_code
    if right.status_code == 200:
        counts = [answer.context["cl"].result_count for answer in (right, wrong)]
        assert counts[0] == counts[1]


def test_a_text_is_shown_to_whom_it_is_granted_for_a_reason_that_is_kept(
    admin_client, admin_user, secret
):
    permission = Permission.objects.get(codename="view_message_text")
    admin_user.user_permissions.add(permission)
    assert "Nobody else" not in show_text(admin_client, secret).content.decode()
    shown = show_text(admin_client, secret, reason="A report of abuse")
    assert "Nobody else" in shown.content.decode()
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (admin_user, str(secret.pk))
    assert "A report of abuse" in entry.change_message


# --- Pages ---


@pytest.mark.parametrize(
    ("name", "args", "path"),
    [
        ("home", [], "/"),
        ("messaging:inbox", [], "/inbox/"),
        ("messaging:message-create", [], "/messages/new/"),
        ("messaging:thread", [7], "/messages/7/"),
        ("messaging:reply-list", [7], "/messages/7/replies/"),
        ("messaging:reply-create", [7], "/messages/7/reply/"),
        ("messaging:message-update", [7], "/messages/7/edit/"),
        ("messaging:history", [7], "/messages/7/history/"),
        ("messaging:message-delete", [7], "/messages/7/delete/"),
        ("messaging:message", [7], "/messages/7/message/"),
        ("messaging:read-marker", [7], "/messages/7/read/"),
        ("messaging:conversation", [], "/conversation/"),
        ("messaging:conversation", ["bob"], "/conversation/bob/"),
        ("messaging:notification-list", [], "/notifications/"),
        ("messaging:notification-read-all", [], "/notifications/read/"),
        ("messaging:notification-read", [7], "/notifications/7/read/"),
        ("messaging:person-search", [], "/people/"),
        ("account", [], "/account/"),
        ("account-delete", [], "/account/delete/"),
        ("healthz", [], "/healthz"),
        ("readyz", [], "/readyz"),
        ("metrics", [], "/metrics"),
    ],
)
def test_the_addresses_stay(name, args, path):
    assert reverse(name, args=args) == path


@pytest.mark.parametrize(
    "path", ["/inbox/", "/conversation/", "/notifications/", "/account/delete/"]
)
def test_the_pages_that_were_asked_for_are_there(alice, bob, signed_in, path):
    write(bob, alice)
    assert signed_in(alice).get(path).status_code == 200


def test_a_thread_and_the_history_of_a_message_have_pages(alice, bob, signed_in, mallory):
    message = write(alice, bob, "First")
    reply(message, "An answer")
    message.content = "Second"
    message.save()
    thread = signed_in(bob).get(f"/messages/{message.pk}/")
    assert "Second" in thread.content.decode()
    assert "An answer" in thread.content.decode()
    assert "First" in signed_in(bob).get(f"/messages/{message.pk}/history/").content.decode()
    for page in ("", "history/"):
        assert signed_in(mallory).get(f"/messages/{message.pk}/{page}").status_code == 404


# --- Leaving ---


def test_leaving_takes_a_post_and_the_password(alice, bob, signed_in):
    write(alice, bob, "Hello")
    client, elsewhere = signed_in(alice), signed_in(alice)
    client.get("/account/delete/")
    client.post("/account/delete/", {"password": "wrong"})
    assert User.objects.filter(pk=alice.pk).exists()
    response = client.post("/account/delete/", {"password": "correct horse battery"})
    assert (response.status_code, response["Location"]) == (302, "/")
    assert not User.objects.filter(pk=alice.pk).exists()
    assert not Message.objects.exists()
    assert client.get("/").status_code == 200
    for gone in (client, elsewhere):
        assert gone.get("/inbox/")["Location"].startswith("/accounts/login/")


# --- Caching ---


def in_a_new_process(code, **variables):
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "site_config.settings"} | variables
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


SAY_SETTINGS = """
import json
from django.conf import settings
print(json.dumps([settings.CACHES["default"], settings.INSTALLED_APPS, settings.MIDDLEWARE]))
"""


def test_with_redis_url_the_cache_is_django_redis():
    done = in_a_new_process(SAY_SETTINGS, REDIS_URL="redis://127.0.0.1:6379/3", DEBUG="off")
    default, apps, _ = json.loads(done.stdout)
    assert default["BACKEND"] == "django_redis.cache.RedisCache"
    assert default["LOCATION"] == "redis://127.0.0.1:6379/3"
    assert "debug_toolbar" not in apps


def test_in_development_there_is_the_debug_toolbar_and_no_server_needed():
    done = in_a_new_process(SAY_SETTINGS, REDIS_URL="", DEBUG="on")
    default, apps, middleware = json.loads(done.stdout)
    assert default["BACKEND"] == "django.core.cache.backends.locmem.LocMemCache"
    assert "debug_toolbar" in apps
    assert any("debug_toolbar" in name for name in middleware)


def test_no_page_is_cached_as_a_whole():
    for path in sources("messaging", "site_config", suffix=".py"):
        source = path.read_text()
        assert not re.search(r"\bcache_page\b|UpdateCacheMiddleware|FetchFromCache", source), path
    assert not any("cache" in name.lower() for name in site_settings.MIDDLEWARE)


def test_fragments_are_cached_in_templates_with_lifetimes_of_minutes():
    used = [p for p in sources("templates", suffix=".html") if "{% cache " in p.read_text()]
    assert used
    assert messaging.fragments.LIFETIME <= 600


def test_one_person_never_gets_the_page_of_another(alice, bob, mallory, signed_in):
    write(alice, bob, "For bob alone")
    for _ in range(2):
        assert "For bob alone" in signed_in(bob).get("/conversation/").content.decode()
        assert "For bob alone" not in signed_in(mallory).get("/conversation/").content.decode()


@pytest.mark.parametrize("path", ["/inbox/", "/conversation/", "/notifications/"])
def test_a_cached_page_shows_the_next_write(alice, bob, signed_in, path):
    client = signed_in(bob)
    write(alice, bob, "One")
    for _ in range(2):
        assert "alice" in client.get(path).content.decode()
    alice.username = "alicia"
    alice.save()
    assert "alicia" in client.get(path).content.decode()


def test_hits_and_misses_are_on_a_page_for_staff(admin_client, alice, bob, signed_in):
    write(alice, bob)
    client = signed_in(bob)
    client.get("/conversation/")
    client.get("/conversation/")
    page = admin_client.get(reverse("admin:messaging_cache"))
    assert page.context["hits"] > 0
    assert page.context["misses"] > 0


# --- Good practice ---


def test_the_hot_look_ups_have_indexes():
    fields = {tuple(index.fields) for index in Message._meta.indexes}
    assert ("thread", "timestamp", "id") in fields
    assert ("parent_message", "id") in fields
    assert ("sender", "timestamp", "id") in fields
    assert ("receiver", "timestamp", "id") in fields
    assert any(index.condition for index in Message._meta.indexes)
    assert {index.name for index in Participation._meta.indexes} == {
        "participation_unread",
        "participation_listed",
        "participation_sent",
    }


@pytest.mark.parametrize(
    ("find", "index"),
    [
        (lambda user: Message.unread.for_user(user), "message_unread"),
        (lambda user: Message.objects.sent_by(user).order_by("-timestamp", "-pk"), "message_sent"),
        (
            lambda user: Message.objects.received_by(user).order_by("-timestamp", "-pk"),
            "message_received",
        ),
        (
            lambda user: (
                Participation.objects.for_user(user).unread().order_by("-last_activity", "-pk")
            ),
            "participation_unread",
        ),
        (
            lambda user: (
                Participation.objects.for_user(user).listed().order_by("-last_activity", "-pk")
            ),
            "participation_listed",
        ),
        (
            lambda user: Participation.objects.for_user(user).sent().order_by("-sent_at", "-pk"),
            "participation_sent",
        ),
        (lambda user: Notification.objects.visible_to(user).unread(), "notification_unread"),
    ],
)
def test_the_database_uses_the_index(alice, find, index, settings):
    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
        pytest.skip("PostgreSQL prefers a scan while the tables are empty")
    forget_statistics()
    assert f"INDEX {index}" in find(alice)[:25].explain()


def test_what_is_not_there_is_404_and_never_an_error(alice, signed_in):
    client = signed_in(alice)
    for path in ("/messages/1/", "/messages/1/history/", "/conversation/nobody/"):
        assert client.get(path).status_code == 404


def test_a_page_of_messages_costs_the_same_for_one_and_for_many(
    alice, bob, signed_in, django_assert_max_num_queries
):
    first = write(alice, bob)
    for _ in range(12):
        reply(first)
    client = signed_in(bob)
    with django_assert_max_num_queries(8):
        client.get(f"/messages/{first.pk}/")
    with django_assert_max_num_queries(4):
        client.get("/inbox/?show=all")


def test_a_token_is_a_uuid_or_nothing(alice, bob):
    token = uuid.uuid4()
    assert fresh(write(alice, bob, client_token=token)).client_token == token
    assert fresh(write(alice, bob)).client_token is None


# --- The tree, and what it stands on ---


def test_the_top_level_is_the_one_that_was_asked_for():
    for name in ("site_config", "messaging", "templates", "static", "e2e"):
        assert (ROOT / name).is_dir(), name
    for name in ("manage.py", "requirements.txt", "Makefile"):
        assert (ROOT / name).is_file(), name


def test_the_packages_that_were_asked_for_are_used():
    pinned = (ROOT / "requirements.txt").read_text().lower()
    tests = (ROOT / "requirements-dev.txt").read_text().lower()
    for name in ("django", "django-htmx", "django-redis", "django-template-partials", "whitenoise"):
        assert re.search(rf"^{name}\b.*==", pinned, flags=re.MULTILINE), name
    for name in ("pytest-django", "playwright"):
        assert re.search(rf"^{name}\b.*==", tests, flags=re.MULTILINE), name
