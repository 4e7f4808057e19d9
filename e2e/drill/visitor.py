"""Somebody who uses the site by its forms, as a browser without JavaScript does."""

import http.client
import re
import urllib.parse
import uuid
from http.cookies import SimpleCookie

PASSWORD = "correct horse battery"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


class Visitor:
    """One person with one cookie jar; every answer is (status, headers, text)."""

    def __init__(self, port, name):
        self.port, self.name = port, name
        self.cookies = SimpleCookie()
        self._token = ""

    def sign_up(self):
        self.get("/accounts/signup/")
        fields = {"username": self.name, "email": f"{self.name}@example.com"}
        return self.post("/accounts/signup/", fields | {"password1": PASSWORD})

    def sign_in(self):
        self.get("/accounts/login/")
        return self.post("/accounts/login/", {"login": self.name, "password": PASSWORD})

    def leave(self):
        self.get("/account/delete/")
        return self.post("/account/delete/", {"password": PASSWORD})

    def send(self, to, content):
        """Send a message; return its id once the site has said that it is there."""
        fields = {"to": to, "content": content, "client_token": str(uuid.uuid4())}
        status, headers, _ = self.post("/messages/new/", fields)
        found = re.search(r"/messages/(\d+)/", headers.get("Location", ""))
        return int(found[1]) if status == 302 and found else None

    def get(self, path):
        return self._ask("GET", path)

    def post(self, path, fields):
        if not self._token:
            self.get("/messages/new/")
        return self._ask("POST", path, fields | {"csrfmiddlewaretoken": self._token})

    def _ask(self, verb, path, fields=None):
        site = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
        headers = {"Cookie": "; ".join(f"{k}={v.value}" for k, v in self.cookies.items())}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            site.request(verb, path, urllib.parse.urlencode(fields or {}), headers)
            answer = site.getresponse()
            text = answer.read().decode()
        finally:
            site.close()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            self.cookies.load(cookie)
        if found := TOKEN.search(text):
            self._token = found[1]
        elif verb == "POST":
            self._token = ""  # it changes with a log-in
        return answer.status, answer.headers, text
