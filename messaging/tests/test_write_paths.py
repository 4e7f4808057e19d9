"""Every way to write, one by one: with all caches warm, the next look and the next poll show it."""

import json
import os
import subprocess
import sys
import uuid

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import caches
from django.core.cache.backends.locmem import LocMemCache
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Count
from django.test import Client
from django.urls import reverse

from messaging import fragments
from messaging.models import AccessNotice, CacheEpoch, Message, Notification
from messaging.services import (
    AccessService,
    BlockService,
    CacheEpochService,
    MessageService,
    NotificationService,
    ThreadService,
)

from .factories import bell, fresh, reply, unread
from .room import Room
from .visits import Visitor


@pytest.fixture
def room(alice, bob, caplog):
    caplog.set_level("CRITICAL", "django.request")
    return Room(alice, bob)


def token():
    return uuid.uuid4()


# --- What people do ---


def test_a_message_sent_is_shown(room):
    with room.watched():
        fields = {"to": "bob", "content": "Fresh words", "client_token": token()}
        room.post("alice", "/messages/new/", **fields)
    assert room.told == {"alice", "bob"}
    assert "Fresh words" in room.page("bob", "/inbox/")
    assert "Fresh words" in room.page("alice", "/inbox/?show=sent")
    assert "Fresh words" in room.page("bob", "/notifications/")


def test_a_reply_is_shown(room):
    with room.watched():
        address = f"/messages/{room.answer.pk}/reply/"
        told = room.post("alice", address, content="A reply", client_token=token())
        assert "A reply" in told
    assert room.told == {"alice", "bob"}
    assert "A reply" in room.page("bob", f"/messages/{room.first.pk}/")


def test_an_edit_is_shown(room):
    with room.watched():
        address = f"/messages/{room.first.pk}/edit/"
        assert "Better words" in room.post("alice", address, content="Better words", revision=1)
    assert room.told == {"alice", "bob"}
    for address in ("/conversation/", f"/messages/{room.first.pk}/", "/notifications/"):
        assert "Better words" in room.page("bob", address)
        assert "First words" not in room.page("bob", address)


def test_a_message_deleted_is_shown_no_more(room):
    with room.watched():
        room.post("carol", f"/messages/{room.other.pk}/delete/")
    assert room.told == {"bob", "carol"}
    for address in ("/inbox/?show=all", "/conversation/", "/notifications/"):
        assert "From carol" not in room.page("bob", address)


def test_a_tombstone_is_shown(room):
    with room.watched():
        told = room.post("alice", f"/messages/{room.first.pk}/delete/", at=room.first.pk)
        assert "First words" not in told
    assert room.told == {"alice", "bob"}
    page = room.page("bob", f"/messages/{room.answer.pk}/")
    assert "First words" not in page
    assert "This message was deleted." in page


def test_being_read_changes_the_readers_own_numbers(room):
    with room.watched():
        told = room.post("bob", f"/messages/{room.first.pk}/read/", state="read")
        assert ">1<" in told
    assert room.told == {"bob"}
    assert (unread(room.bob), bell(room.bob)) == (1, 1)


def test_being_unread_again_changes_them_back(room):
    ThreadService.mark_read(room.bob, message=room.first)
    with room.watched():
        assert ">2<" in room.post("bob", f"/messages/{room.first.pk}/read/", state="unread")
    assert room.told == {"bob"}
    assert "First words" not in room.page("bob", "/inbox/?show=unread")  # its answer is the last
    assert "An answer" in room.page("bob", "/inbox/?show=unread")


def test_a_notification_read_is_shown(room):
    line = Notification.objects.get(message=room.other)
    with room.watched():
        assert ">1<" in room.post("bob", f"/notifications/{line.pk}/read/")
    assert room.told == {"bob"}
    assert (unread(room.bob), bell(room.bob)) == (2, 1)


def test_all_notifications_read_are_shown(room):
    with room.watched():
        room.post("bob", "/notifications/read/")
    assert room.told == {"bob"}
    assert "notification--unread" not in room.page("bob", "/notifications/")


def test_a_new_name_is_shown_to_all_who_know_its_bearer(room):
    with room.watched():
        response = room.visitors["bob"].post("/account/", {"username": "robert"}, htmx=False)
        assert response.status_code == 302
    assert room.told == {"alice", "bob", "carol"}
    for name in ("alice", "carol"):
        page = room.page(name, "/inbox/?show=all")
        assert ">robert<" in page
        assert ">bob<" not in page


def test_a_block_is_shown_to_who_blocks_alone(room):
    with room.watched():
        told = room.post("bob", "/people/alice/block/", state="blocked")
        assert "Unblock" in told
    assert room.told == {"bob"}
    for address in (f"/messages/{room.first.pk}/", "/conversation/alice/", "/people/blocked/"):
        assert "You blocked <bdi>alice</bdi>" in room.page("bob", address)
    assert "You blocked" not in room.page("alice", f"/messages/{room.first.pk}/")
    assert "/messages/new/?to=bob" not in room.page("alice", "/conversation/bob/")


def test_a_block_that_ended_is_shown_no_more(room):
    BlockService.block(room.bob, room.alice)
    with room.watched():
        room.post("bob", "/people/alice/block/", state="unblocked")
    assert room.told == {"bob"}
    for address in (f"/messages/{room.first.pk}/", "/conversation/alice/", "/people/blocked/"):
        assert "You blocked" not in room.page("bob", address)


def test_a_look_of_the_staff_is_told_no_more_once_it_was_seen(room, admin_user):
    AccessService.read_text(admin_user, [room.first.pk], reason="Report 12")
    before = bell(room.bob)
    with room.watched():
        room.post("bob", f"/messages/{room.first.pk}/access/")
    assert room.told == {"bob"}
    assert "Report 12" not in room.page("bob", "/notifications/")
    assert "Report 12" in room.page("alice", "/notifications/")
    assert (bell(room.bob), AccessNotice.objects.count()) == (before, 1)


def test_who_is_switched_off_is_out_at_once(room, admin_client):
    person = reverse("admin:accounts_user_change", args=[room.alice.pk])
    form = admin_client.get(person).context["adminform"].form.initial
    kept = {name: form[name] for name in ("username", "email")}
    joined = {"date_joined_0": "2026-11-01", "date_joined_1": "10:00:00"}
    with room.watched():
        response = admin_client.post(person, kept | joined)
        assert response.status_code == 302, response.content.decode()
        assert room.visitors["alice"].get("/inbox/").status_code == 302
        assert room.visitors["alice"].get("/inbox/", htmx=True).status_code == 401
        room.leaves("alice")
    assert "/messages/new/?to=alice" not in room.page("bob", "/conversation/alice/")


def test_who_leaves_is_gone_with_all_they_wrote(room):
    with room.watched():
        client = Client()
        client.force_login(room.alice)
        form = {"password": "correct horse battery"}
        assert client.post("/account/delete/", form).status_code == 302
        room.leaves("alice")
    assert room.told == {"bob"}
    for address in ("/inbox/?show=all", "/inbox/?show=sent", "/conversation/", "/notifications/"):
        page = room.page("bob", address)
        assert not any(word in page for word in ("alice", "First words", "An answer"))


# --- What staff and scripts do ---


def test_a_save_in_the_admin_is_shown(room, admin_client):
    with room.watched():
        address = reverse("admin:messaging_message_change", args=[room.other.pk])
        assert admin_client.post(address, {"read": "on"}).status_code == 302
    assert room.told == {"bob"}
    assert unread(room.bob) == 1


def test_a_look_at_text_in_the_admin_is_shown_to_both(room, admin_client, admin_user):
    permission = Permission.objects.get(codename="view_message_text")
    admin_user.user_permissions.add(permission)
    with room.watched():
        address = reverse("admin:messaging_message_changelist")
        form = {"action": "show_text", "_selected_action": [room.first.pk]}
        assert "First words" not in admin_client.post(address, form).text
        assert "First words" in admin_client.post(address, form | {"reason": "Report 12"}).text
    assert room.told == {"alice", "bob"}
    mark = f'<a href="/messages/{room.first.pk}/access/">Read by the site’s staff</a>'
    for name in ("alice", "bob"):
        for page in (f"/messages/{room.first.pk}/", "/conversation/"):
            assert room.page(name, page).count(mark) == 1
        assert "Report 12" in room.page(name, "/notifications/")
        assert "Report 12" in room.page(name, f"/messages/{room.first.pk}/access/")


def test_a_deletion_in_the_admin_is_shown(room, admin_client):
    with room.watched():
        address = reverse("admin:messaging_message_delete", args=[room.other.pk])
        assert admin_client.post(address, {"post": "yes"}).status_code == 302
    assert room.told == {"bob", "carol"}
    assert "From carol" not in room.page("bob", "/conversation/")


def test_a_deletion_of_many_in_the_admin_is_shown(room, admin_client):
    with room.watched():
        form = {"action": "delete_selected", "post": "yes"}
        form["_selected_action"] = [room.first.pk, room.other.pk]
        address = reverse("admin:messaging_message_changelist")
        assert admin_client.post(address, form).status_code == 302
    assert room.told == {"alice", "bob", "carol"}
    page = room.page("bob", "/conversation/")
    assert "From carol" not in page
    assert "First words" not in page


def test_a_notification_changed_by_hand_is_shown(room):
    line = Notification.objects.get(message=room.other)
    with room.watched():
        line.is_read = True
        line.save()
    assert room.told == {"bob"}
    assert bell(room.bob) == 1


def test_a_notification_deleted_by_hand_is_shown(room):
    line = Notification.objects.get(message=room.other)
    with room.watched():
        line.delete()
    assert room.told == {"bob"}
    assert "From carol" not in room.page("bob", "/notifications/")


def test_nobody_can_have_a_message_shown_by_a_notification_of_their_own(
    room, admin_client, admin_user
):
    """Its line says how the message begins."""
    secret = {"user": admin_user.pk, "message": room.first.pk}
    moment = {"created_at_0": "2026-11-01", "created_at_1": "10:00:00"}
    address = reverse("admin:messaging_notification_add")
    assert admin_client.post(address, secret | moment).status_code == 403
    line = Notification.objects.get(message=room.first)
    admin_client.post(reverse("admin:messaging_notification_change", args=[line.pk]), secret)
    assert fresh(line).user == room.bob
    assert "First words" not in admin_client.get("/notifications/").content.decode()


def test_a_person_deleted_in_the_admin_is_gone(room, admin_client):
    with room.watched():
        address = reverse("admin:accounts_user_delete", args=[room.carol.pk])
        assert admin_client.post(address, {"post": "yes"}).status_code == 302
        room.leaves("carol")
    assert room.told == {"bob"}
    assert "From carol" not in room.page("bob", "/conversation/")


def test_a_save_in_a_script_is_shown(room):
    with room.watched():
        room.first.content = "By a script"
        room.first.save()
    assert room.told == {"alice", "bob"}
    assert "By a script" in room.page("bob", "/conversation/")


def test_a_deletion_of_many_in_a_script_is_shown(room):
    with room.watched():
        Message.objects.filter(sender=room.carol).delete()
    assert room.told == {"bob", "carol"}


def test_what_a_service_updates_in_one_go_is_shown(room):
    for _ in range(3):
        reply(reply(room.answer, "More"), "And more")
    with room.watched():
        assert ThreadService.mark_read(room.bob, message=Message.objects.latest("pk")) == 4
    assert room.told == {"bob"}
    assert unread(room.bob) == 1


def test_what_a_service_updates_for_all_at_once_is_shown(room):
    with room.watched():
        assert NotificationService.mark_all_read(room.bob) == 2
    assert room.told == {"bob"}


def test_threads_made_in_bulk_by_a_command_are_shown(room, django_user_model):
    call_command("seed_demo", scale=12, verbosity=0)
    people = django_user_model.objects.annotate(number=Count("sent_messages"))
    person = people.filter(username__startswith="scale-").earliest("number")
    room.visitors = {person.username: Visitor(person)}
    with room.watched():
        call_command("seed_demo", scale=13, verbosity=0)
    assert room.told == {person.username}


# --- Behind the back of the site ---


def test_a_fixture_is_shown_under_a_new_epoch(room, tmp_path):
    """Fixtures move no version: `manage.py new_cache_epoch` has to follow, and a new start."""
    with room.watched():
        _load_with_another_text(room.first, tmp_path)
        call_command("new_cache_epoch")
    assert "By a fixture" in room.page("bob", "/conversation/")


def test_without_a_new_epoch_a_fixture_may_not_be_shown(room, tmp_path):
    """If it is, one day, then the test above and the command can go."""
    for name in ("alice", "bob"):
        room.page(name, "/conversation/")
    _load_with_another_text(room.first, tmp_path)
    assert "By a fixture" not in room.page("bob", "/conversation/")


def _load_with_another_text(message, directory):
    path = directory / "fixture.json"
    call_command("dumpdata", "messaging.message", output=path, verbosity=0)
    rows = json.loads(path.read_text())
    [row] = [row for row in rows if row["pk"] == message.pk]
    row["fields"]["content"] = "By a fixture"
    path.write_text(json.dumps(rows))
    call_command("loaddata", path, verbosity=0)


def test_versions_that_go_back_meet_nothing_old_under_a_new_epoch(room):
    """As when a backup is restored, while Redis goes on."""
    backup = transaction.savepoint()
    MessageService.edit(room.first, content="After the backup", revision=1)
    assert "After the backup" in room.page("bob", "/conversation/")
    transaction.savepoint_rollback(backup)
    MessageService.edit(room.first, content="Another life", revision=1)
    assert "Another life" not in room.page("bob", "/conversation/")
    CacheEpochService.renew()
    assert "Another life" in room.page("bob", "/conversation/")


def test_a_new_epoch_is_another(db):
    CacheEpochService.renew()
    before = CacheEpoch.objects.get().value
    CacheEpochService.renew()
    assert CacheEpoch.objects.get().value != before


@pytest.mark.django_db(transaction=True)
def test_a_database_that_was_emptied_has_another_epoch():
    """Its ids begin anew: without one, the next people would meet the pages of the last."""
    before = fragments.key("inbox", 1, 1)
    call_command("flush", interactive=False, verbosity=0)
    assert CacheEpoch.objects.count() == 1
    assert fragments.key("inbox", 1, 1) != before


# --- Another process ---


def test_a_write_answered_by_another_process_is_shown(room):
    """Which has a cache of its own, with pages of some while ago."""
    here, elsewhere = caches["default"], LocMemCache("elsewhere", {})
    elsewhere.clear()
    try:
        for process in (elsewhere, here):
            caches["default"] = process
            with room.watched():
                caches["default"] = here if process is elsewhere else elsewhere
                room.post("alice", f"/messages/{room.first.pk}/edit/", **_next_edit(room.first))
                caches["default"] = process
            assert room.told == {"alice", "bob"}
            room.told.clear()
    finally:
        caches["default"] = here


def _next_edit(message):
    revision = fresh(message).revision
    return {"content": f"Text {revision + 1}", "revision": revision}


@pytest.mark.django_db(transaction=True)
def test_a_write_of_a_script_outside_is_shown(room):
    with room.watched():
        code = (
            "import django; django.setup();"
            "from messaging.models import Message;"
            f"message = Message.objects.get(pk={room.first.pk});"
            "message.content = 'From outside'; message.save()"
        )
        environment = os.environ | {"DATABASE_URL": _database_url(), "REDIS_URL": ""}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True)  # noqa: S603
    assert room.told == {"alice", "bob"}
    assert "From outside" in room.page("bob", "/conversation/")


def _database_url():
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    password = f":{known['PASSWORD']}" if known["PASSWORD"] else ""
    return f"postgres://{known['USER']}{password}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
