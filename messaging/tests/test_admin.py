from itertools import product

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.urls import reverse

from messaging import tally
from messaging.models import Message, MessageHistory
from messaging.services import CheckService

SECRET = "the-parsnip-flies-at-midnight"
LIST = reverse("admin:messaging_message_changelist")


@pytest.fixture
def letter(alice, bob):
    message = Message.objects.create(sender=alice, receiver=bob, content=f"{SECRET} one")
    message.content = f"{SECRET} two"
    message.save()
    return message


@pytest.fixture
def permission(db):
    return Permission.objects.get(codename="view_message_text")


def ask(client, message, **fields):
    return client.post(LIST, {"action": "show_text", "_selected_action": [message.pk]} | fields)


def test_no_page_of_the_admin_shows_text(admin_client, letter):
    history = MessageHistory.objects.get()
    notification = letter.notifications.get()
    pages = [
        LIST,
        reverse("admin:messaging_message_change", args=[letter.pk]),
        reverse("admin:messaging_message_delete", args=[letter.pk]),
        reverse("admin:messaging_message_history", args=[letter.pk]),
        reverse("admin:messaging_messagehistory_changelist"),
        reverse("admin:messaging_messagehistory_change", args=[history.pk]),
        reverse("admin:messaging_notification_changelist"),
        reverse("admin:messaging_notification_change", args=[notification.pk]),
        reverse("admin:messaging_mailbox_changelist"),
        reverse("admin:index"),
    ]
    for page in pages:
        response = admin_client.get(page)
        assert response.status_code == 200, page
        assert SECRET not in response.content.decode(), page


def test_text_is_not_searched(admin_client, letter):
    response = admin_client.get(LIST, {"q": SECRET})
    assert "0 messages" in response.content.decode()


def test_names_are_searched(admin_client, letter):
    assert f"/{letter.pk}/change/" in admin_client.get(LIST, {"q": "alice"}).content.decode()


def test_being_a_superuser_is_not_enough_to_read_text(admin_client, letter):
    response = ask(admin_client, letter, reason="I am curious")
    assert SECRET not in response.content.decode()
    assert not LogEntry.objects.exists()


def test_text_needs_a_reason(admin_client, admin_user, permission, letter):
    admin_user.user_permissions.add(permission)
    for fields in ({}, {"reason": "   "}):
        response = ask(admin_client, letter, **fields)
        assert 'name="reason"' in response.content.decode()
        assert SECRET not in response.content.decode()
    assert not LogEntry.objects.exists()


def test_text_is_shown_for_a_reason_that_is_kept(admin_client, admin_user, permission, letter):
    admin_user.user_permissions.add(permission)
    response = ask(admin_client, letter, reason="Report 12")
    assert f"{SECRET} two" in response.content.decode()
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (admin_user, str(letter.pk))
    assert "Report 12" in entry.get_change_message()


def test_the_permission_may_come_from_a_group(admin_client, admin_user, permission, letter):
    readers = Group.objects.create(name="readers")
    readers.permissions.add(permission)
    admin_user.groups.add(readers)
    assert SECRET in ask(admin_client, letter, reason="Report 12").content.decode()


def test_a_message_added_in_the_admin_does_everything(admin_client, alice, bob):
    data = {"sender": alice.pk, "receiver": bob.pk, "content": "From the admin"}
    assert admin_client.post(reverse("admin:messaging_message_add"), data).status_code == 302
    message = Message.objects.get()
    assert message.thread.message_count == 1
    assert message.notifications.count() == 1


def test_the_admin_refuses_a_reply_to_another_pair(admin_client, alice, bob, mallory):
    parent = Message.objects.create(sender=alice, receiver=bob, content="Hello")
    data = {"sender": mallory.pk, "receiver": bob.pk, "content": "x", "parent_message": parent.pk}
    response = admin_client.post(reverse("admin:messaging_message_add"), data)
    assert response.status_code == 200
    assert "who shares the message" in response.content.decode()
    assert Message.objects.count() == 1


def test_marking_read_in_the_admin_moves_the_counts(admin_client, bob, letter):
    url = reverse("admin:messaging_message_change", args=[letter.pk])
    assert admin_client.post(url, {"read": "on"}).status_code == 302
    bob.mailbox.refresh_from_db()
    assert bob.mailbox.unread_count == 0
    letter.refresh_from_db()
    assert letter.content == f"{SECRET} two"


def test_staff_see_what_the_process_has_met(admin_client, monkeypatch):
    met = {"hits": 31, "misses": 12, "errors": 23, "waits": 34, "busy": 45, "conflicts": 56}
    met["retries"] = 67
    monkeypatch.setattr(tally.counts, "update", lambda **numbers: None)
    for name, number in met.items():
        monkeypatch.setitem(tally.counts, name, number)
    text = admin_client.get(reverse("admin:messaging_cache")).text
    for number in met.values():
        assert f"<td>{number}" in text


def test_others_do_not_see_what_the_cache_does(signed_in, alice):
    response = signed_in(alice).get(reverse("admin:messaging_cache"))
    assert response.status_code == 302


# --- Guessing ---

TEXTS = {"content", "old_content", "password"}


def paths_to_texts(model, prefix="", steps=3):
    """Yield the lookups that lead from a model to what nobody may guess letter by letter."""
    for field in model._meta.get_fields():
        if field.is_relation and steps and field.related_model:
            yield from paths_to_texts(field.related_model, f"{prefix}{field.name}__", steps - 1)
        elif field.name in TEXTS:
            yield prefix + field.name


@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model.__name__)
def test_no_list_is_filtered_by_what_it_does_not_show(rf, model):
    paths = set(paths_to_texts(model))
    shown = admin.site._registry[model]
    for path, lookup in product(paths, ["", "__startswith", "__regex", "__gt"]):
        assert not shown.lookup_allowed(path + lookup, "x", rf.get("/")), path + lookup


def test_a_list_with_a_guess_in_its_address_is_refused(admin_client, letter):
    for address, lookup in [
        (LIST, "content__startswith"),
        (LIST, "thread__last_message__content__startswith"),
        (LIST, "sender__password__startswith"),
        (reverse("admin:accounts_user_changelist"), "sent_messages__content__startswith"),
        (reverse("admin:accounts_user_changelist"), "password__startswith"),
        (reverse("admin:messaging_notification_changelist"), "message__content__startswith"),
    ]:
        assert admin_client.get(address, {lookup: SECRET}).status_code == 400, lookup
    for query in ({"_popup": "1", "_to_field": "content"}, {"_to_field": "content"}):
        assert admin_client.get(LIST, query).status_code == 400
    for order in ("content", "-content", "3", "-3", "3.1"):
        assert admin_client.get(LIST, {"o": order}).status_code == 200


# --- Staff with little leave ---


@pytest.fixture
def steward(signed_in, mallory):
    """Return a function that lets mallory into the admin, with these permissions alone."""

    def let_in(*codenames):
        mallory.is_staff = True
        mallory.save()
        mallory.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        return signed_in(mallory)

    return let_in


def test_the_permission_to_read_text_alone_opens_no_list(steward, letter):
    response = ask(steward("view_message_text"), letter, reason="I am curious")
    assert response.status_code == 403


def test_to_see_messages_is_not_to_change_read_or_delete_them(steward, letter):
    client, pk = steward("view_message"), letter.pk
    assert client.get(LIST).status_code == 200
    response = ask(client, letter, reason="I am curious")
    assert SECRET not in response.content.decode()
    assert client.post(reverse("admin:messaging_message_add"), {}).status_code == 403
    for name in ("change", "delete"):
        address = reverse(f"admin:messaging_message_{name}", args=[pk])
        assert client.post(address, {"post": "yes"}).status_code == 403
    selected = {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}
    client.post(LIST, selected)
    assert Message.objects.filter(pk=pk, read=False).exists()
    history = client.get(reverse("admin:messaging_message_history", args=[pk]))
    assert SECRET not in history.content.decode()


def test_to_delete_people_shows_no_text_of_theirs(steward, alice, letter):
    client = steward("view_user", "delete_user", "delete_message", "view_message")
    response = client.get(reverse("admin:accounts_user_delete", args=[alice.pk]))
    assert response.status_code == 200
    assert SECRET not in response.content.decode()


def test_to_see_people_shows_no_secret_of_theirs(steward, alice):
    response = steward("view_user").get(reverse("admin:accounts_user_change", args=[alice.pk]))
    *_, salt, digest = alice.password.split("$")
    assert response.status_code == 200
    assert salt not in response.text
    assert digest not in response.text


def test_suggestions_of_the_admin_are_for_who_may_see_the_list(steward, letter):
    query = {"app_label": "messaging", "model_name": "notification", "field_name": "message"}
    response = steward("view_notification").get(reverse("admin:autocomplete"), query)
    assert response.status_code == 403


def test_to_see_addresses_is_not_to_call_them_verified(steward, alice):
    from allauth.account.models import EmailAddress

    address = EmailAddress.objects.create(user=alice, email="alice@example.com")
    client = steward("view_emailaddress")
    page = reverse("admin:account_emailaddress_changelist")
    client.post(page, {"action": "make_verified", "_selected_action": [address.pk]})
    address.refresh_from_db()
    assert not address.verified


@pytest.mark.parametrize("word", ["9" * 30, "0", "x"])
@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model.__name__)
def test_no_object_is_found_by_what_is_no_id(admin_client, model, word):
    opts = model._meta
    for page in ("change", "history", "delete"):
        path = reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}", args=[word])
        assert admin_client.get(path).status_code in (302, 403, 404)


@pytest.mark.parametrize("page", ["change", "delete"])
@pytest.mark.parametrize("model", admin.site._registry, ids=lambda model: model.__name__)
def test_no_object_is_found_by_a_field_without_a_name(admin_client, admin_user, model, page):
    opts = model._meta
    path = reverse(f"admin:{opts.app_label}_{opts.model_name}_{page}", args=[admin_user.pk])
    for response in (
        admin_client.get(path, {"_to_field": ""}),
        admin_client.post(path, {"_to_field": ""}),
    ):
        assert response.status_code in (400, 403)


def test_a_notification_stays_as_its_message_has_it(admin_client, letter):
    """Without it, or unread where the message was read, the rules that every write keeps break."""
    row = letter.notifications.get()
    paths = [
        reverse(f"admin:messaging_notification_{p}", args=[row.pk]) for p in ("delete", "change")
    ]
    for path in paths:
        assert admin_client.post(path, {"post": "yes", "is_read": "on"}).status_code == 403
    marked = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    admin_client.post(reverse("admin:messaging_notification_changelist"), marked)
    row.refresh_from_db()
    assert not row.is_read
    assert list(CheckService.find()) == []
