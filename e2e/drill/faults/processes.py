"""Workers and masters die, the power goes, a release comes, a migration runs, everybody comes."""

import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from e2e.server import ROOT

from ..audit import WRONG_IN_LOG
from ..load import INBOX, Load, p95
from ..site import NotRunnable, Site, children
from . import check_load, check_no_loss, failures, fault, ms, told

LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis")


@fault(
    "F1",
    "Worker killed",
    injection="kill -9 of a worker every 0.5 s",
    bar="all acknowledged is there once; nothing fails but what a killed worker was at, and nothing"
    " after retries; next success ≤ 2 s (and two starts)",
    seconds=20,
)
def worker_killed(site, seconds, findings):
    kills = []
    with Load(site, seconds=seconds) as load:
        for _ in load.every(0.5):
            # Not before the site has answered again: on a slow machine it would never start.
            if load.last_good > max(kills, default=0) and (workers := site.workers):
                kills.append(time.monotonic())
                os.kill(random.choice(workers), signal.SIGKILL)  # noqa: S311
    failed = [one.answer for one in load.tries if one.is_bad]
    broken_off = [one for one in failed if any(one.began <= at <= one.ended for at in kills)]
    findings.say(f"{len(kills)} kills, each broke off {len(broken_off) / len(kills):.1f} requests")
    findings.say(f"{load.first_failed():.0%} of first tries failed")
    findings.say(f"longest time without an answer {ms(load.gap())}")
    others = len(failed) - len(broken_off)
    findings.expect(not others, f"{others} requests failed that no kill had broken off")
    limit = 2 + 2 * site.starting
    findings.expect(load.gap() <= limit, f"nothing succeeded for {load.gap():.1f} s")
    findings.expect(len(kills) > seconds / 5, f"only {len(kills)} kills")
    check_no_loss(load, findings)
    check_load(site, load, findings)


@fault(
    "F2",
    "Machine restarted",
    injection="kill -9 of the whole process group in mid-load, then started again",
    bar="all acknowledged is there once; ready ≤ 5 s (or 2 × a usual start), with no step by hand",
    seconds=10,
)
def machine_restarted(site, seconds, findings):
    with Load(site, seconds=seconds) as load:
        load.wait_until(seconds / 2)
        site.kill()
        started = time.monotonic()
        site.start()
        ready = time.monotonic() - started
    findings.say(f"ready after {ready:.1f} s (usually {site.starting:.1f} s)")
    findings.expect(ready <= max(5, 2 * site.starting), f"ready after {ready:.1f} s only")
    check_no_loss(load, findings)
    check_load(site, load, findings)


@fault(
    "F3",
    "Power lost",
    injection="strace counts the syncs of 100 messages, one after another",
    bar="≥ 1 fsync or fdatasync for each acknowledged message (full: 100)",
)
def power_lost(site, seconds, findings):
    if not shutil.which("strace"):
        raise NotRunnable("strace isn't installed")
    number = 100 if seconds is None else 20
    alice, bob = site.people(2)
    traced = [site.postgres.pid] if site.postgres else site.workers
    if site.postgres:
        traced += children(site.postgres.pid)
    report = site.directory / "strace.txt"
    command = ["strace", "-f", "-e", "trace=fsync,fdatasync", "-o", str(report)]
    command += [word for pid in traced for word in ("-p", str(pid))]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        if "ptrace" in (line := tracer.stderr.readline()) or tracer.poll() is not None:
            raise NotRunnable(f"strace may not look at processes: {line.strip()}")
        time.sleep(0.5)
        statuses = Counter(alice.write(bob).status for _ in range(number))
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(timeout=10)
        tracer.stderr.close()
    syncs = len(re.findall(r"\b(?:fsync|fdatasync)\(", report.read_text()))
    findings.say(f"{number} messages, {syncs} syncs")
    findings.expect(statuses == {302: number}, f"answers: {told(statuses)}")
    findings.expect(syncs >= number, f"only {syncs} syncs for {number} messages")


@fault(
    "F18",
    "Release with open pages",
    injection="HUP every 3 s (or 1.5 × a start) in mid-load; then a release with other"
    " templates and style sheets",
    bar="0 failed requests (on SQLite a write may be told to come again); a page opened"
    " before posts, polls and keeps its style sheet",
    seconds=15,
)
def release(site, seconds, findings):
    copy = Site(site.shape, root=_copy_of_project())
    try:
        copy.begin(own_static=True)
        _release_under_load(copy, seconds, findings)
    finally:
        copy.end()
        shutil.rmtree(copy.root.parent)


def _release_under_load(site, seconds, findings):
    page = site.people(1)[0]
    other = site.people(1)[0]
    before = page.get("/messages/new/?to=" + other.name)
    [style] = set(re.findall(r'href="(/static/css/layers[^"]*\.css)"', before.body))
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', before.body)[1]
    ptag = page.look_again(INBOX).headers["hx-ptag"]
    reloads, pause = 0, max(3, 1.5 * site.starting)  # a machine that needs longer to start, gets it
    seconds = max(seconds, 3 * pause)
    with Load(site, seconds=seconds) as load:
        for _ in load.every(pause, until=seconds * 0.6):
            site.reload()
            reloads += 1
        _change(site.root)
        site.run_release()
        site.reload()
        reloads += 1
    time.sleep(1)
    failed = load.bad(writes=True) + load.bad(writes=False)
    findings.say(f"{reloads} reloads; failed requests: {told(failed)}")
    failed = failures(load)
    findings.expect(not failed, f"failed requests: {told(failed)} {load.errors()}")
    sent = page.write(other, "Typed before", csrfmiddlewaretoken=token)
    poll, sheet = page.look_again(INBOX, ptag), page.get(style)
    after = page.get("/messages/new/").body
    findings.say(f"old page: POST {sent.status}, poll {poll.status}, its style {sheet.status}")
    findings.expect("Drilled release" in after, "the new template isn't served")
    findings.expect(f'"{style}"' not in after, "the new style sheet isn't served")
    findings.expect(sent.status == 302, f"the form of the old page is answered {sent.status}")
    findings.expect(poll.status == 200 and "<html" not in poll.body, f"its poll: {poll.status}")
    findings.expect(sheet.status == 200, f"its style sheet is answered {sheet.status}")
    check_no_loss(load, findings)
    check_load(site, load, findings)


def _copy_of_project():
    folder = Path(tempfile.mkdtemp(prefix="drill-release-"), "parley")
    return Path(shutil.copytree(ROOT, folder, ignore=LEFT_OUT))


def _change(root):
    compose = root / "templates" / "messaging" / "compose.html"
    compose.write_text(compose.read_text().replace("</h1>", " <!-- Drilled release --></h1>", 1))
    sheet = root / "static" / "css" / "layers.css"
    sheet.write_text(sheet.read_text() + "\n/* drilled release */\n")


@fault(
    "F19",
    "Migration in mid-load",
    injection="a migration that adds a column and an index, while the old code runs",
    bar="0 errors of the old code, no failed read; everything acknowledged is there once",
    seconds=10,
)
def migration(site, seconds, findings):
    copy = _copy_of_project()
    try:
        _add_migration(copy)
        with Load(site, seconds=seconds) as load:
            load.wait_until(seconds / 3)
            started = time.monotonic()
            done = site.manage("migrate", "--noinput", cwd=copy, check=False)
            took = time.monotonic() - started
    finally:
        shutil.rmtree(copy.parent)
    failed = load.bad(writes=True) + load.bad(writes=False)
    findings.say(f"migrated in {took:.1f} s; failed requests: {told(failed)}")
    findings.expect(done.returncode == 0, f"the migration failed: {done.stderr[-200:]}")
    # SQLite has one writer, which is the migration for a moment: a write is told to come again.
    findings.expect(not failures(load), f"failed requests: {told(failures(load))}")
    columns = site.query("SELECT drilled FROM messaging_message LIMIT 1")
    findings.expect(columns, "the column isn't there")
    check_no_loss(load, findings)
    check_load(site, load, findings)


def _add_migration(root):
    folder = root / "messaging" / "migrations"
    latest = sorted(folder.glob("0*.py"))[-1].stem
    (folder / "9999_drilled.py").write_text(
        f"""from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "{latest}")]
    operations = [
        migrations.AddField("message", "drilled", models.CharField(max_length=20, null=True)),
        migrations.AddIndex("message", models.Index(fields=["drilled"], name="message_drilled")),
    ]
"""
    )


SLOW_ON_SQLITE = """
    CREATE VIEW drill_slow AS WITH RECURSIVE n(i) AS
        (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000000) SELECT count(*) AS c FROM n;
    CREATE TRIGGER drill_slow AFTER INSERT ON messaging_notification BEGIN
        UPDATE messaging_notification SET is_read = is_read WHERE (SELECT c FROM drill_slow) < 0;
    END
"""
QUICK_ON_SQLITE = "DROP TRIGGER drill_slow; DROP VIEW drill_slow"
SLOW_ON_POSTGRES = """
    CREATE FUNCTION drill_slow() RETURNS trigger AS
        $$ BEGIN PERFORM pg_sleep(8); RETURN NEW; END $$ LANGUAGE plpgsql;
    CREATE TRIGGER drill_slow AFTER INSERT ON messaging_notification
        FOR EACH ROW EXECUTE FUNCTION drill_slow()
"""
QUICK_ON_POSTGRES = "DROP TRIGGER drill_slow ON messaging_notification; DROP FUNCTION drill_slow()"


@fault(
    "F23",
    "Killed inside a write",
    injection="a write slow between INSERT and COMMIT; gunicorn --timeout 2, then kill -9",
    bar="nothing stored, no notification, versions unmoved; the site goes on",
)
def killed_inside_write(site, seconds, findings):
    alice, bob = site.people(2)
    slow, quick = (
        (SLOW_ON_POSTGRES, QUICK_ON_POSTGRES)
        if site.postgres
        else (SLOW_ON_SQLITE, QUICK_ON_SQLITE)
    )
    with site.started_with(GUNICORN_CMD_ARGS="--timeout 2", WEB_CONCURRENCY="1"):
        before = _stored(site)
        for statement in _statements(slow):
            site.do(statement)
        answers = []
        sender = threading.Thread(target=lambda: answers.append(alice.write(bob)))
        sender.start()
        first = site.workers
        sender.join(timeout=3.5)
        is_killed_by_gunicorn = site.workers != first
        findings.expect(sender.is_alive() or is_killed_by_gunicorn, "the write was not slow")
        for pid in site.workers:
            os.kill(pid, signal.SIGKILL)
        sender.join(timeout=20)
        for statement in _statements(quick):
            _insist(site, statement)
        after = _stored(site)
        back = site.wait_until_well()
        again = alice.write(bob)
    ended_by = "gunicorn's --timeout" if is_killed_by_gunicorn else "kill -9 alone"
    findings.say(f"ended by {ended_by}; the client got {answers[0].status or 'no answer'}")
    findings.say(f"well again after {back:.1f} s")
    findings.expect(before == after, f"something was stored: {before}, then {after}")
    findings.expect(again.status == 302, f"the next message is answered {again.status}")


def _stored(site):
    tables = ("message", "notification", "thread", "participation", "messagehistory")
    counts = [site.query(f"SELECT count(*) FROM messaging_{name}")[0][0] for name in tables]
    return [*counts, site.query("SELECT sum(version) FROM messaging_mailbox")[0][0]]


def _statements(text):
    """Split a script at the semicolons that end a line at its own level."""
    return [part for part in re.split(r";\n(?=    CREATE)|; (?=DROP)", text) if part.strip()]


def _insist(site, statement, seconds=15):
    until = time.monotonic() + seconds
    while True:
        try:
            return site.do(statement)
        except Exception:
            if time.monotonic() > until:
                raise
            time.sleep(0.3)


@fault(
    "F24",
    "Overload",
    injection="64, then 256 clients that read as fast as they are answered, 8 s each",
    bar="no 500, only whole pages, 503 or refused; the base p95 is back ≤ 5 s later (relative)",
    seconds=8,
)
def overload(site, seconds, findings):
    alice, bob = site.people(2)
    for _ in range(5):
        alice.write(bob)
    base, start = p95(_look(bob, 15)), len(site.said)
    for number in (64, 256):
        statuses, broken = _crowd(bob, number, seconds)
        findings.say(f"{number} clients: {told(statuses)}")
        wrong = [status for status in statuses if status not in (0, 200, 503)]
        findings.expect(not wrong, f"{number} clients are answered {told(statuses)}")
        findings.expect(not broken, f"{broken} pages of {number} clients were not whole")
        findings.expect(statuses[200], f"none of {number} clients got a page")
    time.sleep(2)
    after = p95(_look(bob, 15))
    findings.say(f"p95 alone {ms(base)}, 2 s after the crowd {ms(after)}")
    findings.expect(after <= 3 * base + 0.2, "pages stay slow after the crowd has gone")
    findings.expect(not WRONG_IN_LOG.search(site.said[start:]), "the log has a traceback or a 500")


def _look(person, times):
    return [person.copy().get(INBOX).seconds for _ in range(times)]


def _crowd(person, number, seconds):
    statuses, broken, lock = Counter(), [0], threading.Lock()
    until = time.monotonic() + seconds

    def ask():
        browser = person.copy()
        while time.monotonic() < until:
            answer = browser.ask("GET", INBOX, patience=20)
            with lock:
                statuses[answer.status] += 1
                broken[0] += answer.status == 200 and "</html>" not in answer.body

    crowd = [threading.Thread(target=ask, daemon=True) for _ in range(number)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(timeout=seconds + 30)
    return statuses, broken[0]
