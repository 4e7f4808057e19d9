"""Somebody else holds the database file, and the disk is full."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

from ..load import INBOX, Load
from ..site import NotRunnable, Site
from . import SQLITE, check_load, check_no_loss, fault, ms, told

TIMEOUT = 4  # seconds that a write waits: settings.LOCK_TIMEOUT
READS_P95 = 0.5  # seconds
SLACK = 0.5  # seconds
PLENTY = 16 * 1024 * 1024  # bytes of the small disk, for the data alone


@fault(
    "F4",
    "Database locked",
    injection="another process holds BEGIN IMMEDIATE for 3 s, and in full for 12 s as well",
    bar="3 s: every write succeeds after retries; 12 s: writes 503 within 4.5 s, reads 200 with"
    " p95 ≤ 500 ms (or 3 × before on a slow machine), never 500",
    seconds=25,
    shapes=SQLITE,
)
def database_locked(site, seconds, findings):
    is_full = seconds > 10
    with Load(site, seconds=seconds, readers=4) as load:
        held = [_hold(site, load, 2 if is_full else 1, 3)]
        if is_full:
            held.append(_hold(site, load, 9, 12))
    usual = load.p95(between=(0, held[0][0]))
    for hold in held:
        reads = load.p95(between=hold)
        findings.say(f"held {hold[1] - hold[0]:.0f} s: reads p95 {ms(reads)} (before {ms(usual)})")
        limit = max(READS_P95, 3 * usual)
        findings.expect(reads <= limit, f"reads took {ms(reads)} while writers were blocked")
    refused = load.bad(writes=True)
    findings.say(f"writes refused: {told(refused)}; reads: {told(load.bad(writes=False))}")
    findings.expect(set(refused) <= {503}, f"writes were answered {told(refused)}")
    findings.expect(not load.bad(writes=False), "reads failed")
    findings.expect(refused or not is_full, "no write was ever refused: was it locked?")
    slowest = max([one.answer.seconds for one in load.tries if one.answer.status == 503], default=0)
    findings.say(f"slowest 503 {slowest:.1f} s")
    limit = TIMEOUT + SLACK + usual
    findings.expect(slowest <= limit + 1, f"a write was refused after {slowest:.1f} s only")
    if not is_full:
        check_no_loss(load, findings)
    check_load(site, load, findings)


def _hold(site, load, moment, seconds):
    """Lock the file from another connection; return from when to when, in the time of the load."""
    load.wait_until(moment)
    connection = sqlite3.connect(site.database, timeout=10, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    started = time.monotonic() - load.began
    time.sleep(seconds)
    connection.execute("ROLLBACK")
    connection.close()
    return started, time.monotonic() - load.began


@fault(
    "F5",
    "Disk full",
    injection="the data on a disk of 16 MB (tmpfs, as root), filled, then freed",
    bar="writes 503 in plain words, reads 200; after freeing it the next write succeeds",
    shapes=SQLITE,
)
def disk_full(site, seconds, findings):
    if os.geteuid() != 0:
        raise NotRunnable("only root may mount a small disk")
    directory = Path(tempfile.mkdtemp(prefix="drill-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={PLENTY}", "tmpfs", str(directory)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        raise NotRunnable("no disk may be mounted here")
    small = Site("sqlite", directory=directory)
    small.log = site.directory / "full.log"  # on a disk that isn't
    try:
        small.begin()
        _fill_and_free(small, findings, directory / "filling")
    finally:
        small.kill()
        subprocess.run(["umount", "-l", str(directory)], check=True)
        shutil.rmtree(directory)


def _fill_and_free(site, findings, filling):
    alice, bob = site.people(2)
    sent = [alice.write(bob).status for _ in range(3)]
    _fill(filling)
    writes = [alice.write(bob, "x" * 4000) for _ in range(40)]
    reads = [bob.get(INBOX) for _ in range(20)]
    refused = [answer for answer in writes if answer.status == 503]
    filling.unlink()
    after = [alice.write(bob).status for _ in range(10)]
    findings.say(f"full: {len(refused)} of {len(writes)} writes 503; then {after.count(302)} of 10")
    statuses = {answer.status for answer in writes[-20:]}
    findings.expect(statuses == {503}, f"writes on a full disk are answered {statuses}")
    words = [answer for answer in refused if "Busy for a moment" not in answer.body]
    findings.expect(not words, "the refusal isn't said in plain words")
    statuses = {answer.status for answer in reads}
    findings.expect(statuses == {200}, f"reads on a full disk are answered {statuses}")
    findings.expect(sent + after == [302] * 13, f"writes around it are answered {sent} {after}")
    stored = site.query("SELECT count(*) FROM messaging_message")[0][0]
    accepted = sent.count(302) + after.count(302) + sum(one.status == 302 for one in writes)
    findings.expect(stored == accepted, f"{accepted} were accepted, {stored} are stored")
    checked = site.query("PRAGMA integrity_check")
    findings.expect(checked == [("ok",)], f"the file is broken: {checked[:2]}")
    findings.expect("status=500" not in site.said, "something was answered with 500")


def _fill(path):
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 512):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
