"""The second factor: an app, a recovery code; what is stored of them; and no way around.

Passkeys take a browser: see e2e/test_second_factor.py.
"""

import json
import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.test import Client

from messaging.tests.dump import changes, dump
from messaging.tests.test_races import at_once, expect
from messaging.throttles import HOUR, MINUTE, count
from site_config.accounts.throttles import SECOND_FACTOR

User = get_user_model()
PASSWORD = "correct horse battery"
NEW_PASSWORD = "wrong staple elsewhere"
CODE_PAGE = "/accounts/2fa/authenticate/"
pytestmark = pytest.mark.django_db


def code(secret, later=0):
    """Return what the app shows now, or so many half minutes later."""
    step = int(time.time()) // 30 + later
    return totp.format_hotp_value(totp.hotp_value(secret, step))


@pytest.fixture
def secret(alice):
    """Give alice an app with this secret, and recovery codes."""
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(alice, secret)
    RecoveryCodes.activate(alice)
    return secret


def recovery_codes(person):
    return Authenticator.objects.get(user=person, type="recovery_codes").wrap().get_unused_codes()


def half_in(login="alice", password=PASSWORD):
    """Return a client of somebody who has shown the password."""
    client = Client()
    client.post("/accounts/login/", {"login": login, "password": password})
    return client


def show(client, code):
    return client.post(CODE_PAGE, {"code": code})


def is_in(client):
    return client.get("/inbox/").status_code == 200


def reauthenticated(client, path):
    """Give the password that a page asks for first."""
    answer = client.get(path)
    assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
    client.post(answer["Location"], {"password": PASSWORD, "next": path})
    return client


# --- Signing in ---


@pytest.mark.parametrize(
    ("path", "data"),
    [
        (
            "/accounts/password/change/",
            {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD},
        ),
        ("/account/sign-out-everywhere/", {}),
    ],
)
def test_who_is_half_in_is_shut_out_with_all_others(alice, secret, signed_in, path, data):
    client, owner = half_in(), signed_in(alice)
    assert owner.post(path, data).status_code == 302
    response = show(client, code(secret))
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/")
    assert not is_in(client)
    assert client.get(CODE_PAGE)["Location"] == "/accounts/login/"
    assert is_in(owner)


def test_a_password_alone_is_not_enough(alice, secret):
    client = half_in()
    assert not is_in(client)
    assert client.get(CODE_PAGE).status_code == 200
    answer = show(client, code(secret))
    assert (answer.status_code, answer["Location"]) == (302, "/inbox/")
    assert is_in(client)


def test_a_wrong_code_is_refused(alice, secret):
    client = half_in()
    for wrong in ("", "000000", "x" * 300, "٣" * 6, "\0"):
        assert show(client, wrong).status_code == 422
    assert not is_in(client)


@pytest.mark.parametrize(
    "credential", ["{", "[]", '"x"', "7", "{}", '{"id": [], "rawId": 7}', '{"response": []}']
)
@pytest.mark.parametrize("path", ["/accounts/passkey/", CODE_PAGE, "/accounts/2fa/passkeys/add/"])
def test_what_is_no_passkey_is_refused(signed_in, alice, secret, path, credential):
    client = half_in()
    if path.endswith("add/"):
        client = reauthenticated(signed_in(alice), path)
    client.post(path)  # for a challenge
    answer = client.post(path, {"credential": credential})
    assert answer.status_code in (302, 422)
    assert Authenticator.objects.filter(type="webauthn").count() == 0
    assert path.endswith("add/") or not is_in(client)


def test_a_code_is_good_once(alice, secret):
    now = code(secret)
    assert show(half_in(), now).status_code == 302
    again = half_in()
    assert show(again, now).status_code == 422
    assert show(again, code(secret, later=-1)).status_code == 422  # nor is an older one
    assert show(again, code(secret, later=1)).status_code == 302


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["app", "recovery code"])
def test_of_two_at_once_with_one_code_one_is_in(alice, secret, kind, monkeypatch):
    # allauth's own memory of used codes is of one process: as good as none.
    monkeypatch.setattr(totp.cache, "add", lambda *args, **kwargs: True)
    one = code(secret) if kind == "app" else recovery_codes(alice)[0]
    clients = [half_in() for _ in range(4)]
    answers = [expect(result) for result in at_once(*[lambda c=c: show(c, one) for c in clients])]
    assert sorted(answer.status_code for answer in answers) == [302, 422, 422, 422]
    assert [is_in(client) for client in clients].count(True) == 1


def test_a_recovery_code_is_good_once(alice, secret):
    first, *others = recovery_codes(alice)
    assert show(half_in(), first).status_code == 302
    assert recovery_codes(alice) == others
    assert show(half_in(), first).status_code == 422


def test_no_other_page_leads_past_the_code(alice, secret):
    client = half_in()
    for path in ("/inbox/", "/account/", "/accounts/2fa/", "/accounts/2fa/recovery-codes/"):
        assert client.get(path)["Location"].startswith("/accounts/login/")
    assert client.post("/account/sign-out-everywhere/")["Location"].startswith("/accounts/login/")


def test_who_is_half_in_may_begin_anew(alice, secret):
    client = half_in()
    assert client.get("/accounts/login/").status_code == 200
    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    assert show(client, code(secret)).status_code == 302


def test_a_code_without_the_password_is_nothing(alice, secret):
    assert show(Client(), code(secret))["Location"] == "/accounts/login/"


def test_somebody_elses_code_is_wrong(alice, bob, secret):
    totp.TOTP.activate(bob, totp.generate_totp_secret())
    client = half_in("bob")
    assert show(client, code(secret)).status_code == 422


def test_a_reset_of_the_password_does_not_skip_the_code(client, alice, secret, mailoutbox):
    client.post("/accounts/password/reset/", {"email": "alice@example.com"})
    link = re.search(r"http://testserver(/\S+)", mailoutbox[0].body)[1]
    form = client.get(link, follow=True).context["action_url"]
    client.post(form, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert not is_in(client)
    client = half_in(password=NEW_PASSWORD)
    assert not is_in(client)
    assert show(client, code(secret)).status_code == 302


def test_who_is_switched_off_in_between_stays_out(alice, secret):
    client = half_in()
    User.objects.filter(pk=alice.pk).update(is_active=False)
    show(client, code(secret))
    assert not is_in(client)


def test_the_admin_asks_for_the_code_too(alice, secret):
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    client = half_in()
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    show(client, code(secret))
    assert client.get("/admin/").status_code == 200


# --- How often ---


def test_five_codes_in_five_minutes(alice, bob, secret, clock):
    clients = half_in(), half_in()
    statuses = [show(clients[number % 2], "000000").status_code for number in range(5)]
    assert statuses == [422] * 5
    refused = [show(clients[0], code(secret)), show(clients[1], "000000")]
    assert [answer.status_code for answer in refused] == [429, 429]
    assert refused[0].content == refused[1].content
    assert 0 < int(refused[0]["Retry-After"]) <= 5 * MINUTE
    clock.now += 5 * MINUTE
    assert show(clients[0], code(secret)).status_code == 302


def test_a_hundred_codes_a_day(alice, secret, clock):
    for _ in range(100):
        clock.now += 2 * MINUTE
        count({SECOND_FACTOR: alice.pk})
    clock.now += HOUR
    refused = show(half_in(), code(secret))
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > HOUR


def test_what_was_right_does_not_count(alice, secret):
    for one in recovery_codes(alice)[:7]:
        assert show(half_in(), one).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_forty_codes_at_once_five_are_looked_at(alice, secret, monkeypatch):
    looked, validate = [], totp.TOTP.validate_code

    def counted(self, code):
        looked.append(code)
        return validate(self, code)

    monkeypatch.setattr(totp.TOTP, "validate_code", counted)
    clients = [half_in() for _ in range(4)]
    answers = at_once(*[lambda c=c: [show(c, "000000") for _ in range(10)] for c in clients])
    statuses = [answer.status_code for answers in map(expect, answers) for answer in answers]
    assert sorted(statuses) == [422] * 5 + [429] * 35
    assert len(looked) == 5


def test_a_challenge_is_no_try(alice, secret):
    client = half_in()
    assert {client.post(CODE_PAGE).status_code for _ in range(9)} == {200}
    assert show(client, code(secret)).status_code == 302


def test_whether_somebody_has_one_cannot_be_told_from_the_work(alice, bob, secret, monkeypatch):
    encode, work = MD5PasswordHasher.encode, []

    def counted(self, password, salt):
        work.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    answers = [
        Client().post("/accounts/login/", {"login": login, "password": "wrong"})
        for login in ("alice", "bob", "nobody", "alice@example.com", "nobody@example.com")
    ]
    assert len(work) == len(answers)
    assert {answer.status_code for answer in answers} == {422}


# --- Having one ---


def test_an_app_is_added_by_its_first_code(signed_in, alice):
    path = "/accounts/2fa/app/add/"
    client = reauthenticated(signed_in(alice), path)
    before = dump()
    page = client.get(path)
    assert changes(before, dump()) == {}
    secret = page.context["form"].secret
    sealed = re.search(r'name="secret" value="([^"]+)"', page.text)[1]
    wrong = client.post(path, {"secret": sealed, "code": "000000"})
    assert (wrong.status_code, wrong.context["form"].secret) == (422, secret)
    first = code(secret)
    answer = client.post(path, {"secret": sealed, "code": first})
    assert answer["Location"] == "/accounts/2fa/recovery-codes/"
    shown = client.get(answer["Location"]).text
    assert len(recovery_codes(alice)) == 10
    assert all(one in shown for one in recovery_codes(alice))
    again = half_in()
    assert show(again, first).status_code == 422  # the code that added it is used
    assert show(again, code(secret, later=1)).status_code == 302


def test_the_secret_of_a_page_is_its_persons_alone(signed_in, alice, bob):
    path = "/accounts/2fa/app/add/"
    page = reauthenticated(signed_in(alice), path).get(path)
    secret, sealed = (getattr(page.context["form"], name) for name in ("secret", "sealed_secret"))
    assert secret not in sealed
    client = reauthenticated(signed_in(bob), path)
    for stolen in (sealed, "", secret):
        answer = client.post(path, {"secret": stolen, "code": code(secret)})
        assert answer.status_code == 422
    assert not Authenticator.objects.exists()


def test_an_app_is_removed_and_with_the_last_one_its_codes(signed_in, alice, secret):
    path = "/accounts/2fa/app/remove/"
    client = reauthenticated(signed_in(alice), path)
    assert client.post(path)["Location"] == "/accounts/2fa/"
    assert not Authenticator.objects.exists()
    assert is_in(half_in())


def test_new_recovery_codes_are_worth_more_than_old_ones(signed_in, alice, secret):
    old, path = recovery_codes(alice), "/accounts/2fa/recovery-codes/new/"
    reauthenticated(signed_in(alice), path).post(path)
    assert not set(old) & set(recovery_codes(alice))
    assert show(half_in(), old[0]).status_code == 422
    assert show(half_in(), recovery_codes(alice)[0]).status_code == 302


def test_looking_at_any_of_its_pages_writes_nothing(signed_in, alice, secret):
    client = reauthenticated(signed_in(alice), "/accounts/2fa/recovery-codes/")
    waiting, before = half_in(), dump()
    for page in ("", "app/add/", "app/remove/", "passkeys/add/", "recovery-codes/"):
        assert client.get(f"/accounts/2fa/{page}").status_code in (200, 302)
    assert client.get("/accounts/2fa/recovery-codes/new/").status_code == 200
    assert waiting.get(CODE_PAGE).status_code == 200
    assert changes(before, dump()) == {}


# --- At rest ---


def test_no_column_holds_a_secret(alice, secret):
    seed_codes = recovery_codes(alice)
    rows = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in rows
    assert not any(one in rows for one in seed_codes)
    assert totp.decrypt(Authenticator.objects.get(type="totp").data["secret"]) == secret


def test_a_secret_outlives_a_new_key_as_long_as_the_old_one_is_known(alice, secret, settings):
    codes = recovery_codes(alice)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"
    client = half_in()
    assert recovery_codes(alice) == codes
    assert show(client, code(secret)).status_code == 302
    settings.SECRET_KEY_FALLBACKS = []
    assert show(half_in(), code(secret, later=1)).status_code == 422


def test_without_its_key_the_page_of_codes_says_that_none_is_left(
    signed_in, alice, secret, settings
):
    path = "/accounts/2fa/recovery-codes/"
    client = reauthenticated(signed_in(alice), path)
    Authenticator.objects.filter(type="recovery_codes").update(data={"seed": "x", "used_mask": 0})
    assert "None is left" in client.get(path).text


def test_it_goes_with_the_account_and_so_does_who_was_half_in(alice, secret):
    half_in()
    alice.delete()
    assert not Authenticator.objects.exists()
    assert not any("alice" in repr(row.get_decoded()) for row in Session.objects.all())


def test_the_admin_takes_it_away_and_shows_nothing(signed_in, alice, secret):
    owner = signed_in(User.objects.create_superuser("owner", password=PASSWORD))
    row = Authenticator.objects.get(type="totp")
    path = f"/admin/mfa/authenticator/{row.pk}"
    assert "secret" not in owner.get(f"{path}/change/").text
    for lookup in ("data__icontains", "data__secret__startswith"):
        listed = owner.get(f"/admin/mfa/authenticator/?{lookup}=g")
        assert listed.status_code in (302, 400)
    assert owner.post(f"{path}/delete/", {"post": "yes"}).status_code == 302
    assert not Authenticator.objects.filter(pk=row.pk).exists()
    assert LogEntry.objects.get(object_id=str(row.pk)).object_repr == ""


def test_a_poll_asks_nothing_about_it(alice, secret, django_assert_max_num_queries):
    client = half_in()
    show(client, code(secret))
    page = client.get("/inbox/")
    with django_assert_max_num_queries(2):
        answer = client.get("/inbox/", headers={"HX-Request": "true", "HX-PTag": page["HX-PTag"]})
    assert answer.status_code in (200, 304)
