"""Look at every page that was shown: whether it was as new as it had to be, and nobody else's.

The five properties: (P1) it shows every write acknowledged before it was asked for; (P2) nothing of
others; (P3) nothing older than was shown before; (P4) nothing that was deleted; (P5) "unchanged"
only where nothing has changed.
"""

from bisect import bisect_left
from collections import defaultdict

RECENT = 15  # of a conversation's newest messages; its page shows 50, and more come in meanwhile
RECENT_THREADS = 10  # of an inbox, which shows 25


def breaches(load, times=None):
    """Return a list of sentences, one for each page that was not as it had to be.

    `times` are those of the messages by primary key: what a list begins with, where clocks differ.
    """
    ledger = _Ledger(load.acks, times or {})
    return [
        *(found for sight in load.sights for found in _faults_of_sight(ledger, sight)),
        *_faults_of_order(load.sights),
        *_faults_of_unchanged(ledger, load.sights),
    ]


class _Ledger:
    """What was acknowledged, to be asked what of it was known at a moment."""

    def __init__(self, acks, times):
        self.acks = sorted(acks, key=lambda ack: ack.ended)
        new = [ack for ack in self.acks if ack.kind in ("send", "reply")]
        new.sort(key=lambda ack: times.get(ack.letter.pk, ""))  # if known
        self._newest_first = new[::-1]
        self._ends = [ack.ended for ack in self.acks]
        self.revisions = defaultdict(list)
        self.deleted, self.deleting = {}, {}
        for ack in self.acks:
            self.revisions[ack.letter.key].append(ack)
            if ack.kind == "delete":
                self.deleted[ack.letter.key] = ack.ended
                self.deleting[ack.letter.key] = ack.began

    def before(self, moment):
        return self.acks[: bisect_left(self._ends, moment)]

    def revision(self, key, moment):
        """Return the latest revision of a message that was acknowledged before `moment`."""
        known = [ack.revision for ack in self.revisions[key] if ack.ended < moment]
        return max(known, default=0)

    def recent(self, moment, number, wanted):
        """Return the newest messages then that are like `wanted`, and that nobody deletes."""
        found = []
        for ack in self._newest_first:
            if ack.ended < moment and wanted(ack.letter) and not self._goes(ack.letter):
                found.append(ack.letter)
                if len(found) == number:
                    break
        return found

    def _goes(self, letter):
        return letter.is_deleted or letter.top.is_deleted


def _faults_of_sight(ledger, sight):
    if sight.answer.status != 200:
        return
    began, where = sight.answer.began, f"{sight.kind} of person {sight.person}"
    if sight.foreign:
        yield f"P2: {where} shows messages of others: {sorted(sight.foreign)[:3]}"
    for key, revision in sight.shown.items():
        if ledger.deleted.get(key, began) < began:
            yield f"P4: {where} shows message {key}, which was deleted"
        if revision < (known := ledger.revision(key, began)):
            yield f"P1: {where} shows revision {revision} of {key}, not {known}"
    for letter in _missing(ledger, sight):
        yield f"P1: {where} doesn't show message {letter.key}"


def _missing(ledger, sight):
    began, me = sight.answer.began, sight.person
    if sight.kind == "talk":
        pair = {me, sight.about}
        wanted = ledger.recent(began, RECENT, lambda letter: letter.people == pair)
        return [letter for letter in wanted if letter.key not in sight.shown]
    if sight.kind == "thread":
        wanted = ledger.recent(began, RECENT, lambda letter: letter.top is sight.about)
        return [letter for letter in wanted if letter.key not in sight.shown]
    wanted = ledger.recent(began, RECENT_THREADS, lambda letter: me in letter.people)
    shown = {top_of.key for key in sight.shown for top_of in _tops(ledger, key)}
    unknown = any(not ledger.revisions.get(key) for key in sight.shown)
    # A line of the inbox shows the last message of a thread, which may not be acknowledged yet.
    return [] if unknown else [letter for letter in wanted if letter.top.key not in shown]


def _tops(ledger, key):
    return {ack.letter.top.key: ack.letter.top for ack in ledger.revisions.get(key, [])}.values()


def _faults_of_order(sights):
    newest = defaultdict(int)
    for sight in sorted(sights, key=lambda sight: sight.answer.began):
        for key, revision in sight.shown.items():
            if revision < newest[sight.person, key]:
                yield f"P3: {sight.kind} of person {sight.person} shows an older text of {key}"
            newest[sight.person, key] = max(revision, newest[sight.person, key])


def _faults_of_unchanged(ledger, sights):
    """A write that was begun after a page had come, and was over when it polled, is a change."""
    came = {}
    for sight in sorted(sights, key=lambda sight: sight.answer.began):
        if sight.kind != "poll":
            continue
        answer = sight.answer
        if answer.status == 200:
            came[sight.person, answer.headers.get("hx-ptag")] = answer.ended
        elif answer.status == 304:
            since = came.get((sight.person, sight.ptag), answer.began)
            for ack in reversed(ledger.before(answer.began)):
                if ack.ended < since:
                    break
                if ack.began > since and sight.person in ack.letter.people:
                    yield f"P5: a poll of person {sight.person} is told that nothing changed"
                    break
