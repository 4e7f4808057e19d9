"""Who gets what answer: every named address, for everybody, by every verb."""

import uuid
from itertools import product

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from .dump import changes, dump
from .pages import poll_path
from .world import ACTORS, HTMX, PASSWORD, SIGNED_OUT, STRANGERS, every_route

pytestmark = pytest.mark.django_db

VERBS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")

# Signed out, each of these answers L: the log-in page, or 401 to htmx. Signed in, what strangers,
# the sender of the message and its receiver get; "302/200" is plain / to htmx; one answer is for
# all. A verb that isn't there is a 405. HEAD is as GET.
PRIVATE = {
    "inbox/": {"GET": "200"},
    "messages/new/": {"GET": "200", "POST": "302/200"},
    "messages/<int:pk>/": {"GET": "404 200 200"},
    "messages/<int:pk>/replies/": {"GET": "404 200 200"},
    "messages/<int:pk>/reply/": {"GET": "404 200 200", "POST": "404 302/200 302/200"},
    "messages/<int:pk>/edit/": {"GET": "404 200 403", "POST": "404 302/200 403"},
    "messages/<int:pk>/history/": {"GET": "404 200 200"},
    "messages/<int:pk>/delete/": {"GET": "404 200 403", "POST": "404 302/200 403"},
    "messages/<int:pk>/message/": {"GET": "404 302/200 302/200"},
    "messages/<int:pk>/access/": {"GET": "404 200 200", "POST": "404 302/200 302/200"},
    "messages/<int:pk>/read/": {"POST": "404 302/200 302/200"},
    "messages/<int:pk>/view/": {"POST": "404 302/200 302/200"},
    "conversation/": {"GET": "200"},
    "conversation/<str:username>/": {"GET": "404 200 200"},
    "notifications/": {"GET": "200"},
    "notifications/read/": {"POST": "302/200"},
    "notifications/<int:pk>/read/": {"POST": "404 404 302/200"},
    "people/": {"GET": "200"},
    "people/blocked/": {"GET": "200"},
    "people/<str:username>/block/": {"GET": "200", "POST": "302/200"},
    "account/": {"GET": "200", "POST": "302"},
    "account/preferences/": {"GET": "200", "POST": "302"},
    "account/delete/": {"GET": "200", "POST": "302"},
    "account/export/": {"GET": "200"},
    "account/sign-out-everywhere/": {"POST": "302"},
    "account/sessions/": {"GET": "200"},
    "account/sessions/<int:pk>/end/": {"POST": "404"},  # nobody has signed in by the door here
    "accounts/email/": {"GET": "200", "POST": "302"},
    "accounts/password/change/": {"GET": "200", "POST": "422"},
    "accounts/password/set/": {"GET": "302", "POST": "302"},  # to change: all have one
    "accounts/reauthenticate/": {"GET": "200", "POST": "422"},
    # Of the second factor, which nobody has here: 302 leads to the question for the password.
    "accounts/2fa/": {"GET": "200"},
    "accounts/2fa/app/add/": {"GET": "302", "POST": "302"},
    "accounts/2fa/app/remove/": {"GET": "404", "POST": "404"},
    "accounts/2fa/passkeys/add/": {"GET": "302", "POST": "302"},
    "accounts/2fa/passkeys/<int:pk>/remove/": {"GET": "404", "POST": "404"},
    "accounts/2fa/recovery-codes/": {"GET": "404"},
    "accounts/2fa/recovery-codes/new/": {"GET": "302", "POST": "302"},
}

# What is open to all: the answer signed out, and signed in.
PUBLIC = {
    "": {"GET": "200 302"},
    "healthz": {"GET": "200 200"},
    "readyz": {"GET": "200 200"},
    "metrics": {"GET": "404 404"},  # without its token
    "manifest.webmanifest": {"GET": "200 200"},
    "worker.js": {"GET": "200 200"},
    "offline/": {"GET": "200 200"},
    "accounts/login/": {"GET": "200 302", "POST": "422 302"},
    "accounts/signup/": {"GET": "200 302", "POST": "422 302"},
    "accounts/logout/": {"GET": "302 200", "POST": "302 302"},
    "accounts/passkey/": {"POST": "200 302"},  # a challenge
    "accounts/2fa/authenticate/": {"GET": "302 302", "POST": "302 302"},  # nobody is half in
    "accounts/password/reset/": {"GET": "200 200", "POST": "422 422"},
    "accounts/password/reset/done/": {"GET": "200 200", "OPTIONS": "200 200"},
    r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": {
        "GET": "200 200",
        "POST": "200 200",
    },
    "accounts/password/reset/key/done/": {"GET": "200 200", "OPTIONS": "200 200"},
    "accounts/confirm-email/": {"GET": "200 200", "OPTIONS": "200 200"},
    r"accounts/^confirm-email/(?P<key>[-:\w]+)/$": {"GET": "200 200", "POST": "404 404"},
    "accounts/inactive/": {"GET": "200 200", "OPTIONS": "200 200"},
    "accounts/login/code/confirm/": dict.fromkeys(VERBS, "302 302"),  # nobody waits for a code
}

# Everyone but staff is led from the admin to its log-in page; staff without rights see only this.
FOR_ALL_STAFF = {
    "admin/",
    "admin/jsi18n/",
    "admin/logout/",
    "admin/messaging/mailbox/cache/",
    "admin/password_change/",
    "admin/password_change/done/",
}
NOT_OF_THE_TABLE = {"admin/login/"}  # open to all; see below

EXCEPTIONS = {("account/delete/", "superuser", "POST"): "422"}  # nobody else could run the site


@pytest.fixture
def world(committed_world, db, caplog):
    caplog.set_level("CRITICAL", "django.request")
    return committed_world


def ask(world, route, actor, verb, headers, pk=None):
    """Return the answer, and leave everything as it was."""
    path, send = world.path(route, actor, pk), getattr(world.client(actor), verb.lower())
    if verb != "POST":
        return send(path, headers=headers)
    with transaction.atomic():
        response = send(path, fields(route, actor, world), headers=headers)
        transaction.set_rollback(True)
    cache.clear()
    return response


def fields(route, actor, world):
    token = {"client_token": str(uuid.uuid4())}
    match route:
        case "messages/new/":
            return {"to": "alice" if actor != "sender" else "bob", "content": "Hello"} | token
        case "messages/<int:pk>/reply/":
            return {"content": "Well"} | token
        case "messages/<int:pk>/edit/":
            return {"content": "Better", "revision": world.message.revision}
        case "messages/<int:pk>/read/":
            return {"state": "read"}
        case "people/<str:username>/block/":
            return {"state": "blocked"}
        case "messages/<int:pk>/view/":
            return {"view": "flat"}
        case "account/" if person := world.people.get(actor):
            return {"username": person.username}
        case "account/preferences/":
            return {"theme": "dark"}
        case "account/delete/":
            return {"password": PASSWORD}
    return {}


def expected(route, actor, verb, htmx):
    """Return the status that the tables above say; "L" for the way to the log-in page."""
    if answer := EXCEPTIONS.get((route, actor, verb)):
        return answer
    verb = "GET" if verb == "HEAD" else verb
    if route in PUBLIC:
        answers = PUBLIC[route].get(verb, "405 405").split()
        return answers[actor not in SIGNED_OUT]
    if actor in SIGNED_OUT:
        return "L"
    answers = PRIVATE[route].get(verb, "405").split()
    column = {"sender": 1, "receiver": 2}.get(actor, 0)
    return answers[column % len(answers)].split("/")[htmx and -1]


def of_admin(route):
    return route.startswith("admin/")


OWN_ROUTES = [route for route in every_route() if not of_admin(route)]
ADMIN_ROUTES = [route for route in every_route() if of_admin(route)]


def test_every_address_has_its_row():
    assert {*PRIVATE, *PUBLIC} == set(OWN_ROUTES)
    assert {*FOR_ALL_STAFF, *NOT_OF_THE_TABLE} <= set(ADMIN_ROUTES)


@pytest.mark.parametrize("route", OWN_ROUTES)
def test_everyone_gets_the_answer_of_the_table(world, route):
    for actor, verb, headers in cases(route):
        case = f"{actor} {verb} {'htmx' if headers else 'plain'}"
        response = ask(world, route, actor, verb, headers)
        answer = expected(route, actor, verb, bool(headers))
        check(response, answer, case, headers)


def cases(route):
    """Return whom to try an address as, by which verb, and how."""
    if not route.startswith("accounts/"):
        return product(ACTORS, VERBS, ({}, HTMX))
    # allauth asks who is signed in, and nothing of messages.
    actors = ("anonymous", "deactivated", "stranger", "superuser")
    return [*product(actors, VERBS, [{}]), *product(actors, ("GET", "POST"), [HTMX])]


def check(response, answer, case, headers):
    if answer == "L":
        check_led_to_log_in(response, case, headers)
    else:
        assert str(response.status_code) == answer, case
    if response.status_code == 405:
        assert response["Allow"], case
        assert response.request["REQUEST_METHOD"] not in response["Allow"].split(", "), case
    assert {"no-store", "private"} <= set(response["Cache-Control"].split(", ")), case
    assert {"Cookie", "HX-Request"} <= set(response["Vary"].split(", ")), case


def check_led_to_log_in(response, case, headers):
    if headers:
        assert (response.status_code, response.content) == (401, b""), case
        assert response["HX-Redirect"] in LOG_IN, case
    else:
        page, _, query = response["Location"].partition("?")
        assert (response.status_code, page in LOG_IN) == (302, True), case
        assert query.startswith(f"next={response.request['PATH_INFO']}"), case


LOG_IN = ("/accounts/login/", "/admin/login/")


@pytest.mark.parametrize("route", [r for r in ADMIN_ROUTES if r not in NOT_OF_THE_TABLE])
def test_the_admin_is_for_staff(world, route):
    path = world.path(route)
    for actor, headers in [*((actor, {}) for actor in SIGNED_OUT), ("anonymous", HTMX)]:
        check_led_to_log_in(world.client(actor).get(path, headers=headers), actor, headers)
    response = world.client("stranger").get(path)
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/")
    for actor in ("staff", "superuser"):
        response = world.client(actor).get(path)
        if actor == "staff" and route not in FOR_ALL_STAFF:
            assert is_turned_away(response)
        assert "no-store" in response["Cache-Control"]
        assert "Cookie" in response["Vary"]


def is_turned_away(response):
    # Of a row that isn't there the admin says so on its first page.
    return response.status_code in (403, 404) or response.get("Location") == "/admin/"


@pytest.mark.parametrize("actor", ACTORS)
def test_the_log_in_page_of_the_admin_leads_nobody_in_circles(world, actor):
    response = world.client(actor).get("/admin/", follow=True)
    assert len(response.redirect_chain) <= 2
    if actor in SIGNED_OUT:
        assert (response.status_code, response.request["PATH_INFO"]) == (200, "/accounts/login/")
    elif actor in ("staff", "superuser"):
        assert (response.status_code, response.request["PATH_INFO"]) == (200, "/admin/")
    else:
        assert response.status_code == 403


# --- What is not yours is not there ---


WITH_ID = [route for route in OWN_ROUTES if "<int:pk>" in route]
MISSING = 987_654_321


def measured(world, *args, **kwargs):
    with CaptureQueriesContext(connection) as queries:
        response = ask(world, *args, **kwargs)
    return response.status_code, response.content, dict(response.headers), len(queries)


@pytest.mark.parametrize("route", WITH_ID)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_what_is_not_yours_answers_as_what_never_was(world, route, headers):
    for actor in ("stranger", "superuser"):
        for verb in ("GET", "HEAD", "POST"):
            theirs = measured(world, route, actor, verb, headers)
            missing = measured(world, route, actor, verb, headers, pk=MISSING)
            assert theirs[0] in (404, 405)
            assert theirs == missing, f"{actor} {verb}"


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_a_person_one_never_wrote_with_answers_as_nobody(world, headers):
    client = world.client("stranger")
    answers = []
    for name in ("alice", "nobodyatall"):
        with CaptureQueriesContext(connection) as queries:
            response = client.get(f"/conversation/{name}/", headers=headers)
        answers.append((response.status_code, response.content, response.headers, len(queries)))
    assert answers[0][0] == 404
    assert str(answers[0]) == str(answers[1])


@pytest.mark.parametrize("route", WITH_ID)
def test_a_wrong_verb_answers_the_same_for_what_is_and_what_is_not_there(world, route):
    for actor in ("sender", "stranger"):
        for verb in ("PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
            there = measured(world, route, actor, verb, {})
            assert there[0] == 405
            assert there == measured(world, route, actor, verb, {}, pk=MISSING)


def test_everyone_not_found_gets_the_same_bytes(world):
    answers = {
        world.client(actor).get(path).content
        for actor in ("anonymous", "stranger", "staff", "superuser", "sender")
        for path in ["/nothing/here", f"/nothing/{actor}/"]
    }
    answers.add(world.client("stranger").get(world.path("messages/<int:pk>/")).content)
    assert len(answers) == 1


# --- Forms of other sites ---

TOKEN, OTHER_TOKEN = "t" * 32, "u" * 32
FOREIGN = {
    "without a token": {},
    "with another token": {"Cookie": TOKEN, "X-CSRFToken": OTHER_TOKEN},
    "from another site": {"Cookie": TOKEN, "X-CSRFToken": TOKEN, "Origin": "https://evil.example"},
}


@pytest.mark.parametrize("how", FOREIGN)
def test_no_address_takes_a_form_of_another_site(world, how):
    client, before = Client(enforce_csrf_checks=True), dump()
    for route in every_route():
        actor = "superuser" if of_admin(route) else "sender"
        client.cookies.clear()
        client.cookies["sessionid"] = world.client(actor).cookies["sessionid"].value
        headers = dict(FOREIGN[how])
        if cookie := headers.pop("Cookie", None):
            client.cookies["csrftoken"] = cookie
        for more in ({}, HTMX):
            response = client.post(world.path(route, actor), headers=headers | more)
            assert response.status_code == 403, route
            assert ("<html" in response.text) == (not more), route
    assert changes(before, dump()) == {}


# --- Polls ---

POLLED = ["inbox/", "messages/<int:pk>/", "conversation/", "conversation/<str:username>/"]
POLLED.append("notifications/")


@pytest.mark.parametrize("route", POLLED)
@pytest.mark.parametrize("actor", ["sender", "receiver"])
def test_an_unchanged_poll_is_a_bare_304(world, route, actor, django_assert_max_num_queries):
    client, path = world.client(actor), world.path(route, actor)
    page = client.get(path)
    ptag, path = page["HX-PTag"], poll_path(page.text)
    with django_assert_max_num_queries(2):
        response = client.get(path, headers=HTMX | {"HX-PTag": ptag})
    assert (response.status_code, response.content) == (304, b"")
    assert set(response.headers) == {"Cache-Control", "Vary", "HX-PTag", "X-Content-Type-Options"}
    assert response["HX-PTag"] == ptag
    assert len(b"HTTP/1.1 304 Not Modified\r\n\r\n" + response.serialize_headers()) <= 400


@pytest.mark.parametrize("route", POLLED)
def test_one_persons_ptag_is_no_304_for_another(world, route):
    ptag = world.client("sender").get(world.path(route, "sender"))["HX-PTag"]
    for actor in ("receiver", *STRANGERS):
        path = world.path(route, actor)
        response = world.client(actor).get(path, headers=HTMX | {"HX-PTag": ptag})
        assert response.status_code in (200, 404)


@pytest.mark.parametrize("route", POLLED)
@pytest.mark.parametrize("actor", SIGNED_OUT)
def test_a_poll_that_is_signed_out_leads_the_page_to_log_in(world, route, actor):
    path = world.path(route, "sender")
    headers = HTMX | {"HX-PTag": "x" * 24, "HX-Current-URL": "http://testserver/inbox/?show=all"}
    response = world.client(actor).get(path, headers=headers)
    assert response.status_code == 401
    assert response["HX-Redirect"] == "/accounts/login/?next=/inbox/%3Fshow%3Dall"


@pytest.mark.parametrize(
    "page", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"]
)
def test_a_poll_from_a_foreign_page_is_not_led_back_there(client, db, page):
    response = client.get("/inbox/", headers=HTMX | {"HX-Current-URL": page})
    assert "evil" not in response["HX-Redirect"]
    assert "javascript" not in response["HX-Redirect"]


@pytest.mark.parametrize("page", ["http://[bad", "http://testserver]/", "http://[::1/", "//["])
def test_a_page_that_is_no_address_is_led_back_to_by_nobody(client, db, page):
    for headers in ({}, {"HX-Current-URL-URI-AutoEncoded": "true"}):
        response = client.get("/inbox/", headers=HTMX | headers | {"HX-Current-URL": page})
        assert response["HX-Redirect"] == "/accounts/login/"
