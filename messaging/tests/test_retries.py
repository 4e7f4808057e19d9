"""Writes that PostgreSQL breaks off: they begin again, and nobody is told."""

import threading
import time

import pytest
from django.db import OperationalError, connection, transaction

from messaging.models import Mailbox, Message
from messaging.services import MessageService
from messaging.services.retries import TRIES, retried
from messaging.tally import counts

from .ledger import faults
from .test_races import at_once, expect

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL breaks off writes"),
]

DEADLOCK, SERIALIZATION, TIMEOUT = "40P01", "40001", "55P03"


class Deed:
    """Writes, and is broken off so many times with this code."""

    def __init__(self, code, times):
        self.code, self.left, self.tries = code, times, 0

    def __call__(self, person):
        self.tries += 1
        with transaction.atomic(), connection.cursor() as cursor:
            Mailbox.objects.move([person.pk], {})
            if self.left:
                self.left -= 1
                cursor.execute(f"DO $$ BEGIN RAISE 'off' USING ERRCODE = '{self.code}'; END $$")


def version(person):
    return Mailbox.objects.get(pk=person.pk).version


@pytest.mark.parametrize("code", [DEADLOCK, SERIALIZATION])
def test_a_write_that_was_broken_off_begins_again_and_is_done_once(alice, code):
    before, deed = version(alice), Deed(code, TRIES - 1)
    retried(deed)(alice)
    assert (deed.tries, version(alice)) == (TRIES, before + 1)


def test_it_gives_up_in_the_end(alice):
    before, deed = version(alice), Deed(DEADLOCK, TRIES)
    with pytest.raises(OperationalError):
        retried(deed)(alice)
    assert (deed.tries, version(alice)) == (TRIES, before)


def test_what_waited_too_long_waits_no_longer(alice):
    deed = Deed(TIMEOUT, 1)
    with pytest.raises(OperationalError):
        retried(deed)(alice)
    assert deed.tries == 1


def test_a_part_of_a_transaction_does_not_begin_again_alone(alice):
    deed = Deed(DEADLOCK, 1)
    with pytest.raises(OperationalError), transaction.atomic():
        retried(deed)(alice)
    assert deed.tries == 1


def test_of_two_that_wait_for_each_other_both_are_done(alice, bob):
    """The other one takes the mailboxes in the wrong order, and is the more patient."""
    before = counts["retries"]
    held = threading.Event()

    def send():
        held.wait(timeout=10)
        return MessageService.send(alice, receiver=bob, content="Hello")

    for number in range(5):  # on a busy machine, the other one may be broken off
        held.clear()
        results = at_once(send, lambda: _lock_in_the_wrong_order(bob, alice, held))
        expect(results[0])
        assert Message.objects.count() == number + 1
        if counts["retries"] > before:
            break
    assert counts["retries"] > before
    assert faults() == []


WAITS_FOR_ME = """
    SELECT EXISTS (
        SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))
    )
"""


def _lock_in_the_wrong_order(last, first, held):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL deadlock_timeout = '3s'")
        Mailbox.objects.lock(last.pk)
        held.set()
        for _ in range(200):
            cursor.execute(WAITS_FOR_ME)
            if cursor.fetchone()[0]:
                break
            time.sleep(0.01)
        Mailbox.objects.lock(first.pk)
