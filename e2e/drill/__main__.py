"""`make drill`: try every fault that this machine allows, and say in a table what came of it.

`--only F6 --only F7`, `--shape sqlite|servers|both`, `--short` (a few seconds each), `--write` (put
what came of it into the table of deploy/FAULTS.md).
"""

import argparse
import os
import signal
import sys

from . import report
from .faults import BOTH, known
from .site import NotRunnable, Site
from .trial import FAILED, NOT_RUNNABLE, Outcome, try_one


def main():
    options = _options()
    wanted = [fault for fault in known() if not options.only or fault.number in options.only]
    shapes = BOTH if options.shape == "both" else (options.shape,)
    outcomes = []
    for shape in shapes:
        mine = [fault for fault in wanted if shape in fault.shapes]
        outcomes += try_all(mine, shape, is_short=options.short)
    outcomes.sort(key=lambda outcome: int(outcome.fault.number.removeprefix("F")))
    if options.write:
        report.write(outcomes, is_short=options.short)
    states = [outcome.state for outcome in outcomes]
    print("\n" + ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)))
    sys.exit(FAILED in states)


def _options():
    parser = argparse.ArgumentParser(prog="python -m e2e.drill", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="F6")
    parser.add_argument("--shape", choices=[*BOTH, "both"], default="both")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def try_all(faults, shape, *, is_short):
    """Try these faults on one site of this shape; return the outcomes, told as they come."""
    print(f"==> {report.SHAPES[shape]}", flush=True)
    try:
        site = Site(shape)
    except NotRunnable as reason:
        return [_tell(Outcome(fault, shape, NOT_RUNNABLE, str(reason))) for fault in faults]
    try:
        site.begin()
        return [_tell(try_one(fault, site, is_short=is_short)) for fault in faults]
    finally:
        site.end()


def _tell(outcome):
    line = (
        f"{outcome.fault.number:4} {outcome.state:12} {outcome.took:5.1f} s  {outcome.fault.name}"
    )
    print(f"{line}: {outcome.measured}", flush=True)
    return outcome


def _end_in_order(*args):
    raise SystemExit(1)  # stops what was started


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end_in_order)
    os.umask(0o022)
    main()
