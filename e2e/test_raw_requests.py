"""Requests that no browser makes, and what gunicorn says to them before Parley is asked."""

import re
import socket
from contextlib import ExitStack
from itertools import count

import pytest

PATIENCE = 5  # seconds


def head(verb="GET", path="/healthz", *lines):
    request = [f"{verb} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *lines]
    return "\r\n".join([*request, "", ""]).encode("latin-1")


def numbered(number):
    return [f"X-{n}: x" for n, _ in zip(count(), range(number), strict=False)]


REFUSED = {
    "a request line of more than 4 kB": (head("GET", "/" + "x" * 4100), 414),
    "a header of more than 8 kB": (head("GET", "/", f"X: {'x' * 8200}"), 431),
    "more than 100 headers": (head("GET", "/", *numbered(101)), 431),
    "two lengths": (head("POST", "/", "Content-Length: 1", "Content-Length: 2") + b"xx", 400),
    "a length and chunks": (
        head("POST", "/", "Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        400,
    ),
    "chunks of another kind": (
        head("POST", "/", "Transfer-Encoding: xchunked") + b"0\r\n\r\n",
        501,
    ),
    "a length that is no number": (head("POST", "/", "Content-Length: +1") + b"x", 400),
    "a header over two lines": (head("GET", "/", "X: x", " y"), 400),
    "a space before the colon": (head("GET", "/", "X : x"), 400),
    "NUL in a header": (head("GET", "/", "Cookie: x=\0"), 400),
    "two hosts": (head("GET", "/", "Host: evil.example"), 400),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
}


@pytest.fixture
def ask(server):
    """Send bytes to the server and return all that it says."""

    def send(request):
        with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    return send


def status(answer):
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_is_refused(ask, case):
    request, expected = REFUSED[case]
    answer = ask(request)
    assert status(answer) == expected
    assert b"Traceback" not in answer


def test_what_is_just_short_enough_is_answered(ask):
    assert status(ask(head("GET", "/healthz?" + "x" * 4000))) == 200
    assert status(ask(head("GET", "/healthz", f"X: {'x' * 8000}", *numbered(90)))) == 200


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_a_body_over_the_limit_is_a_400_before_it_is_read(ask, content_type):
    token = "t" * 32
    lines = [f"Cookie: csrftoken={token}", f"X-CSRFToken: {token}", f"Content-Type: {content_type}"]
    request = head("POST", "/accounts/login/", *lines, "Content-Length: 10000000000")
    assert status(ask(request)) == 400


def test_while_some_send_slowly_others_are_answered(ask, server):
    with ExitStack() as stack:
        for request in [b"GET /healthz HT", head("POST", "/", "Content-Length: 100") + b"x"]:
            slow = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
            stack.enter_context(slow).sendall(request)
        assert [status(ask(head())) for _ in range(8)] == [200] * 8


@pytest.mark.parametrize(
    "line",
    [
        *("X-Forwarded-Host: evil.example", "Forwarded: host=evil.example", "X-Host: evil.example"),
        *("X-Original-URL: /evil", "X-Rewrite-URL: /evil", "X-Forwarded-Prefix: /evil"),
        *("SCRIPT_NAME: /accounts", "PATH_INFO: /evil", "X-Script-Name: /evil"),
    ],
)
def test_no_header_says_where_the_site_is(ask, line):
    """Addresses on pages, and in letters that reset a password, are not for a visitor to choose."""
    answer = ask(head("GET", "/accounts/login/", line))
    assert status(answer) == 200
    assert b"evil" not in answer
    assert b'href="/accounts/signup/' in answer


def test_no_version_is_told(ask):
    answer = ask(head()).lower()
    assert b"server: gunicorn\r\n" in answer
    assert b"x-powered-by" not in answer


@pytest.mark.parametrize(
    "path",
    [
        *("/static/../parley.sqlite3", "/static/%2e%2e/secret_key", "/static//etc/passwd"),
        *("/static/..%2f..%2fsecret_key", "/static/staticfiles.json%00", "/.env", "/.git/config"),
    ],
)
def test_nothing_but_static_files_is_read_from_the_disk(ask, path):
    assert status(ask(head("GET", path))) == 404


@pytest.mark.parametrize(
    "path", ["//evil.example/inbox", "/%5cevil.example/inbox", "/inbox%0d%0aX: y"]
)
def test_no_address_leads_elsewhere_or_makes_a_header(ask, path):
    answer = ask(head("GET", path))
    assert b"\r\nx:" not in answer.lower()
    assert b"location: //" not in answer.lower()


def test_a_host_in_the_address_is_not_believed(ask):
    assert b"evil" not in ask(head("GET", "http://evil.example/inbox"))


def test_a_static_file_has_the_headers_and_is_kept_for_years(ask):
    page = ask(head("GET", "/accounts/login/")).decode()
    path = re.search(r'href="(/static/[^"]+\.css)"', page)[1]
    answer = ask(head("GET", path)).decode().lower()
    for line in STATIC_HEADERS:
        assert f"\r\n{line}\r\n" in answer
    assert "set-cookie" not in answer


STATIC_HEADERS = [
    "cache-control: max-age=315360000, public, immutable",
    "cross-origin-opener-policy: same-origin",
    "cross-origin-resource-policy: same-origin",
    "referrer-policy: same-origin",
    "x-content-type-options: nosniff",
    "x-frame-options: deny",
]
