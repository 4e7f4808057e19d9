"""Who uses the site: a session, its cookies, its CSRF token, and one connection a request."""

import re
import secrets
import time
import uuid
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from e2e.pages import PASSWORD

PATIENCE = 30  # seconds for an answer
HTMX = {"HX-Request": "true"}
NO_ANSWER = 0  # the status of a request that got none


@dataclass
class Answer:
    """What came back: status 0 if nothing did. `began` and `ended` are of the monotonic clock."""

    status: int
    body: str = ""
    headers: dict = field(default_factory=dict)
    began: float = 0
    ended: float = 0

    @property
    def seconds(self):
        return self.ended - self.began

    @property
    def pk(self):
        """The id in the address that it leads to, or None."""
        found = re.search(r"/messages/(\d+)/", self.headers.get("location", ""))
        return found and int(found[1])


class Person:
    """A browser without a face. Behind a proxy each request has a connection of its own, too."""

    def __init__(self, url, name=""):
        self.url, self.name, self.cookies = url, name, {}

    @classmethod
    def sign_up(cls, url):
        person = cls(url, f"d{secrets.token_hex(5)}")
        fields = {"username": person.name, "email": f"{person.name}@example.com"}
        person.get("/accounts/signup/")
        answer = person.post("/accounts/signup/", fields | {"password1": PASSWORD})
        if answer.status != 302:
            raise RuntimeError(f"Nobody can sign up: {answer.status} {answer.body[:500]}")
        return person

    def sign_in(self):
        self.get("/accounts/login/")
        return self.post("/accounts/login/", {"login": self.name, "password": PASSWORD})

    def copy(self, url=None):
        """The same session in another browser, perhaps at another server."""
        other = Person(url or self.url, self.name)
        other.cookies = dict(self.cookies)
        return other

    def get(self, path, **headers):
        return self.ask("GET", path, headers=headers)

    def look_again(self, path, ptag=""):
        """Poll, as the page does that shows what `ptag` stands for."""
        return self.ask("GET", path, headers=HTMX | ({"HX-PTag": ptag} if ptag else {}))

    def post(self, path, fields=(), **headers):
        headers |= {"Content-Type": "application/x-www-form-urlencoded"}
        headers["X-CSRFToken"] = self.cookies.get("csrftoken", "")
        return self.ask("POST", path, body=urlencode(dict(fields)), headers=headers)

    def write(self, other, content="Hello", **fields):
        """Send a new message, without a second try."""
        form = {"to": other.name, "content": content, "client_token": str(uuid.uuid4())}
        return self.post("/messages/new/", form | fields)

    def ask(self, method, path, *, body=None, headers=(), patience=PATIENCE):
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = dict(headers) | {"Connection": "close", "Cookie": cookies}
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=patience)
        began = time.monotonic()
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, HTTPException) as error:
            return Answer(NO_ANSWER, repr(error), {}, began, time.monotonic())
        finally:
            connection.close()
        self._keep_cookies(response.headers.get_all("Set-Cookie") or [])
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, text, found, began, time.monotonic())

    def _keep_cookies(self, lines):
        for line in lines:
            self.cookies |= {morsel.key: morsel.value for morsel in SimpleCookie(line).values()}
