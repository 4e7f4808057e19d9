"""Throttles as they are served: by processes that share nothing but the database."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection

from e2e.server import Server

pytestmark = pytest.mark.django_db(transaction=True)

HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"
PASSWORD = "correct horse battery"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def server(tmp_path):
    """Three workers, each with a cache of its own, over the database of the test."""
    server = Server(
        tmp_path,
        DATABASE_URL=_database_url(),
        MESSAGING_THROTTLES="on",
        WEB_CONCURRENCY="3",
    )
    server.prepare()
    server.start()
    yield server
    server.stop()


def _database_url():
    of = {name: str(value) for name, value in connection.settings_dict.items()}
    if connection.vendor == "sqlite":
        return f"sqlite:///{of['NAME']}"
    return f"postgres://{of['USER']}:{of['PASSWORD']}@{of['HOST']}:{of['PORT']}/{of['NAME']}"


class Visitor:
    """Somebody who has the log-in page open."""

    def __init__(self, server, address=HERE):
        self._server, self._address = server, (address, 0)
        cookie = SimpleCookie(self._ask("GET").headers["Set-Cookie"])[settings.CSRF_COOKIE_NAME]
        self._headers = {
            "Cookie": cookie.OutputString(attrs=[]),
            "X-CSRFToken": cookie.value,
            "Content-Type": FORM,
        }

    def sign_in(self, password, **headers):
        """Return the status of the answer."""
        body = urlencode({"login": "alice", "password": password})
        return self._ask("POST", body, self._headers | headers).status

    def _ask(self, verb, body=None, headers=()):
        connection = HTTPConnection(
            HERE, self._server.port, timeout=30, source_address=self._address
        )
        try:
            connection.request(verb, "/accounts/login/", body, dict(headers))
            return connection.getresponse()
        finally:
            connection.close()


def test_a_hundred_guesses_at_once_are_five_for_all_workers_and_for_good(server, alice):
    visitor = Visitor(server)

    def guess(number):
        return visitor.sign_in("wrong", **{"X-Forwarded-For": f"192.0.2.{number}"})

    with ThreadPoolExecutor(12) as pool:
        assert Counter(pool.map(guess, range(100))) == {422: 5, 429: 95}
    server.stop()
    server.start()
    assert visitor.sign_in(PASSWORD) == 429
    assert Visitor(server, ELSEWHERE).sign_in(PASSWORD) == 302
