"""Two do at the same moment what only one can."""

import re
import threading
import uuid
from collections import Counter
from functools import partial

from e2e.pages import PASSWORD

from . import fault, told

MESSAGES = "SELECT count(*) FROM messaging_message WHERE client_token = ?"
RINGS = """
    SELECT count(*) FROM messaging_notification n JOIN messaging_message m ON m.id = n.message_id
    WHERE m.client_token = ?
"""


def at_once(*deeds):
    """Do all these at the same moment, a thread each; return what each returned."""
    barrier, answers = threading.Barrier(len(deeds)), [None] * len(deeds)

    def run(place):
        barrier.wait(timeout=10)
        answers[place] = deeds[place]()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return answers


@fault(
    "F20",
    "Two tabs edit one message",
    injection="20 pairs of edits of the same revision at once (short: 8)",
    bar="each time one 302 and one 409 that holds both texts and the new revision; history + 1",
)
def two_tabs_edit(site, seconds, findings):
    alice, bob = site.people(2)
    pk, other = alice.write(bob, "Revision 1").pk, alice.copy()
    pairs = 20 if seconds is None else 8
    statuses = Counter()
    for revision in range(1, pairs + 1):
        texts = [f"left-{revision}-{uuid.uuid4().hex}", f"right-{revision}-{uuid.uuid4().hex}"]
        path = f"/messages/{pk}/edit/"
        forms = [{"content": text, "revision": revision} for text in texts]
        answers = at_once(
            partial(alice.post, path, forms[0]),
            partial(other.post, path, forms[1]),
        )
        statuses[tuple(sorted(answer.status for answer in answers))] += 1
        losing = [answer for answer in answers if answer.status == 409]
        for answer in losing:
            findings.expect(all(text in answer.body for text in texts), "the 409 lacks a text")
            told_revision = re.search(r'name="revision" value="(\d+)"', answer.body)
            findings.expect(
                told_revision and int(told_revision[1]) == revision + 1,
                "the 409 doesn't hold the new revision",
            )
    findings.say(", ".join(f"{number} × {pair}" for pair, number in statuses.items()))
    findings.expect(set(statuses) == {(302, 409)}, f"pairs of answers: {dict(statuses)}")
    history = "SELECT count(*) FROM messaging_messagehistory WHERE message_id = ?"
    rows = site.query(history, pk)[0][0]
    findings.expect(rows == pairs, f"{rows} rows of history for {pairs} edits")


@fault(
    "F21",
    "Double submit",
    injection="one token, ten times at once",
    bar="1 row; ten answers that lead to the same message; 1 notification",
)
def double_submit(site, seconds, findings):
    alice, bob = site.people(2)
    token = str(uuid.uuid4())
    answers = at_once(*[lambda: alice.copy().write(bob, "Once", client_token=token)] * 10)
    stored = token if site.postgres else token.replace("-", "")
    rows, rings = (site.query(sql, stored)[0][0] for sql in (MESSAGES, RINGS))
    statuses = Counter(answer.status for answer in answers)
    findings.say(f"{told(statuses)}; {rows} row, {rings} notification")
    findings.expect(statuses == {302: 10}, f"answers: {told(statuses)}")
    findings.expect(len({answer.pk for answer in answers}) == 1, "they lead to several messages")
    findings.expect((rows, rings) == (1, 1), f"{rows} rows, {rings} notifications")


@fault(
    "F22",
    "Cross races",
    injection="edit ∥ delete, reply ∥ delete of its parent, read ∥ edit, leaving ∥ message,"
    " one name twice; 5 rounds (and in threads: messaging/tests/test_races.py)",
    bar="a defined winner each, never 500, never half a state (messaging_check finds nothing)",
)
def cross_races(site, seconds, findings):
    start, all_statuses = len(site.said), Counter()
    for race in (_edit_delete, _reply_delete, _read_edit, _leave_write, _sign_up_twice):
        for _ in range(5 if seconds is None else 2):
            statuses, faults = race(site)
            all_statuses.update(statuses)
            for sentence in faults:
                findings.expect(not sentence, f"{race.__name__.strip('_')}: {sentence}")
    checked = site.manage("messaging_check", check=False)
    findings.say(f"answers: {told(all_statuses)}")
    findings.expect(set(all_statuses) <= {200, 302, 404, 409, 422}, f"{told(all_statuses)}")
    findings.expect(checked.returncode == 0, f"messaging_check: {checked.stdout[:300]}")
    findings.expect("status=500" not in site.said[start:], "the log has a 500")


def _edit_delete(site):
    alice, bob = site.people(2)
    pk = alice.write(bob).pk
    edited, deleted = at_once(
        lambda: alice.post(f"/messages/{pk}/edit/", {"content": "New", "revision": 1}),
        lambda: alice.copy().post(f"/messages/{pk}/delete/"),
    )
    there = site.query("SELECT count(*) FROM messaging_message WHERE id = ?", pk)[0][0]
    return [edited.status, deleted.status], [
        *_unless(edited.status in (302, 404), f"the edit is answered {edited.status}"),
        *_unless(deleted.status == 302, f"the delete is answered {deleted.status}"),
        *_unless(there == 0, "the message is still there"),
    ]


def _reply_delete(site):
    alice, bob = site.people(2)
    pk = alice.write(bob).pk
    form = {"content": "But", "client_token": str(uuid.uuid4())}
    replied, deleted = at_once(
        lambda: bob.post(f"/messages/{pk}/reply/", form),
        lambda: alice.post(f"/messages/{pk}/delete/"),
    )
    rows = site.query("SELECT deleted_at IS NOT NULL FROM messaging_message WHERE id = ?", pk)
    left = [bool(row[0]) for row in rows]
    return [replied.status, deleted.status], [
        *_unless(replied.status in (302, 404, 422), f"the reply is answered {replied.status}"),
        *_unless(deleted.status == 302, f"the delete is answered {deleted.status}"),
        *_unless(left == ([True] if replied.status == 302 else []), f"left: {left}"),
    ]


def _read_edit(site):
    alice, bob = site.people(2)
    pk = alice.write(bob).pk
    read, edited = at_once(
        lambda: bob.post(f"/messages/{pk}/read/", {"state": "read"}),
        lambda: alice.post(f"/messages/{pk}/edit/", {"content": "New", "revision": 1}),
    )
    row = site.query("SELECT content, read, revision FROM messaging_message WHERE id = ?", pk)[0]
    return [read.status, edited.status], [
        *_unless((row[0], bool(row[1]), row[2]) == ("New", True, 2), f"left: {row}"),
    ]


def _leave_write(site):
    alice, bob = site.people(2)
    alice.write(bob)
    left, written = at_once(
        lambda: bob.post("/account/delete/", {"password": PASSWORD}),
        lambda: alice.write(bob),
    )
    people = "SELECT count(*) FROM accounts_user WHERE username = ?"
    messages = """
        SELECT count(*) FROM messaging_message m JOIN accounts_user u
        ON u.id IN (m.sender_id, m.receiver_id) WHERE u.username = ?
    """
    counts = site.query(people, bob.name)[0][0], site.query(messages, alice.name)[0][0]
    return [left.status, written.status], [
        *_unless(left.status == 302, f"leaving is answered {left.status}"),
        *_unless(written.status in (302, 422), f"the message is answered {written.status}"),
        *_unless(counts == (0, 0), f"{counts[0]} such person, {counts[1]} messages"),
    ]


def _sign_up_twice(site):
    one = site.people(1)[0]
    name = f"n{uuid.uuid4().hex[:10]}"
    strangers = [one.copy(), one.copy()]
    forms = []
    for stranger in strangers:
        stranger.cookies = {}
        stranger.get("/accounts/signup/")
        email = f"{uuid.uuid4().hex[:8]}@example.com"
        forms.append({"username": name, "email": email, "password1": PASSWORD})
    answers = at_once(
        *(
            partial(stranger.post, "/accounts/signup/", form)
            for stranger, form in zip(strangers, forms, strict=True)
        )
    )
    statuses = sorted(answer.status for answer in answers)
    people = "SELECT count(*) FROM accounts_user WHERE username = ?"
    number = site.query(people, name)[0][0]
    return statuses, [
        *_unless(statuses == [302, 422], f"answered {statuses}"),
        *_unless(number == 1, f"{number} people of that name"),
    ]


def _unless(holds, sentence):
    return [] if holds else [sentence]
