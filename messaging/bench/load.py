"""Requests a second: the site under gunicorn, and clients that ask as fast as they are answered."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException
from itertools import chain
from threading import Event, Thread
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection

from . import checks, works
from .caller import FORM, Answer, cookie_header
from .checks import ARTICLE, LINE
from .floor import ADDRESS

CLIENTS = 4
SECONDS = 1.5
MOST = 150  # answers that one client keeps for checking
STARTING = 20  # seconds that the server may take


@dataclass
class Request:
    name: str
    address: str
    check: object
    headers: dict
    make_fields: object = None  # a POST if there is one
    has_writer: bool = False


def run(scene, caller):
    """Return what a server manages of each request, beside the floor just before and after."""
    with _server() as port:
        time_one = partial(_time, port, caller)
        floor = Request("floor", ADDRESS, checks.is_status(200), {})
        time_one(floor)
        loads = []
        for request in _requests(scene, caller):
            before, _ = time_one(floor)
            with _writer(scene, request.has_writer):
                time_one(request)  # fills the cache of each process
                rate, p95 = time_one(request)
            after, _ = time_one(floor)
            ratio = (before + after) / 2 / rate
            loads.append({"name": request.name, "rate": rate, "ratio": ratio, "p95": p95})
    return loads


def _requests(scene, caller):
    poll = "/inbox/?show=all"
    unchanged = works.HTMX | {"HX-PTag": caller.get(poll, works.HTMX).headers["HX-PTag"]}
    inbox = checks.is_page(LINE, lambda: checks.inbox_page(scene.me))
    long, forty = (
        checks.is_page(ARTICLE, partial(checks.thread_page, first))
        for first in (scene.two_hundred, scene.forty)
    )
    return [
        Request("inbox: unchanged poll", poll, checks.is_unchanged, unchanged),
        Request("inbox, warm", poll, inbox, {}),
        Request("thread of 200, warm", f"/messages/{scene.two_hundred}/", long, {}),
        Request("thread of 40, warm", f"/messages/{scene.forty}/", forty, {}),
        Request(
            "thread of 40, 5 writes a second elsewhere",
            f"/messages/{scene.forty}/",
            forty,
            {},
            has_writer=True,
        ),
        Request(
            "send a message",
            "/messages/new/",
            checks.is_status(302),
            {},
            make_fields=partial(works.new_message, scene),
        ),
    ]


@contextmanager
def _server():
    """Serve the scratch database as `make run` serves the site; yield the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "gunicorn", "messaging.bench.wsgi:application", "--bind", f"127.0.0.1:{port}"]
    environ = os.environ | {
        "BENCH_DATABASE": str(connection.settings_dict["NAME"]),
        "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
        "DATA_DIR": str(settings.DATA_DIR),
    }
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen([sys.executable, *command], env=environ, **quiet)  # noqa: S603
    try:
        _wait_for(port, server)
        yield port
    finally:
        server.terminate()
        try:
            server.wait(timeout=STARTING)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(port, server):
    until = time.monotonic() + STARTING
    while time.monotonic() < until and server.poll() is None:
        try:
            client = HTTPConnection("127.0.0.1", port, timeout=STARTING)
            client.request("GET", ADDRESS)
            client.getresponse().read()
            client.close()
        except (OSError, HTTPException):
            time.sleep(0.1)
        else:
            return
    raise checks.Wrong("the server under the load test did not start")


def _time(port, caller, request):
    """Return requests a second, and the time that 95 of 100 stay below."""
    clients = [_Client(port, caller, request) for _ in range(CLIENTS)]
    begin = time.monotonic()
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    spent = time.monotonic() - begin
    for client in clients:
        client.check()
    times = sorted(chain.from_iterable(client.times for client in clients))
    return len(times) / spent, times[int(len(times) * 0.95)]


class _Client(Thread):
    def __init__(self, port, caller, request):
        super().__init__(daemon=True)
        self._port, self._request = port, request
        self._headers = request.headers | {"Cookie": cookie_header(caller.cookies)}
        if request.make_fields:
            token = caller.cookies[settings.CSRF_COOKIE_NAME]
            self._headers |= {"X-CSRFToken": token, "Content-Type": FORM}
        self.times, self._answers, self._failure = [], [], None

    def run(self):
        server = HTTPConnection("127.0.0.1", self._port, timeout=10)
        until = time.monotonic() + SECONDS
        try:
            while time.monotonic() < until and len(self.times) < MOST * 10:
                begin = time.monotonic()
                answer = self._ask(server)
                self.times.append(time.monotonic() - begin)
                if len(self._answers) < MOST:
                    self._answers.append(answer)
                elif answer.status != self._answers[0].status:
                    raise checks.Wrong(f"status {answer.status} under load")
        except Exception as failure:
            self._failure = failure
        finally:
            server.close()

    def _ask(self, server):
        make_fields = self._request.make_fields
        if make_fields:
            body = urlencode(make_fields())
            server.request("POST", self._request.address, body, self._headers)
        else:
            server.request("GET", self._request.address, headers=self._headers)
        response = server.getresponse()
        body = response.read()
        return Answer(response.status, dict(response.getheaders()), body)

    def check(self):
        """Look at the answers, now that the clock has stopped."""
        if self._failure:
            raise self._failure
        seen = set()
        for answer in self._answers:
            content = works.without_token(answer.body)
            if content not in seen:
                self._request.check(answer)
                seen.add(content)


@contextmanager
def _writer(scene, is_wanted):
    """Two other people write to each other, five messages a second."""
    stop = Event()

    def write():
        try:
            while not stop.wait(0.2):
                works.write_elsewhere(scene)
        finally:
            connection.close()

    writer = Thread(target=write, daemon=True)
    if is_wanted:
        writer.start()
    try:
        yield
    finally:
        stop.set()
        if is_wanted:
            writer.join()
