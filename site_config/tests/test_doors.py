"""Health, error pages, headers, and what happens when the database is busy."""

from contextlib import suppress

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError, ProgrammingError, connection
from django.test import Client

from messaging.throttles import Throttled, count_look, forget_looks
from site_config import views
from site_config.accounts.throttles import ANONYMOUS

pytestmark = pytest.mark.django_db

HEADERS = {
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

POLICY = {
    *("base-uri 'none'", "connect-src 'self'", "default-src 'none'", "font-src 'self'"),
    *("form-action 'self'", "frame-ancestors 'none'", "img-src 'self' data:"),
    *("manifest-src 'self'", "object-src 'none'", "script-src 'self'", "style-src 'self'"),
}


@pytest.fixture
def break_home(monkeypatch):
    """Have the home page raise what it is given."""

    def break_it(exception):
        def get(self, request):
            raise exception

        monkeypatch.setattr(views.HomeView, "get", get)

    return break_it


@pytest.fixture
def visitor():
    return Client(raise_request_exception=False)


def test_the_process_says_that_it_is_up(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


def test_the_site_says_that_it_is_ready(client):
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (200, b"ok")


def test_without_its_cache_the_site_is_degraded_and_ready(client, monkeypatch):
    monkeypatch.setattr(views.cache, "get", lambda *args, **kwargs: None)
    response = client.get("/readyz")
    assert (response.status_code, response.content) == (200, b"degraded")


def test_without_its_database_the_site_is_not_ready(client, monkeypatch):
    def refuse():
        raise OperationalError("gone")

    monkeypatch.setattr(views.connection, "cursor", refuse)
    assert client.get("/readyz").status_code == 503


def test_home_says_what_parley_is_and_leads_in(client):
    text = client.get("/").text
    assert "private messaging" in text
    assert 'href="/accounts/signup/"' in text
    assert 'href="/accounts/login/"' in text


def test_home_leads_a_signed_in_person_to_the_inbox(signed_in, alice):
    response = signed_in(alice).get("/")
    assert (response.status_code, response["Location"]) == (302, "/inbox/")


ERRORS = [(SuspiciousOperation(), 400), (PermissionDenied(), 403), (RuntimeError(), 500)]


@pytest.mark.parametrize(("exception", "status"), ERRORS)
def test_an_error_page_is_the_same_for_everyone(
    visitor, signed_in, alice, break_home, exception, status
):
    break_home(exception)
    person = signed_in(alice)
    person.raise_request_exception = False
    answers = [visitor.get("/"), person.get("/")]
    assert [answer.status_code for answer in answers] == [status, status]
    assert answers[0].content == answers[1].content
    assert 'id="main"' in answers[0].text


def test_what_is_not_there_is_the_same_for_everyone(client, signed_in, alice):
    answers = [client.get("/nothing"), signed_in(alice).get("/nothing-else?x=1")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content


def test_an_error_page_has_no_name_and_no_token(signed_in, alice):
    text = signed_in(alice).get("/nothing").text
    assert "alice" not in text
    assert "csrf" not in text.lower()


def test_to_htmx_an_error_is_a_short_notice(client):
    text = client.get("/nothing", headers={"HX-Request": "true"}).text
    assert "<html" not in text
    assert len(text) < 1000


def test_a_foreign_form_is_refused(alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    response = client.post("/account/", {"username": "alicia"})
    assert response.status_code == 403
    assert "Load the page again" in response.text
    fragment = client.post("/account/", headers={"HX-Request": "true"})
    assert (fragment.status_code, "<html" in fragment.text) == (403, False)


@pytest.mark.parametrize("words", ["database is locked", "database or disk is full"])
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_busy_database_is_a_503_that_says_when_to_try_again(visitor, break_home, words, headers):
    break_home(OperationalError(words))
    response = visitor.get("/", headers=headers)
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0


def test_a_missing_table_is_a_500(visitor, break_home):
    missing = OperationalError if connection.vendor == "sqlite" else ProgrammingError
    break_home(missing("no such table: messaging_message"))
    assert visitor.get("/").status_code == 500


def test_a_session_that_cannot_be_saved_is_a_503(alice, monkeypatch):
    from django.contrib.sessions.backends.db import SessionStore

    client = Client(raise_request_exception=False)
    client.force_login(alice)

    def refuse(self, must_create=False):
        raise OperationalError("database is locked")

    monkeypatch.setattr(SessionStore, "save", refuse)
    response = client.post("/account/sign-out-everywhere/")
    assert response.status_code == 503


def answers(person, owner, break_home):
    """Yield an answer of each kind, and the status that it has; a 304 has a test of its own."""
    visitor = Client(raise_request_exception=False)
    letter = {"to": owner.username, "client_token": "1" * 32}
    yield 200, visitor.get("/accounts/login/")
    yield 200, visitor.get("/healthz")
    yield 200, person.get("/account/")
    yield 301, visitor.get("/inbox")
    yield 302, person.get("/")
    yield 302, visitor.get("/account/")
    yield 400, visitor.get("/", headers={"Host": "evil.example"})
    yield 401, visitor.get("/account/", headers={"HX-Request": "true"})
    yield 403, Client(enforce_csrf_checks=True).post("/accounts/login/")
    yield 404, visitor.get("/nothing")
    yield 404, person.get("/messages/1/")
    yield 405, visitor.put("/accounts/login/")
    yield 302, person.post("/messages/new/", letter | {"content": "Hello"})
    yield 409, person.post("/messages/new/", letter | {"content": "Hello again"})
    yield 422, person.post("/messages/new/")
    *_, refused = (person.post("/account/", {"username": ""}) for _ in range(11))
    yield 429, refused
    with suppress(Throttled):
        while True:
            count_look(ANONYMOUS, "127.0.0.1")
    yield 429, visitor.get("/accounts/login/")
    forget_looks()
    yield from answers_of_the_admin(owner)
    break_home(RuntimeError())
    yield 500, visitor.get("/")
    break_home(OperationalError("database is locked"))
    yield 503, visitor.get("/")


def answers_of_the_admin(owner):
    client = Client()
    yield 302, client.get("/admin/")
    client.force_login(owner)
    yield 200, client.get("/admin/")
    yield 200, client.get("/admin/messaging/message/")
    yield 404, client.get("/admin/nothing/")
    yield 400, client.get("/admin/messaging/message/?content__startswith=x")


def test_every_answer_has_the_headers(signed_in, alice, admin_user, break_home, caplog):
    caplog.set_level("CRITICAL", "django")
    for status, response in answers(signed_in(alice), admin_user, break_home):
        check_headers(status, response)


def test_a_host_that_is_refused_on_the_way_to_tls_has_the_headers(settings, db, caplog):
    caplog.set_level("CRITICAL", "django")
    settings.SECURE_SSL_REDIRECT = True
    visitor = Client(raise_request_exception=False)
    check_headers(400, visitor.get("/", headers={"Host": "evil.example"}))
    check_headers(301, visitor.get("/"))


def check_headers(status, response):
    assert response.status_code == status
    for header, value in HEADERS.items():
        assert response[header] == value, (status, header)
    assert set(response["Content-Security-Policy"].split("; ")) == POLICY, status
    assert {"no-store", "private"} <= set(response["Cache-Control"].split(", ")), status
    assert {"Cookie", "HX-Request"} <= set(response["Vary"].split(", ")), status
    assert not set(response.headers) & {"Server", "X-Powered-By", "Access-Control-Allow-Origin"}


def test_a_304_carries_next_to_nothing(client, monkeypatch):
    from django.http import HttpResponse

    monkeypatch.setattr(
        views.HomeView,
        "get",
        lambda self, request: HttpResponse(status=304, headers={"HX-PTag": "1-2"}),
    )
    response = client.get("/")
    assert set(response.headers) == {"Cache-Control", "Vary", "HX-PTag", "X-Content-Type-Options"}
    assert response["Cache-Control"] == "no-store, private"
