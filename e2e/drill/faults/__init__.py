"""The faults, F1 to F26, each with what is done, what must hold, and the function that tries it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

BOTH = ("sqlite", "servers")
SQLITE, SERVERS = BOTH[:1], BOTH[1:]
KNOWN = []


class Findings:
    """What a fault is found to do: figures, and sentences about what doesn't hold."""

    def __init__(self):
        self.figures, self.faults = [], []

    def say(self, figure):
        self.figures.append(figure)

    def expect(self, holds, otherwise):
        if not holds:
            self.faults.append(otherwise)

    def expect_none(self, faults, what):
        """Expect an empty list: of faults that an audit or a checker has found."""
        faults = list(faults)
        self.say(f"{what}: {len(faults) or 'nothing'}")
        self.faults += faults[:5]


@dataclass
class Fault:
    number: str
    name: str
    injection: str
    bar: str
    seconds: float  # of load, in full
    shapes: tuple
    run: Callable


def fault(number, name, *, injection, bar, seconds=0, shapes=BOTH):
    """Register a function of (site, seconds, findings) as the one that tries this fault."""

    def register(run):
        KNOWN.append(Fault(number, name, injection, bar, seconds, shapes, run))
        return run

    return register


def known():
    """Return all faults, in the order of their numbers."""
    from . import browser, clock, postgres, processes, races, redis, size, sqlite  # noqa: F401

    return sorted(KNOWN, key=lambda fault: int(fault.number.removeprefix("F")))


TIMES = "SELECT id, timestamp FROM messaging_message"


def check_load(site, load, findings):
    """Hold what was acknowledged and shown against the database: after every fault the same."""
    from ..audit import audit
    from ..coherence import breaches

    kinds = Counter(one.is_write for one in load.tries)
    findings.say(f"{len(load.acks)} acknowledged writes, {kinds[False]} reads")
    findings.expect(load.acks, "nothing was acknowledged at all")
    findings.expect_none(audit(site, load), "missing, doubled or altered")
    times = {pk: str(moment) for pk, moment in site.query(TIMES)}
    findings.expect_none(breaches(load, times), "stale or foreign pages")


def check_no_loss(load, findings):
    """Expect that everybody got through in the end: with every write, and every page."""
    findings.expect(not load.lost, f"{len(load.lost)} writes failed after all tries")
    gave_up = [one for one in load.sights if one.answer.status not in (200, 304, 404)]
    findings.expect(not gave_up, f"{len(gave_up)} reads failed after all tries")


def failures(load):
    """Count by status the tries that failed, but for writes that were told to come again."""
    writes = load.bad(writes=True)
    del writes[503]
    return load.bad(writes=False) + writes


def told(counter):
    """Write a count by status as words."""
    words = [f"{number} × {status or 'no answer'}" for status, number in sorted(counter.items())]
    return ", ".join(words) or "none"


def ms(seconds):
    return f"{1000 * seconds:.0f} ms"
