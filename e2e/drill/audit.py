"""Look into the database, past the application: what was acknowledged is there, exactly once."""

import re
from collections import Counter, defaultdict

from .load import MARK, digest
from .postgres import program

MESSAGES = """
    SELECT m.id, s.username, r.username, m.content, m.client_token, m.revision, m.edited,
        m.deleted_at IS NOT NULL,
        (SELECT count(*) FROM messaging_notification n
            WHERE n.message_id = m.id AND n.user_id = m.receiver_id),
        (SELECT count(*) FROM messaging_notification n WHERE n.message_id = m.id),
        (SELECT count(*) FROM messaging_messagehistory h WHERE h.message_id = m.id)
    FROM messaging_message m
    LEFT JOIN accounts_user s ON s.id = m.sender_id
    LEFT JOIN accounts_user r ON r.id = m.receiver_id
"""
HISTORY = "SELECT message_id, revision, old_content FROM messaging_messagehistory"
VERSIONS = """
    SELECT u.username, b.version FROM messaging_mailbox b JOIN accounts_user u ON u.id = b.user_id
"""
WRONG_IN_LOG = re.compile(r"\bstatus=500\b|^Traceback|Internal Server Error", re.MULTILINE)


def audit(site, load):
    """Return a list of sentences, one for each thing that is not as it was acknowledged."""
    return [
        *_faults_of_rows(site, load),
        *_faults_of_history(site, load),
        *_faults_of_versions(site, load),
        *_faults_of_files(site),
        *_faults_of_log(site, load.log_from),
    ]


def _faults_of_rows(site, load):
    rows = {row[0]: row for row in site.query(MESSAGES)}
    keys = Counter(match[1] for row in rows.values() if (match := MARK.match(row[3])))
    for key, times in keys.items():
        if times > 1:
            yield f"message {key} is there {times} times"
    acked = defaultdict(list)
    for ack in load.acks:
        acked[ack.letter.key].append(ack)
    for acks in acked.values():
        yield from _faults_of_letter(load, acks, rows.get(acks[0].letter.pk))
    known = set(acked) | {lost[1].key for lost in load.lost if lost[3]}
    for key in keys:
        # A write that was refused, 503 each time, leaves nothing.
        if key in {lost[1].key for lost in load.lost} - known:
            yield f"message {key} was refused, and is there"


def _faults_of_letter(load, acks, row):
    letter, last = acks[0].letter, max(acks, key=lambda ack: ack.ended)
    if last.kind == "delete" or (letter.unsure and letter.is_deleted):
        if row and last.kind == "delete" and not row[7]:
            yield f"message {letter.key} was deleted, and is there"
        return
    if row is None:
        yield f"message {letter.pk} ({letter.key}) is acknowledged, and missing"
        return
    _, sender, receiver, content, token, revision, edited, is_deleted, rings, rings_all, past = row
    people = load.people[letter.sender].name, load.people[letter.receiver].name
    if (sender, receiver) != people:
        yield f"message {letter.pk} is from {sender} to {receiver}, not {people}"
    if str(token).replace("-", "") != letter.token.replace("-", ""):
        yield f"message {letter.pk} has another client token"
    if digest(content) != last.digest and not letter.unsure:
        yield f"message {letter.pk} doesn't say what was acknowledged as revision {last.revision}"
    if (rings, rings_all) != (1, 1):
        yield f"message {letter.pk} has {rings_all} notifications"
    if past != revision - 1 or bool(edited) != (revision > 1) or is_deleted:
        yield f"message {letter.pk} is at revision {revision} with {past} rows of history"
    edits = sum(ack.kind == "edit" for ack in acks)
    if not edits <= past <= edits + letter.unsure:
        yield f"message {letter.pk}: {edits} edits acknowledged, {past} rows of history"


def _faults_of_history(site, load):
    """Each earlier text is the one that was acknowledged for its revision."""
    said = {(ack.letter.pk, ack.revision): ack.digest for ack in load.acks if ack.revision}
    for pk, revision, text in site.query(HISTORY):
        if said.get((pk, revision), digest(text)) != digest(text):
            yield f"the history of message {pk} has another text for revision {revision}"


def _faults_of_versions(site, load):
    moved = Counter(place for ack in load.acks for place in ack.letter.people)
    versions = dict(site.query(VERSIONS))
    for place, times in moved.items():
        if versions[load.people[place].name] < times:
            yield f"mailbox {place} moved {versions[load.people[place].name]} times, not {times}"


def _faults_of_files(site):
    if site.shape == "sqlite":
        if (found := site.query("PRAGMA integrity_check")) != [("ok",)]:
            yield f"the database file is broken: {found[:3]}"
        if found := site.query("PRAGMA foreign_key_check"):
            yield f"foreign keys lead nowhere: {found[:3]}"
    elif program("pg_amcheck"):
        site.do("CREATE EXTENSION IF NOT EXISTS amcheck")
        for table in ("messaging_message", "messaging_notification", "messaging_mailbox"):
            if found := site.query("SELECT * FROM verify_heapam(?::regclass)", table):
                yield f"{table} is broken: {found[:3]}"


def _faults_of_log(site, start):
    for match in WRONG_IN_LOG.finditer(site.said[start:]):
        line = site.said[start:][match.start() : match.start() + 300]
        yield "the log says: " + " / ".join(line.splitlines()[:3])
        return
