"""A look of the staff at text is on record, and both people see it."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.urls import reverse

from messaging.models import AccessNotice, AccessRecord, Message
from messaging.services import AccessService, NotificationService

from .factories import fresh, reply, versions, write
from .ledger import faults

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
LIST = reverse("admin:messaging_message_changelist")


@pytest.fixture
def letter(alice, bob):
    return write(alice, bob, "Between us")


@pytest.fixture
def reader(admin_client, admin_user):
    """A client of staff who may read text."""
    admin_user.user_permissions.add(Permission.objects.get(codename="view_message_text"))
    return admin_client


def look(reader, *message_list, **fields):
    chosen = [message.pk for message in message_list]
    return reader.post(LIST, {"action": "show_text", "_selected_action": chosen} | fields)


def test_a_look_is_recorded_and_told_to_both(reader, admin_user, alice, bob, letter):
    before = versions(alice, bob)
    assert "Between us" in look(reader, letter, reason=" Report 12 ").text
    record = AccessRecord.objects.get()
    assert (record.message, record.staff, record.reason) == (letter, admin_user, "Report 12")
    assert {notice.user for notice in AccessNotice.objects.all()} == {alice, bob}
    assert versions(alice, bob) == {name: version + 1 for name, version in before.items()}
    assert faults() == []


@pytest.mark.parametrize("fields", [{}, {"reason": " "}, {"reason": "x" * 301}, {"reason": "a\0b"}])
def test_without_a_reason_that_can_be_kept_there_is_no_text(reader, letter, fields):
    response = look(reader, letter, **fields)
    assert response.status_code == 200
    assert "Between us" not in response.text
    assert 'name="reason"' in response.text
    assert "the two people see it" in response.text
    assert not AccessRecord.objects.exists()
    assert not LogEntry.objects.exists()


def test_text_that_can_not_be_recorded_is_not_shown(reader, letter, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(AccessNotice.objects, "bulk_create", fail)
    with pytest.raises(RuntimeError):
        look(reader, letter, reason="Report 12")
    assert not AccessRecord.objects.exists()
    assert not LogEntry.objects.exists()


def test_both_see_when_and_why_and_not_who(reader, admin_user, alice, bob, letter, signed_in):
    look(reader, letter, reason="Report <12>")
    for person in (alice, bob):
        client = signed_in(person)
        page = client.get(f"/messages/{letter.pk}/access/").text
        assert "Report &lt;12&gt;" in page
        assert " UTC</time>" in page
        bell = client.get("/notifications/").text
        assert "<bdi>alice</bdi> to <bdi>bob</bdi>" in bell
        assert "Report &lt;12&gt;" in bell
        for text in (page, bell):
            assert admin_user.username not in text


def test_others_see_nothing_of_it(reader, mallory, letter, signed_in):
    look(reader, letter, reason="Report 12")
    client = signed_in(mallory)
    assert client.get(f"/messages/{letter.pk}/access/").status_code == 404
    assert client.post(f"/messages/{letter.pk}/access/").status_code == 404
    assert "Report 12" not in client.get("/notifications/").text
    assert AccessNotice.objects.count() == 2


def test_a_message_that_nobody_looked_at_says_so(alice, letter, signed_in):
    client = signed_in(alice)
    assert "Nobody of the staff" in client.get(f"/messages/{letter.pk}/access/").text
    assert "site’s staff" not in client.get(f"/messages/{letter.pk}/").text


def test_the_bell_counts_it_until_it_was_seen(reader, alice, letter, signed_in):
    client = signed_in(alice)
    look(reader, letter, reason="Report 12")
    assert '>1<span class="visually-hidden"> new' in client.get("/inbox/").text
    answer = client.post(f"/messages/{letter.pk}/access/", headers=HTMX)
    assert 'id="nav-bell"\n  hidden>' in answer.text
    assert "Report 12" not in client.get("/notifications/").text
    assert "Report 12" in client.get(f"/messages/{letter.pk}/access/").text  # for good
    assert AccessService.take_note(alice) == 0


def test_all_read_means_looks_as_well(alice, bob, letter):
    AccessService.read_text(None, [letter.pk], reason="Report 12")
    assert NotificationService.mark_all_read(bob) == 2
    assert [notice.user for notice in AccessNotice.objects.all()] == [alice]


def test_a_look_stays_on_a_tombstone_and_goes_with_the_message(reader, alice, letter, signed_in):
    answer = reply(letter)
    look(reader, letter, answer, reason="Report 12")
    fresh(letter).delete()
    assert AccessRecord.objects.count() == 2
    page = signed_in(alice).get(f"/messages/{answer.pk}/").text
    assert page.count("Read by the site’s staff") == 2
    fresh(answer).delete()
    assert not Message.objects.exists()
    assert not AccessRecord.objects.exists()
    assert not AccessNotice.objects.exists()


def test_of_a_deleted_message_there_is_nothing_to_look_at(reader, letter):
    reply(letter)
    letter.delete()
    look(reader, letter, reason="Report 12")
    assert not AccessRecord.objects.exists()


@pytest.mark.parametrize("policy", ["erase", "keep"])
@pytest.mark.parametrize("leaver", ["alice", "bob"])
def test_looks_go_with_the_words_of_who_leaves(settings, alice, bob, letter, policy, leaver):
    settings.MESSAGING_ACCOUNT_DELETION = policy
    answer = reply(letter)
    AccessService.read_text(None, [letter.pk, answer.pk], reason="Report 12")
    {"alice": alice, "bob": bob}[leaver].delete()
    connection.check_constraints()
    kept = {"alice": answer, "bob": letter}[leaver]
    messages = [record.message for record in AccessRecord.objects.all()]
    assert messages == ([kept] if policy == "keep" else [])
    assert AccessNotice.objects.count() == len(messages)
    assert faults() == []


def test_who_looked_is_nobody_once_they_left(alice, letter, mallory):
    AccessService.read_text(mallory, [letter.pk], reason="Report 12")
    mallory.delete()
    connection.check_constraints()
    assert AccessRecord.objects.get().staff is None
    assert faults() == []


def test_the_lists_cost_the_same_with_many_looks(
    reader, alice, bob, signed_in, django_assert_max_num_queries
):
    first = write(alice, bob)
    message_list = [first] + [write(bob, alice, parent_message=first) for _ in range(20)]
    AccessService.read_text(None, [message.pk for message in message_list], reason="Report 12")
    client = signed_in(alice)
    client.get("/inbox/")
    for path, most in [
        (f"/messages/{first.pk}/", 8),
        ("/conversation/", 8),
        ("/notifications/", 5),
        (f"/messages/{first.pk}/access/", 5),
    ]:
        with django_assert_max_num_queries(most):
            assert client.get(path).status_code == 200


def test_the_admin_shows_the_record_and_no_text(reader, letter):
    look(reader, letter, reason="Report 12")
    page = reader.get(reverse("admin:messaging_accessrecord_changelist")).text
    assert "Report 12" in page
    assert "Between us" not in page
    address = reverse("admin:messaging_accessrecord_delete", args=[AccessRecord.objects.get().pk])
    assert reader.post(address, {"post": "yes"}).status_code == 403
