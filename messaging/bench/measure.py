"""CPU time of a request, beside that of the floor in the same moments."""

import time
from dataclasses import asdict, dataclass
from statistics import median

from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.tally import counts

from .floor import ADDRESS

CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")  # logged, but no queries
FLOORS = 2  # requests for the floor before each one that is measured


@dataclass
class Figures:
    milliseconds: float
    floor: float  # milliseconds, at the same time
    spread: float  # of the floor: (third quartile - first) / median
    queries: int
    hits: int
    misses: int
    kilobytes: float
    weight: int  # bytes with headers

    @property
    def ratio(self):
        return self.milliseconds / self.floor

    def as_dict(self):
        return asdict(self) | {"ratio": self.ratio}


def measure(caller, work, samples):
    """Return the figures of `work`, every answer of which is checked outside the clock."""
    work.prepare()
    work.check(work.ask())
    work.prepare()
    queries, hits, misses = _count(work.ask)
    times, floors = [], []
    for _ in range(samples):
        work.prepare()
        # After it, so that both find the processor as it was left.
        floors += [_clock(lambda: caller.get(ADDRESS))[0] for _ in range(FLOORS)]
        spent, answer = _clock(work.ask)
        times.append(spent)
        work.check(answer)
    floors.sort()
    quarter = len(floors) // 4
    return Figures(
        milliseconds=median(times) * 1000,
        floor=median(floors) * 1000,
        spread=(floors[-quarter - 1] - floors[quarter]) / median(floors),
        queries=queries,
        hits=hits,
        misses=misses,
        kilobytes=len(answer.body) / 1000,
        weight=answer.weight,
    )


def _count(ask):
    before = dict(counts)
    with CaptureQueriesContext(connection) as captured:
        ask()
    asked = [query["sql"] for query in captured]  # the next request empties the log
    number = sum(not sql.startswith(CONTROL) for sql in asked)
    return number, *(counts[name] - before.get(name, 0) for name in ("hits", "misses"))


def _clock(ask):
    begin = time.process_time()
    answer = ask()
    return time.process_time() - begin, answer
