"""Health, error pages, headers, and what happens when the database is busy."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError, ProgrammingError, connection
from django.test import Client

from site_config import views

pytestmark = pytest.mark.django_db

HEADERS = {
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), interest-cohort=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
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


def answers(signed_in, alice, break_home):
    person, visitor = signed_in(alice), Client(raise_request_exception=False)
    yield visitor.get("/accounts/login/")  # 200
    yield person.get("/account/")  # 200
    yield person.get("/")  # 302
    yield visitor.get("/account/")  # 302
    yield visitor.get("/account/", headers={"HX-Request": "true"})  # 401
    yield visitor.get("/nothing")  # 404
    yield visitor.put("/accounts/login/")  # 405
    yield person.post("/account/", {"username": ""})  # 422
    yield visitor.get("/healthz")
    break_home(RuntimeError())
    yield visitor.get("/")  # 500


def test_every_answer_has_the_headers(signed_in, alice, break_home):
    statuses = set()
    for response in answers(signed_in, alice, break_home):
        statuses.add(response.status_code)
        for header, value in HEADERS.items():
            assert response[header] == value, (response.status_code, header)
        assert "default-src 'none'" in response["Content-Security-Policy"]
        assert {"no-store", "private"} <= set(response["Cache-Control"].split(", "))
        assert {"Cookie", "HX-Request"} <= set(response["Vary"].split(", "))
    assert statuses == {200, 302, 401, 404, 405, 422, 500}


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
