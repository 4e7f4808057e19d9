"""PostgreSQL breaks off connections, restarts, has none left, and commits in another order."""

import threading
import time
from collections import Counter
from itertools import product
from statistics import median

from ..load import INBOX, Load
from . import SERVERS, check_load, check_no_loss, fault, ms, told

OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""
DEADLOCKS = "SELECT sum(deadlocks)::int FROM pg_stat_database"


@fault(
    "F12",
    "Connections broken off",
    injection="pg_terminate_backend of all of them every 1 s (or 3 × what a read takes)",
    bar="0 failed reads; a write fails only while it is under way, then its retry succeeds",
    seconds=20,
    shapes=SERVERS,
)
def connections_broken_off(site, seconds, findings):
    ended = 0
    with Load(site, seconds=seconds) as load:
        load.wait_until(seconds / 4)
        while time.monotonic() < load.began + seconds:
            ended += len(site.query(OTHERS))
            # A page is read again once: on a slow machine it must have the time for that.
            time.sleep(max(1, 3 * load.p95()))
    reads, writes = load.bad(writes=False), load.bad(writes=True)
    findings.say(f"{ended} connections; reads failed: {told(reads)}; writes: {told(writes)}")
    findings.expect(not reads, f"reads failed: {told(reads)}")
    findings.expect(set(writes) <= {503}, f"writes failed: {told(writes)}")
    check_no_loss(load, findings)
    check_load(site, load, findings)


@fault(
    "F13",
    "PostgreSQL restarted",
    injection="pg_ctl restart -m fast in mid-load",
    bar="503 while it is away, the first 200 ≤ 2 s after; no worker restarted",
    seconds=10,
    shapes=SERVERS,
)
def postgres_restarted(site, seconds, findings):
    workers = site.workers
    with Load(site, seconds=seconds) as load:
        load.wait_until(seconds / 2)
        site.postgres.restart()
        back = site.wait_until_well()
    failed = load.bad(writes=True) + load.bad(writes=False)
    findings.say(f"first 200 after {back:.1f} s; meanwhile {told(failed)}")
    findings.expect(back <= 2, f"the first 200 came after {back:.1f} s")
    findings.expect(set(failed) <= {503}, f"meanwhile: {told(failed)}")
    findings.expect(site.workers == workers, "workers were restarted")
    check_no_loss(load, findings)
    check_load(site, load, findings)


@fault(
    "F14",
    "Pool exhausted",
    injection="DATABASE_POOL=2, 20 clients, every query held up for about 1 s",
    bar="who gets no connection is answered 503 ≤ 5.5 s later; nobody waits 30 s; never 500",
    seconds=12,
    shapes=SERVERS,
)
def pool_exhausted(site, seconds, findings):
    with site.started_with(
        DATABASE_POOL="2", WEB_CONCURRENCY="1", GUNICORN_CMD_ARGS="--threads 20"
    ):
        start = len(site.said)
        person = site.people(1)[0]
        stop = threading.Event()
        locker = threading.Thread(target=_hold_up, args=(site, stop))
        locker.start()
        answers, until = [], time.monotonic() + seconds

        def ask():
            browser = person.copy()
            while time.monotonic() < until:
                answers.append(browser.get(INBOX))

        crowd = [threading.Thread(target=ask) for _ in range(20)]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join(timeout=60)
        stop.set()
        locker.join()
        said = site.said[start:]
    statuses = Counter(answer.status for answer in answers)
    refused = [answer.seconds for answer in answers if answer.status == 503]
    slowest = max(answer.seconds for answer in answers)
    findings.say(f"{told(statuses)}; 503 after {ms(median(refused or [0]))} in the median")
    findings.say(f"slowest answer {slowest:.1f} s")
    findings.expect(statuses[503], "the pool was never exhausted")
    findings.expect(set(statuses) <= {200, 503}, f"answers: {told(statuses)}")
    findings.expect(median(refused or [0]) <= 5.5, "the 503 comes too late")
    findings.expect(slowest < 15, f"somebody waited {slowest:.1f} s")
    findings.expect("Traceback" not in said, "the log has a traceback")


def _hold_up(site, stop):
    while not stop.is_set():
        with site.connect() as connection, connection.transaction():
            connection.execute("LOCK TABLE messaging_mailbox IN ACCESS EXCLUSIVE MODE")
            time.sleep(1)  # and at once again: two requests come in between, for they queue


@fault(
    "F15",
    "Deadlock",
    injection="two people × two clients each write to each other without a pause",
    bar="0 deadlocks, 0 failed writes",
    seconds=10,
    shapes=SERVERS,
)
def deadlock(site, seconds, findings):
    alice, bob = site.people(2)
    before, statuses = site.query(DEADLOCKS)[0][0], Counter()
    until, lock = time.monotonic() + seconds, threading.Lock()

    def write(sender, receiver):
        browser = sender.copy()
        while time.monotonic() < until:
            status = browser.write(receiver).status
            with lock:
                statuses[status] += 1

    pairs = product(range(2), ((alice, bob), (bob, alice)))
    threads = [threading.Thread(target=write, args=pair) for _, pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    time.sleep(0.6)  # the statistics of PostgreSQL come a moment later
    found = site.query(DEADLOCKS)[0][0] - before
    stored = site.query(
        "SELECT count(*) FROM messaging_message m JOIN accounts_user u"
        " ON u.id = m.sender_id WHERE u.username IN (?, ?)",
        alice.name,
        bob.name,
    )
    findings.say(f"{statuses.total()} messages, {found} deadlocks")
    findings.expect(found == 0, f"{found} deadlocks")
    findings.expect(set(statuses) == {302}, f"answers: {told(statuses)}")
    findings.expect(stored[0][0] == statuses[302], f"{stored[0][0]} are stored")


@fault(
    "F16",
    "Commits in another order",
    injection="two messages to one person; the first is held before its COMMIT",
    bar="the next poll after each commit shows that message, none is skipped",
    shapes=SERVERS,
)
def commits_in_another_order(site, seconds, findings):
    alice, bob, carol = site.people(3)
    ptag = carol.look_again(INBOX).headers["hx-ptag"]
    site.do(
        "CREATE FUNCTION drill_wait() RETURNS trigger AS $$ BEGIN PERFORM"
        " pg_advisory_xact_lock(7); RETURN NEW; END $$ LANGUAGE plpgsql"
    )
    site.do(
        "CREATE CONSTRAINT TRIGGER drill_wait AFTER INSERT ON messaging_message DEFERRABLE"
        " INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.content LIKE 'held%')"
        " EXECUTE FUNCTION drill_wait()"
    )
    try:
        with site.connect() as holder:
            holder.execute("SELECT pg_advisory_lock(7)")
            first = threading.Thread(target=alice.write, args=(carol, "held back"))
            first.start()
            time.sleep(0.5)
            second = threading.Thread(target=bob.write, args=(carol, "second"))
            second.start()
            time.sleep(0.5)
            polls = [carol.look_again(INBOX, ptag)]
            holder.execute("SELECT pg_advisory_unlock(7)")
            first.join(timeout=20)
            polls.append(carol.look_again(INBOX, polls[-1].headers["hx-ptag"]))
            second.join(timeout=20)
            polls.append(carol.look_again(INBOX))
    finally:
        site.do("DROP TRIGGER drill_wait ON messaging_message")
        site.do("DROP FUNCTION drill_wait()")
    shown = [[text for text in ("held back", "second") if text in poll.body] for poll in polls]
    findings.say(f"polls: {[poll.status for poll in polls]}, showing {shown}")
    findings.expect("held back" in shown[1], "the first message was skipped")
    findings.expect(shown[2] == ["held back", "second"], "one of them was skipped")
    findings.expect("held back" not in shown[0], "it was shown before it was stored")
