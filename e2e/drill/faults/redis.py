"""Redis dies, hangs, forgets, fills up, is slow, is of another opinion, or is out of reach."""

import time
from contextlib import contextmanager

from ..load import Load
from . import SERVERS, check_load, check_no_loss, fault, ms, told

NOBODY = "redis://127.0.0.1:1/0"
SLACK = 0.02  # seconds
SHORT, SLACK_IN_SHORT = 5, 0.4  # seconds: a few answers, while other tests take their turn
PAGES_RIGHT = "nothing stale, nothing failed, nobody signed out"


def _try(site, seconds, findings, *, break_it, mend_it, factor=1.5):
    """Break Redis for the middle third of a load."""
    first, last = seconds / 3, 2 * seconds / 3
    with Load(site, seconds=seconds) as load:
        load.wait_until(first)
        break_it(load, last)
        load.wait_until(last)
        mend_it()
    before, during = load.p95(between=(0, first)), load.p95(between=(first, last))
    findings.say(f"reads p95 {ms(before)} before, {ms(during)} during")
    limit = factor * before + (SLACK_IN_SHORT if seconds < SHORT else SLACK)
    findings.expect(during <= limit, f"reads took {ms(during)} instead of {ms(before)}")
    _check(site, load, findings)
    return load


def _check(site, load, findings):
    failed = load.bad(writes=True) + load.bad(writes=False)
    findings.expect(not failed, f"failed requests: {told(failed)}")
    statuses = {person.get("/inbox/").status for person in load.people}
    findings.expect(statuses == {200}, f"people who were signed in get {statuses}")
    check_no_loss(load, findings)
    check_load(site, load, findings)


@contextmanager
def _mended(site):
    try:
        yield
    finally:
        site.redis.mend()


@fault(
    "F6",
    "Redis killed",
    injection="killed for a third of the load, then started again, empty",
    bar=f"{PAGES_RIGHT}; p95 ≤ 1.5 × before + 20 ms (relative)",
    seconds=20,
    shapes=SERVERS,
)
def redis_killed(site, seconds, findings):
    with _mended(site):
        _try(
            site,
            seconds,
            findings,
            break_it=lambda load, until: site.redis.kill(),
            mend_it=site.redis.start,
        )


@fault(
    "F7",
    "Redis hung",
    injection="SIGSTOP for a third of the load, then SIGCONT",
    bar=f"{PAGES_RIGHT}; a process waits once (≤ 300 ms), and p95 ≤ 1.5 × before + 20 ms"
    " (relative)",
    seconds=20,
    shapes=SERVERS,
)
def redis_hung(site, seconds, findings):
    with _mended(site):
        _try(
            site,
            seconds,
            findings,
            break_it=lambda load, until: site.redis.hang(),
            mend_it=site.redis.go_on,
        )


@fault(
    "F8",
    "Redis flushed",
    injection="FLUSHALL every 0.5 s",
    bar=f"{PAGES_RIGHT}; p95 ≤ 2 × before + 20 ms (relative)",
    seconds=20,
    shapes=SERVERS,
)
def redis_flushed(site, seconds, findings):
    def flush(load, until):
        for _ in load.every(0.5, until=until):
            site.redis.client.flushall()

    with _mended(site):
        _try(site, seconds, findings, break_it=flush, mend_it=lambda: None, factor=2)


@fault(
    "F9",
    "Redis full",
    injection="maxmemory 2 MB, once with allkeys-lru and once with noeviction, filled up",
    bar=f"{PAGES_RIGHT}; throttles still count",
    seconds=20,
    shapes=SERVERS,
)
def redis_full(site, seconds, findings):
    for policy in ("allkeys-lru", "noeviction"):
        with _mended(site), Load(site, seconds=seconds / 2) as load:
            load.wait_until(seconds / 8)
            site.redis.client.config_set("maxmemory-policy", policy)
            site.redis.fill()
            for _ in load.every(0.5):
                site.redis.client.info("memory")
        findings.say(policy)
        _check(site, load, findings)
    with _mended(site), site.beside(MESSAGING_THROTTLES="on") as url:
        site.redis.fill()
        stranger = load.people[0].copy(url)
        stranger.cookies = {}
        stranger.get("/accounts/login/")
        form = {"login": "nobody", "password": "wrong"}
        statuses = [stranger.post("/accounts/login/", form).status for _ in range(7)]
    findings.say(f"7 wrong passwords: {statuses}")
    findings.expect(statuses == [422] * 5 + [429] * 2, f"wrong passwords: {statuses}")


@fault(
    "F10",
    "One worker cut off from Redis",
    injection="two servers over the same data, one with a dead address of Redis",
    bar="nothing stale at either; who signs out at one is out at both",
    seconds=20,
    shapes=SERVERS,
)
def one_worker_cut_off(site, seconds, findings):
    with site.beside(REDIS_URL=NOBODY, WEB_CONCURRENCY="1") as url:
        with Load(site, seconds=seconds, urls=[site.url, url]) as load:
            pass
        _check(site, load, findings)
        here = load.people[0]
        there = here.copy(url)
        statuses = [there.get("/inbox/").status]
        here.post("/accounts/logout/")
        statuses.append(there.get("/inbox/").status)
    findings.say(f"at the one cut off, before and after signing out: {statuses}")
    findings.expect(statuses == [200, 302], f"signing out: {statuses}")


@fault(
    "F11",
    "Redis slow, or promoted without the last writes",
    injection="CLIENT PAUSE 200 over and over; then an older state put back every second",
    bar=f"{PAGES_RIGHT}; p95 ≤ 1.5 × before + 20 ms (relative)",
    seconds=20,
    shapes=SERVERS,
)
def redis_slow_or_promoted(site, seconds, findings):
    def pause(load, until):
        for _ in load.every(0.25, until=until):
            site.redis.client.client_pause(200)

    def go_back(load, until):
        kept = site.redis.keep()
        for _ in load.every(0.7, until=until):
            site.redis.restore(kept)

    for name, break_it in (("slow", pause), ("promoted", go_back)):
        findings.say(name)
        with _mended(site):
            _try(site, seconds / 2, findings, break_it=break_it, mend_it=lambda: None)
        time.sleep(0.3)
