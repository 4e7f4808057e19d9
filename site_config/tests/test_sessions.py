"""Where somebody is signed in: seen by them alone, ended one by one, forgotten when it is over."""

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.tests.dump import changes, dump
from site_config.accounts.browsers import describe
from site_config.accounts.services import SessionService

User = get_user_model()
PASSWORD = "correct horse battery"
NEW_PASSWORD = "wrong staple elsewhere"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
LIST = "/account/sessions/"
pytestmark = pytest.mark.django_db


def sign_in(login="alice", password=PASSWORD, **more):
    client = Client(headers={"User-Agent": FIREFOX})
    client.post("/accounts/login/", {"login": login, "password": password}, **more)
    return client


def is_in(client):
    return client.get("/account/").status_code == 200


def row(client):
    return UserSession.objects.get(session_key=client.session.session_key)


def end(client, session):
    return client.post(f"{LIST}{session.pk}/end/")


def test_a_person_sees_where_they_are_signed_in(alice, bob):
    here, _, of_bob = sign_in(), sign_in(REMOTE_ADDR="198.51.100.7"), sign_in("bob")
    text = here.get(LIST).text
    assert text.count("Firefox on Linux") >= 2
    assert "198.51.100.7" in text
    assert len(here.get(LIST).context["session_list"]) == 2
    assert "198.51.100.7" not in of_bob.get(LIST).text


def test_ending_one_ends_that_one_at_its_next_request(alice):
    here, there, elsewhere = sign_in(), sign_in(), sign_in()
    assert end(here, row(there))["Location"] == LIST
    assert [is_in(client) for client in (here, there, elsewhere)] == [True, False, True]


def test_nobody_ends_what_is_not_theirs_nor_the_one_they_are_in(alice, bob):
    here, of_bob = sign_in(), sign_in("bob")
    assert end(here, row(of_bob)).status_code == 404
    assert end(here, row(here)).status_code == 404
    assert is_in(here)
    assert is_in(of_bob)


def test_what_is_over_is_not_shown(alice):
    here, expired, _ = sign_in(), sign_in(), sign_in()
    Session.objects.filter(pk=expired.session.session_key).update(expire_date=timezone.now())
    assert len(here.get(LIST).context["session_list"]) == 2
    user = User.objects.get(pk=alice.pk)
    user.set_password(NEW_PASSWORD)
    user.save()
    assert SessionService.alive(user) == []


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/account/sign-out-everywhere/", {}),
        (
            "/accounts/password/change/",
            {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
        ),
    ],
)
def test_what_ends_all_others_forgets_where_they_were(alice, path, fields):
    here, there = sign_in(), sign_in(REMOTE_ADDR="198.51.100.7")
    here.post(path, fields)
    assert is_in(here)
    assert not is_in(there)
    [left] = UserSession.objects.all()
    assert left == row(here)
    assert [session.pk for session in here.get(LIST).context["session_list"]] == [left.pk]


def test_signing_out_forgets_where_it_was(alice):
    sign_in().post("/accounts/logout/")
    assert not UserSession.objects.exists()


def test_it_goes_with_the_account(alice):
    client = sign_in()
    client.post("/account/delete/", {"password": PASSWORD})
    assert not UserSession.objects.exists()


def test_looking_writes_nothing_and_a_poll_asks_nothing_more(alice, django_assert_num_queries):
    here, _ = sign_in(), sign_in()
    before = dump()
    here.get(LIST)
    stamp = here.get("/inbox/")["HX-PTag"]
    with django_assert_num_queries(2):
        headers = {"HX-Request": "true", "HX-PTag": stamp, "User-Agent": "Another"}
        here.get("/inbox/", headers=headers, REMOTE_ADDR="203.0.113.9")
    assert changes(before, dump()) == {}


def queries(deed, *args):
    with CaptureQueriesContext(connection) as captured:
        deed(*args)
    return len(captured)


def test_the_list_asks_as_often_for_many_as_for_one(alice):
    here = sign_in()
    here.get(LIST)  # what is around the list is built once
    of_one = queries(here.get, LIST)
    for _ in range(4):
        sign_in()
    assert queries(here.get, LIST) == of_one


def test_the_oldest_go_when_there_are_too_many(alice, monkeypatch):
    monkeypatch.setattr(SessionService, "MOST", 3)
    clients = [sign_in() for _ in range(5)]
    assert [is_in(client) for client in clients] == [False, False, True, True, True]
    assert UserSession.objects.count() == 3


def test_signing_in_costs_the_same_whoever_is_in_already(alice):
    first = queries(sign_in)
    assert [queries(sign_in) for _ in range(3)] == [first] * 3


def test_the_admin_does_not_know_where_people_are(signed_in):
    owner = signed_in(User.objects.create_superuser("owner", password=PASSWORD))
    assert owner.get("/admin/usersessions/usersession/").status_code == 404


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18) Version/18 Safari/604", "Safari on iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Chrome/140 Safari/5", "Chrome on macOS"),
        ("curl/8", "Some browser"),
        ("", "Some browser"),
        ("<b>Android", "Android"),
    ],
)
def test_a_browser_is_called_by_its_name(says, words):
    assert describe(says) == words


def test_those_that_are_over_go_with_who_signs_in_later(alice, bob, monkeypatch):
    monkeypatch.setattr(SessionService, "MOST_PRUNED", 2)
    old, kept = [sign_in("bob") for _ in range(3)], sign_in("bob")
    keys = [client.session.session_key for client in old]
    Session.objects.filter(pk__in=keys).update(expire_date=timezone.now())
    sign_in()
    assert Session.objects.filter(pk__in=keys).count() == 1
    sign_in()
    assert not Session.objects.filter(pk__in=keys).exists()
    assert not UserSession.objects.filter(session_key__in=keys).exists()
    assert is_in(kept)


def test_who_leaves_has_no_session_of_others_opened(alice, bob, monkeypatch):
    opened, get_decoded = [], Session.get_decoded

    def spy(session):
        opened.append(session.pk)
        return get_decoded(session)

    own, of_bob = sign_in(), sign_in("bob")
    key = own.session.session_key
    Session.objects.create(session_key="over", expire_date=timezone.now())  # and on no list
    monkeypatch.setattr(Session, "get_decoded", spy)
    alice.delete()
    assert opened == [key]
    assert not Session.objects.filter(pk__in=[key, "over"]).exists()
    assert is_in(of_bob)
