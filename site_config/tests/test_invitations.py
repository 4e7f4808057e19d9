"""Who may sign up: anyone, who was invited, or nobody."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from messaging.tests.dump import dump
from messaging.tests.test_races import at_once, expect
from site_config.accounts.models import Invitation
from site_config.accounts.services import InvitationService

User = get_user_model()
PASSWORD = "correct horse battery"
SIGN_UP = "/accounts/signup/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def by_invitation(settings):
    settings.ACCOUNT_SIGNUP = "invitation"


@pytest.fixture
def closed(settings):
    settings.ACCOUNT_SIGNUP = "closed"


def link(**how):
    return InvitationService.path(InvitationService.invite(**how)[1])


def sign_up(link, name="carol", client=None, **changes):
    """Open a link, and send the form that is behind it."""
    client = client or Client()
    page = client.get(link).text
    hidden = dict(re.findall(r'type="hidden" name="(invitation)" value="([^"]*)"', page))
    data = {"username": name, "email": f"{name}@example.com", "password1": PASSWORD}
    return client.post(SIGN_UP, data | hidden | changes)


def shows_a_form(answer):
    return 'name="username"' in answer.text


def test_an_open_site_shows_the_way_in(client):
    assert client.get("/").text.count(f'href="{SIGN_UP}"') == 2
    assert SIGN_UP in client.get("/accounts/login/").text
    assert sign_up(SIGN_UP).status_code == 302


@pytest.mark.parametrize("how", ["by_invitation", "closed"])
def test_otherwise_no_page_leads_to_a_closed_door(client, request, how):
    request.getfixturevalue(how)
    for path in ("/", "/accounts/login/", "/accounts/password/reset/"):
        assert SIGN_UP not in client.get(path).text


def test_nobody_signs_up_where_it_is_closed(client, closed):
    answer = client.get(link())
    assert not shows_a_form(answer)
    assert "Sign-up is closed" in answer.text
    assert sign_up(link()).status_code == 200
    assert not User.objects.exists()


def test_a_link_lets_one_person_in(client, by_invitation):
    one = link()
    answer = sign_up(one)
    assert (answer.status_code, answer["Location"]) == (302, "/inbox/")
    assert User.objects.get().username == "carol"
    sign_up(one, "dave")
    assert User.objects.count() == 1


def test_a_wrong_form_does_not_use_the_link_up(by_invitation):
    one = link()
    assert sign_up(one, email="no address").status_code == 422
    assert sign_up(one).status_code == 302


def test_used_taken_back_too_old_and_never_made_look_the_same(client, by_invitation):
    used, revoked, expired, good = link(), link(), link(), link()
    sign_up(used)
    for address in (revoked, expired):
        row = Invitation.objects.find(address.partition("=")[2])
        if address is revoked:
            row.delete()
        else:
            Invitation.objects.filter(pk=row.pk).update(expires_at=timezone.now())
    never, empty = f"{SIGN_UP}?invitation=x", SIGN_UP
    links = [used, revoked, expired, never, empty, f"{SIGN_UP}?invitation=%00"]
    answers = [client.get(one) for one in links]
    answers += [sign_up(one, "dave") for one in links]
    pages = {re.sub(r"\w{64}", "", answer.text) for answer in answers}
    assert len(pages) == 1
    assert "by invitation" in pages.pop()
    assert User.objects.count() == 1
    assert shows_a_form(client.get(good))


def test_the_secret_is_stored_nowhere(by_invitation):
    _, token = InvitationService.invite()
    assert len(token) >= 43  # 256 bits
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_invitation")
        assert token not in repr(cursor.fetchall())


def test_an_invitation_for_an_address_is_for_that_address(client, by_invitation):
    one = link(email="Carol@example.com")
    assert 'value="Carol@example.com"' in client.get(one).text
    refused = sign_up(one, email="dave@example.com")
    assert refused.status_code == 422
    assert refused.context["form"].errors["email"]
    assert sign_up(one).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_with_one_link_one_is_in(by_invitation):
    one = link()
    answers = at_once(*[lambda n=n: sign_up(one, n) for n in ("carol", "dave", "erin")])
    statuses = [expect(answer).status_code for answer in answers]
    assert sorted(statuses) == [200, 200, 302]
    assert User.objects.count() == 1
    assert not Invitation.objects.exists()


def test_guessing_is_counted_and_a_closed_door_is_no_sign_up(client, by_invitation):
    statuses = [client.post(SIGN_UP, {"invitation": "x"}).status_code for _ in range(21)]
    assert statuses == [200] * 20 + [429]


def test_old_ones_are_swept_when_a_new_one_is_made():
    InvitationService.invite(email="gone@example.com", days=0)
    InvitationService.invite()
    assert Invitation.objects.count() == 1


def test_the_command_prints_a_link_that_works(by_invitation, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://parley.example"]
    out = StringIO()
    call_command("invite", email="carol@example.com", days=2, stdout=out)
    site, path = out.getvalue().strip().split("/accounts", 1)
    assert site == "https://parley.example"
    assert Invitation.objects.get().expires_at < timezone.now() + timedelta(days=2, minutes=1)
    assert sign_up(f"/accounts{path}").status_code == 302


def test_an_owner_invites_in_the_admin_and_takes_it_back(signed_in, by_invitation):
    owner = signed_in(User.objects.create_superuser("owner", password=PASSWORD))
    answer = owner.post("/admin/accounts/invitation/add/", {"email": "", "days": "3"}, follow=True)
    path = re.search(r"http://testserver(/accounts/signup/\?invitation=[\w-]+)", answer.text)[1]
    invitation = Invitation.objects.get()
    assert invitation.created_by.username == "owner"
    assert shows_a_form(Client().get(path))
    assert owner.get(f"/admin/accounts/invitation/{invitation.pk}/change/").status_code == 200
    owner.post(f"/admin/accounts/invitation/{invitation.pk}/delete/", {"post": "yes"})
    assert not shows_a_form(Client().get(path))


def test_no_address_outlives_the_account(signed_in, by_invitation):
    owner = signed_in(User.objects.create_superuser("owner", password=PASSWORD))
    for _ in range(2):
        data = {"email": "carol@example.com", "days": "3"}
        answer = owner.post("/admin/accounts/invitation/add/", data, follow=True)
    path = re.search(r"(/accounts/signup/\?invitation=[\w-]+)", answer.text)[1]
    sign_up(path)
    User.objects.get(username="carol").delete()
    assert "carol" not in repr(dump()).casefold()


def test_who_has_to_confirm_an_address_is_in_after_that(client, settings, mailoutbox):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    assert sign_up(SIGN_UP, client=client)["Location"] == "/accounts/confirm-email/"
    assert client.get("/inbox/").status_code == 302
    [mail] = mailoutbox
    assert mail.to == ["carol@example.com"]
    data = {"login": "carol", "password": PASSWORD}
    assert client.post("/accounts/login/", data)["Location"] == "/accounts/confirm-email/"
    path = re.search(r"http://testserver(/\S+)", mail.body)[1]
    client.get(path)
    assert client.get("/inbox/").status_code == 302  # to look at the link confirms nothing
    client.post(path)
    client.post("/accounts/login/", data)
    assert client.get("/inbox/").status_code == 200
