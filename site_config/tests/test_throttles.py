"""How often what may be tried, by whom; and that no answer tells who is here."""

import uuid
from dataclasses import dataclass
from itertools import chain
from itertools import count as numbers_from

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.urls import get_resolver

from messaging.tests.factories import fresh, write
from messaging.tests.test_races import at_once, expect
from messaging.throttles import DAY, HOUR, MINUTE, SEND, count
from site_config.accounts.mixins import ThrottledMixin

User = get_user_model()
PASSWORD = "correct horse battery"
HTMX = {"HX-Request": "true"}
pytestmark = pytest.mark.django_db


WRONG = "wrong"


def sign_in(login="alice", password=WRONG, address="192.0.2.1", client=None, **more):
    data = {"login": login, "password": password}
    return (client or Client()).post("/accounts/login/", data, REMOTE_ADDR=address, **more)


def statuses(number, *args, **kwargs):
    return [sign_in(*args, **kwargs).status_code for _ in range(number)]


# --- The table ---


@dataclass
class Row:
    """So often in so many seconds; `deed` makes what is done each time, by its number."""

    what: str
    number: int
    seconds: int
    deed: object


def failing(number, people):
    return sign_in(f"name{number}", address="192.0.2.9")


def failing_as_one(number, people):
    return sign_in("alice", address="192.0.2.9")


def signing_in(number, people):
    return sign_in("alice", PASSWORD)


def signing_up(number, people):
    name = f"newcomer{number}"
    data = {"username": name, "email": f"{name}@example.com", "password1": PASSWORD}
    return Client().post("/accounts/signup/", data)


def signing_up_wrongly(number, people):
    return Client().post("/accounts/signup/", {"username": "x"})


def posting(path, **data):
    def post(number, people):
        return people.alice.post(path, {name: fill(number) for name, fill in data.items()})

    return post


def resetting(number, people):
    return Client().post("/accounts/password/reset/", {"email": f"n{number}@example.com"})


def resetting_one(number, people):
    return Client().post("/accounts/password/reset/", {"email": "Alice@Example.com"})


def guessing_a_link(number, people):
    return Client().post("/accounts/password/reset/key/1-set-password/", {})


def adding_a_passkey(number, people):
    if number == 0:
        people.alice.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return people.alice.post("/accounts/2fa/passkeys/add/", {"credential": "{}"})


def sending(number, people):
    return people.alice.post("/messages/new/", letter("bob"))


def letter(to):
    return {"to": to, "content": "Hello", "client_token": str(uuid.uuid4())}


def naming_somebody(number, people):
    return people.alice.post("/messages/new/", letter(f"nobody{number}"))


def replying(number, people):
    path = f"/messages/{people.letter.pk}/reply/"
    return people.alice.post(path, {"content": "Yes", "client_token": str(uuid.uuid4())})


def writing_to_somebody_new(number, people):
    name = f"stranger{number}"
    User.objects.create(username=name)
    return people.alice.post("/messages/new/", letter(name))


def editing(number, people):
    message = fresh(people.letter)
    data = {"content": f"Text {number}", "revision": message.revision}
    return people.alice.post(f"/messages/{message.pk}/edit/", data)


def looking_somebody_up(number, people):
    return people.alice.get("/people/?q=bo")


def polling(number, people):
    return people.alice.get("/inbox/", headers=HTMX | {"HX-PTag": "x"})


def visiting(number, people):
    return Client().get("/accounts/login/")


def says(word):
    return lambda number: word


TABLE = [
    Row("log-in, failed, of one name at one address", 5, 5 * MINUTE, failing_as_one),
    Row("log-in, failed, at one address", 20, 5 * MINUTE, failing),
    Row("log-in, any", 30, MINUTE, signing_in),
    Row("sign-up", 5, HOUR, signing_up),
    Row("sign-up, tried", 20, MINUTE, signing_up_wrongly),
    Row("password change", 5, MINUTE, posting("/accounts/password/change/")),
    Row("delete account", 5, MINUTE, posting("/account/delete/", password=says("wrong"))),
    Row("re-authentication", 5, MINUTE, posting("/accounts/reauthenticate/")),
    Row("codes, to add an app", 5, 5 * MINUTE, posting("/accounts/2fa/app/add/")),
    Row("passkeys", 10, HOUR, adding_a_passkey),
    Row("change of name", 10, HOUR, posting("/account/", username="alicia{}x".format)),
    Row("e-mail changes", 10, HOUR, posting("/accounts/email/", email="n{}@example.com".format)),
    Row("password reset", 20, MINUTE, resetting),
    Row("password reset of one e-mail address", 5, HOUR, resetting_one),
    Row("links to reset a password", 20, MINUTE, guessing_a_link),
    Row("send", 20, MINUTE, sending),
    Row("send to nobody", 20, MINUTE, naming_somebody),
    Row("reply", 20, MINUTE, replying),
    Row("first-time receivers", 10, HOUR, writing_to_somebody_new),
    Row("edit", 30, MINUTE, editing),
    Row("recipient search", 30, MINUTE, looking_somebody_up),
    Row("poll", 240, MINUTE, polling),
    Row("anything anonymous", 120, MINUTE, visiting),
]


@pytest.fixture
def people(signed_in, alice, bob):
    class People:
        letter = write(alice, bob)

    People.alice, People.bob = signed_in(alice), signed_in(bob)
    return People


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.what)
def test_the_table_holds(row, people, clock):
    clock.now += MINUTE - clock.now % MINUTE
    numbers = numbers_from(0)
    allowed = [row.deed(next(numbers), people).status_code for _ in range(row.number)]
    assert 429 not in allowed
    refused = row.deed(next(numbers), people)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= row.seconds
    clock.now += row.seconds * 1.5  # what is counted in memory slides out of the minute before
    assert row.deed(next(numbers), people).status_code != 429


def test_five_hundred_messages_a_day(people, clock):
    for _ in range(500):
        clock.now += 4
        count({SEND: people.letter.sender_id})
    clock.now += HOUR
    refused = replying(500, people)
    assert refused.status_code == 429
    assert "in 23 hours" in refused.text
    clock.now += DAY
    assert replying(501, people).status_code == 302


def test_fifty_revisions_of_a_message(people, clock):
    for number in range(49):
        clock.now += 4
        assert editing(number, people).status_code == 302
    refused = editing(50, people)
    assert refused.status_code == 422
    assert "stays as it is" in refused.text
    assert fresh(people.letter).content == "Text 48"


def test_the_table_is_off_where_throttles_are(people, settings):
    settings.MESSAGING_THROTTLES = False
    for row in (row for row in TABLE if row.number <= 20):
        deeds = [row.deed(number, people).status_code for number in range(row.number + 2)]
        assert 429 not in deeds, row.what


# --- Logging in ---


@pytest.fixture
def hashes(monkeypatch):
    """Count how often the hasher runs."""
    encode, calls = MD5PasswordHasher.encode, []

    def counted(self, password, salt):
        calls.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return calls


def test_over_the_limit_a_right_password_is_refused_as_well(alice, hashes):
    assert statuses(5) == [422] * 5
    hashes.clear()
    assert sign_in(password=PASSWORD).status_code == 429
    assert hashes == []


def test_elsewhere_the_right_password_still_opens(alice):
    assert statuses(6)[-1] == 429
    assert sign_in(password=PASSWORD, address="198.51.100.7").status_code == 302


def test_a_success_is_no_failure(alice):
    assert statuses(4) == [422] * 4
    assert statuses(9, password=PASSWORD) == [302] * 9
    assert statuses(2) == [422, 429]


@pytest.mark.parametrize(
    "spellings",
    [
        ["alice", "ALICE", " Alice ", "a1ice", "AIice", "\uff41lice"],
        ["alice@example.com", "Alice@Example.COM", " ALICE@example.com", "alice@EXAMPLE.com"],
    ],
    ids=["name", "e-mail"],
)
def test_spelling_a_name_otherwise_gives_no_more_tries(alice, spellings):
    tries = [sign_in(spelling).status_code for spelling in spellings * 2]
    assert tries == [422] * 5 + [429] * (len(tries) - 5)


def test_a_name_that_is_tried_from_everywhere_is_slowed_and_not_locked(alice, clock):
    for number in range(50):
        assert sign_in(address=f"198.51.100.{number}").status_code == 422
        clock.now += 10
    assert statuses(2, address="203.0.113.5") == [422, 429]
    refused = sign_in(password=PASSWORD, address="203.0.113.5")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) <= MINUTE
    assert sign_in(password=PASSWORD, address="203.0.113.6").status_code == 302
    clock.now += MINUTE
    assert sign_in(password=PASSWORD, address="203.0.113.5").status_code == 302
    clock.now += HOUR
    assert statuses(5, address="203.0.113.5") == [422] * 5


def test_the_page_for_who_tried_too_often_is_one_for_all(alice, bob):
    User.objects.filter(pk=bob.pk).update(is_active=False)
    answers = []
    for number, name in enumerate(["alice", "bob", "nobody", "alice@example.com", "x@example.com"]):
        statuses(5, name, address=f"192.0.2.{number}")
        address = f"192.0.2.{number}"
        answers += [sign_in(name, WRONG, address), sign_in(name, PASSWORD, address)]
    assert {answer.status_code for answer in answers} == {429}
    assert len({answer.content for answer in answers}) == 1


def test_who_is_here_cannot_be_told_from_the_work(alice, bob, hashes, django_assert_num_queries):
    User.objects.filter(pk=bob.pk).update(is_active=False)
    work = {}
    for number, name in enumerate(["alice", "bob", "nobody"]):
        for login in (name, f"{name}@example.com"):
            hashes.clear()
            answer = sign_in(login, address=f"192.0.2.{number}")
            assert answer.status_code == 422
            work[login] = len(hashes), answer.context["form"].errors
    assert {done for done, _ in work.values()} == {1}
    assert work["alice"] == work["bob"] == work["nobody"]
    assert work["alice@example.com"] == work["bob@example.com"] == work["nobody@example.com"]


def test_a_secondary_address_of_somebody_else_makes_no_second_hash(alice, bob, hashes):
    from allauth.account.models import EmailAddress

    for person in (alice, bob):
        EmailAddress.objects.create(user=person, email="alice@example.com")
    hashes.clear()
    assert sign_in("alice@example.com").status_code == 422
    assert len(hashes) == 1
    assert sign_in("alice@example.com", PASSWORD).status_code == 302


def test_a_reset_says_the_same_to_every_address(alice, bob, mailoutbox):
    User.objects.filter(pk=bob.pk).update(is_active=False)
    answers = []
    for name in ("alice", "bob", "nobody"):
        data = {"email": f"{name}@example.com"}
        answers.append(Client().post("/accounts/password/reset/", data, follow=True))
    assert {(answer.status_code, answer.content) for answer in answers} == {
        (200, answers[0].content)
    }
    assert [mail.to for mail in mailoutbox] == [["alice@example.com"]]


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_at_once_five_reach_the_hasher(alice, hashes):
    hashes.clear()
    answers = [expect(result) for result in at_once(*[lambda: statuses(10)] * 10)]
    assert sorted(chain(*answers)) == [422] * 5 + [429] * 95
    assert len(hashes) == 5


def test_a_log_in_costs_two_queries_more(alice, django_assert_max_num_queries, settings):
    costs = {}
    for is_on in (False, True):
        settings.MESSAGING_THROTTLES = is_on
        with django_assert_max_num_queries(99) as captured:
            assert sign_in().status_code == 422
        # A savepoint is one only inside the transaction that each test is.
        costs[is_on] = sum("SAVEPOINT" not in query["sql"] for query in captured)
    assert costs[True] - costs[False] <= 2


def test_the_admin_has_no_door_of_its_own(alice):
    data = {"username": "alice", "password": "wrong"}
    answer = Client().post("/admin/login/", data)
    assert (answer.status_code, answer["Location"]) == (
        302,
        "/accounts/login/?next=%2Fadmin%2Flogin%2F",
    )


# --- Where from ---


@pytest.mark.parametrize(
    ("proxies", "forwarded", "is_one"),
    [
        (0, ["10.0.0.{}", "10.0.0.{}, 192.0.2.1"], True),  # forged: nobody stands in front
        (1, ["{}.0.0.1, 192.0.2.1", "{}.0.0.1,10.0.0.1, 192.0.2.1"], True),  # only the last is ours
        (1, ["192.0.2.{}"], False),
        (2, ["{}.0.0.1, 192.0.2.1, 10.0.0.1"], True),
        (1, ["2001:db8:0:1::{}", "2001:db8:0:1:{}::1"], True),  # a /64 is one person's
        (1, ["2001:db8:0:{}::1", "2001:db8:{}::1"], False),
        (1, ["::ffff:192.0.2.{}"], False),  # each is an IPv4 address
    ],
)
def test_an_address_is_the_one_that_was_seen(alice, settings, proxies, forwarded, is_one):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    said = [form.format(number) for number in range(1, 7) for form in forwarded]
    tries = [
        sign_in(address="10.9.9.9", headers={"X-Forwarded-For": value}).status_code
        for value in said
    ]
    assert (429 in tries) == is_one
    assert tries[:5] == [422] * 5


@pytest.mark.parametrize("proxies", [0, 1])
@pytest.mark.parametrize("said", ["", "x", ", ,", "1.2.3.4:80", "[::1]:80", "9" * 4000, "\xff"])
def test_an_address_that_is_none_is_no_reason_to_fail(alice, settings, proxies, said):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    answer = sign_in(address="10.9.9.9", headers={"X-Forwarded-For": said})
    assert answer.status_code in (403, 422)


# --- E-mails ---


def test_who_has_to_confirm_gets_one_mail_in_three_minutes(alice, mailoutbox, settings, clock):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    for _ in range(3):
        assert sign_in(password=PASSWORD).status_code == 302
    assert len(mailoutbox) == 1
    clock.now += 3 * MINUTE
    sign_in(password=PASSWORD)
    assert len(mailoutbox) == 2


# --- Health ---


def test_machines_ask_for_health_as_often_as_they_like():
    assert {Client().get("/healthz").status_code for _ in range(130)} == {200}
    assert {Client().get("/readyz").status_code for _ in range(130)} == {200}


# --- No page is forgotten ---

FREE = {  # of limits of their own: nothing can be guessed, made or sent there
    "account_login",  # counted by the adapter, which is asked for a password elsewhere too
    "account_logout",
    "account-sign-out-everywhere",
    "account-session-end",
    "mfa_deactivate_totp",  # these three ask for the password first
    "mfa_generate_recovery_codes",
    "mfa_remove_webauthn",
    "account-preferences",  # a few values, in a row of their own
    "account_confirm_email",
    "account_set_password",  # of who has none yet
    "account_email_verification_sent",
    "account_confirm_login_code",  # nobody signs in by code
}


def doors(resolver, prefix=""):
    """Yield the name and the class of each page below /account/ and /accounts/."""
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            yield from doors(entry, path)
        elif path.startswith("account"):
            yield entry.name, getattr(entry.callback, "view_class", None)


def takes_a_form(view):
    return view is None or (hasattr(view, "post") and "post" in view.http_method_names)


def test_each_page_with_a_form_counts():
    """Those of allauth too: what comes with the next part of it has to be thought of."""
    found = {}
    for name, view in doors(get_resolver()):
        found.setdefault(name, view)  # ours come first, so they are the ones that answer
    assert {
        name
        for name, view in found.items()
        if takes_a_form(view) and not (view and issubclass(view, ThrottledMixin))
    } == FREE
