"""Requests without a network: what a server's worker does between two sockets, and nothing else."""

from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.servers.basehttp import get_internal_wsgi_application
from django.utils.crypto import get_random_string

FORM = "application/x-www-form-urlencoded"
ENVIRON = {
    "SCRIPT_NAME": "",
    "SERVER_NAME": "127.0.0.1",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "127.0.0.1",
    "HTTP_HOST": "127.0.0.1",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def weight(self):
        """Bytes on the wire: status line, headers and body."""
        lines = [f"HTTP/1.1 {self.status} OK", *map(": ".join, self.headers.items()), ""]
        return sum(len(line) + 2 for line in lines) + len(self.body)


class Caller:
    """A person who is signed in and asks the site for things.

    Every request passes all middleware, and ends as a server ends it (signals, connections).
    """

    def __init__(self, person):
        self.cookies = sign_in(person)
        self._application = get_internal_wsgi_application()

    def get(self, address, headers=None):
        return self._ask("GET", address, headers or {})

    def post(self, address, fields, headers=None):
        token = {"X-CSRFToken": self.cookies[settings.CSRF_COOKIE_NAME]}
        return self._ask("POST", address, (headers or {}) | token, urlencode(fields).encode())

    def _ask(self, method, address, headers, body=b""):
        path, _, query = address.partition("?")
        environ = ENVIRON | {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "HTTP_COOKIE": cookie_header(self.cookies),
            "CONTENT_TYPE": FORM if body else "",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
            "wsgi.errors": BytesIO(),
        }
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": v for name, v in headers.items()}
        said = []
        response = self._application(environ, lambda *line: said.append(line))
        content = b"".join(response)
        response.close()
        return Answer(int(said[0][0][:3]), dict(said[0][1]), content)


def cookie_header(cookies):
    return "; ".join(map("=".join, cookies.items()))


def sign_in(person):
    """Return the cookies of a new session of this person."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    return {
        settings.SESSION_COOKIE_NAME: session.session_key,
        settings.CSRF_COOKIE_NAME: get_random_string(32),
    }
