"""A database that is held by somebody else takes no more threads than it must."""

import sqlite3
import threading
import time
from contextlib import ExitStack, contextmanager

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, connection, transaction
from django.test import Client

from messaging.models import Message
from site_config import busy, views
from site_config.accounts.backends import MailboxBackend

ON_SQLITE = pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite has one writer")
ON_POSTGRES = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="only a server breaks off connections"
)


@contextmanager
def held():
    """Let another connection hold the database for writing."""
    holder = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


def begin_to_write(told):
    try:
        with connection.execute_wrapper(busy.wait_in_turn), transaction.atomic():
            told.append("wrote")
    except OperationalError as error:
        told.append(str(error))
    finally:
        connection.close()


@pytest.fixture
def crowd(monkeypatch):
    """Start writers that wait for the database; they have all ended when the test has."""
    monkeypatch.setattr(busy, "PATIENCE", 0.2)
    monkeypatch.setattr(busy, "queue", busy.Queue())
    told, threads = [], []

    def start(number):
        for _ in range(number):
            threads.append(threading.Thread(target=begin_to_write, args=(told,)))
            threads[-1].start()
        return told

    yield start
    for thread in threads:
        thread.join(timeout=20)


@ON_SQLITE
@pytest.mark.django_db(transaction=True)
def test_of_many_writers_two_wait_and_the_others_are_refused(crowd):
    with held():
        told = crowd(6)
        until = time.monotonic() + 3
        while len(told) < 4 and time.monotonic() < until:
            time.sleep(0.01)
        assert told == ["database is locked, and enough wait for it already"] * 4
        started = time.monotonic()
        late = crowd(1)
        while len(late) < 5 and time.monotonic() < started + 3:
            time.sleep(0.01)
        assert late[4:] == ["database is locked, and enough wait for it already"]
    until = time.monotonic() + 3
    while len(told) < 7 and time.monotonic() < until:
        time.sleep(0.01)
    assert told[5:] == ["wrote", "wrote"]


@ON_SQLITE
@pytest.mark.django_db(transaction=True)
def test_nobody_is_refused_while_writing_gets_on(crowd):
    told = crowd(8)
    until = time.monotonic() + 5
    while len(told) < 8 and time.monotonic() < until:
        time.sleep(0.01)
    assert told == ["wrote"] * 8


@ON_SQLITE
@pytest.mark.django_db(transaction=True)
def test_who_reads_has_no_turn_to_wait_for(alice, bob, signed_in, monkeypatch):
    message = Message.objects.create(sender=alice, receiver=bob, content="Hi")
    reader = signed_in(bob)
    queue = busy.Queue()
    monkeypatch.setattr(busy, "queue", queue)
    monkeypatch.setattr(busy, "PATIENCE", 0)
    with ExitStack() as seats:
        for _ in range(busy.WAITING):
            seats.enter_context(queue)
        for address in ("/inbox/?show=all", "/conversation/", f"/messages/{message.pk}/"):
            assert reader.get(address).status_code == 200
        refused = reader.post(f"/messages/{message.pk}/read/", {"state": "read"})
        assert refused.status_code == 503
        assert int(refused["Retry-After"]) > 0
    assert reader.post(f"/messages/{message.pk}/read/", {"state": "read"}).status_code == 302


@pytest.mark.parametrize(("words", "is_told"), [("database is locked", False), ("no", True)])
def test_what_is_busy_is_told_in_one_line(monkeypatch, caplog, alice, words, is_told):
    """Also where it is raised outside of a view, and Django would show how it came there."""

    def refuse(self, user_id):
        raise (ValueError if is_told else OperationalError)(words)

    client = Client(raise_request_exception=False)
    client.force_login(alice)
    monkeypatch.setattr(MailboxBackend, "get_user", refuse)
    response = client.get("/inbox/")
    assert response.status_code == (500 if is_told else 503)
    lines = [record for record in caplog.records if record.name == "django.request"]
    assert [bool(line.exc_info) for line in lines] == [is_told]


@ON_POSTGRES
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("method", "status"), [("get", 200), ("post", 503)])
def test_a_page_is_read_again_over_another_connection(monkeypatch, method, status):
    """The server breaks off a connection; only what writes nothing is done twice."""
    broken = []

    def answer(self, request):
        if not broken:
            broken.append(True)
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        get_user_model().objects.count()
        return views.HttpResponse("here")

    monkeypatch.setattr(views.HomeView, method, answer, raising=False)
    monkeypatch.setattr(views.HomeView, "http_method_names", ["get", "post"])
    response = getattr(Client(raise_request_exception=False), method)("/")
    connection.close()  # as a server does after a request that went wrong
    assert response.status_code == status
