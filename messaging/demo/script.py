"""Reads the script of the demo: conversations as a person can write them, times and all.

A message is a line that names the writer, then its text, two spaces further in. Its replies stand
below it in the same way, two spaces further in again:

    @alice to bob, 12d 18:30        twelve days ago, at half past six
      Is that your drum in the hall?
      @bob +4m                      four minutes after the message it answers
        No. Yes.
        ~ +2m                       edited two minutes after it was sent, to:
        It *was* in the hall.
      @bob +1d 08:05, unread        the next day, at five past eight
        It's in the garden.
      @bob 35m, deleted +1m         thirty-five minutes ago; deleted a minute later

Only a first message says to whom. Lines of a paragraph are joined, an empty line starts another
paragraph, a line that starts with "| " stays a line. What starts with # in the first column is a
comment.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

FOLDER = Path(__file__).parent / "threads"

HEADER = re.compile(r"@(?P<sender>[^\s,]+)(?: to (?P<receiver>[^\s,]+),)? (?P<when>[^,]+)")
UNREAD = ", unread"
DELETED = re.compile(r", deleted (?P<when>\+[^,]+)")
WHEN = re.compile(
    r"(?P<after>\+)?(?:(?P<days>\d+)d ?)?(?:(?P<hours>\d+)h ?)?(?:(?P<minutes>\d+)m)?"
    r"(?P<clock>\d\d:\d\d)?"
)


@dataclass(eq=False)
class Entry:
    """One message of the script."""

    sender: str
    receiver: str
    sent_at: datetime
    parent: "Entry | None" = None
    is_unread: bool = False
    deleted_at: datetime | None = None
    versions: list = field(default_factory=list)  # of (since when, lines of text)

    @property
    def content(self):
        """What it said first."""
        return fold(self.versions[0][1])

    @property
    def edits(self):
        """The later texts, each with its time."""
        return [(edited_at, fold(lines)) for edited_at, lines in self.versions[1:]]

    @property
    def root(self):
        return self.parent.root if self.parent else self


def read_script(now):
    """Return every entry of the script in order of time, its times counted back from `now`."""
    entries = []
    for path in sorted(FOLDER.glob("*.txt")):
        try:
            entries += read_thread(path.read_text(encoding="utf-8"), now)
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from error
    return sorted(entries, key=lambda entry: entry.sent_at)


def read_thread(text, now):
    """Return the entries of one file, parents before their replies."""
    entries, branch = [], []  # branch: the entry at each level of the line we are at
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        words = line.strip()
        if words.startswith("@"):
            level = (len(line) - len(words)) // 2
            if level > len(branch):
                raise ValueError(f"Indented further than a reply to anything: {words}")
            parent = branch[level - 1] if level else None
            branch[level:] = [_read_header(words, parent, now)]
            entries.append(branch[-1])
        elif words.startswith("~ "):
            edited_at = moment(words[2:], after=branch[-1].sent_at, now=now)
            branch[-1].versions.append((edited_at, []))
        elif branch:
            branch[-1].versions[-1][1].append(words)
    return entries


def _read_header(words, parent, now):
    header = HEADER.match(words)
    if header is None or bool(header["receiver"]) == bool(parent):
        raise ValueError(f"Who writes to whom, and when? {words}")
    sent_at = moment(header["when"], after=parent and parent.sent_at, now=now)
    marks = words[header.end() :]
    deleted = DELETED.search(marks)
    sender = header["sender"]
    return Entry(
        sender=sender,
        receiver=header["receiver"] or _other(parent, sender),
        sent_at=sent_at,
        parent=parent,
        is_unread=UNREAD in marks,
        deleted_at=deleted and moment(deleted["when"], after=sent_at, now=now),
        versions=[(sent_at, [])],
    )


def _other(parent, sender):
    return parent.receiver if sender == parent.sender else parent.sender


def moment(words, *, after, now):
    """Return the time that `words` mean: `+…` is counted from `after`, the rest back from `now`."""
    found = WHEN.fullmatch(words)
    if not words or found is None:
        raise ValueError(f"What time is {words!r}?")
    step = timedelta(**{unit: int(found[unit] or 0) for unit in ("days", "hours", "minutes")})
    result = after + step if found["after"] else now - step
    if found["clock"]:
        hour, minute = map(int, found["clock"].split(":"))
        result = result.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if result > now or (after and result <= after):
        raise ValueError(f"{words!r} is in the future, or not after what it follows.")
    return result


def fold(lines):
    """Return the text that these lines of the script stand for."""
    text = "\n".join(lines).strip("\n")
    text = re.sub(r"(?<!\n)\n(?![\n|])", " ", text)
    return re.sub(r"^\| ", "", text, flags=re.MULTILINE)
