"""One fault on one site, and what came of it."""

import time
import traceback
from dataclasses import dataclass

from .faults import Fault, Findings
from .site import NotRunnable

SHORT = 4  # seconds
PASSED, FAILED, NOT_RUNNABLE = "passed", "failed", "not runnable"


@dataclass
class Outcome:
    fault: Fault
    shape: str
    state: str
    measured: str
    took: float = 0  # seconds


def try_one(fault, site, *, is_short):
    """Try one fault; whatever becomes of it, the site is well again afterwards."""
    findings, started = Findings(), time.monotonic()
    try:
        fault.run(site, _seconds(fault, is_short), findings)
        state = FAILED if findings.faults else PASSED
    except NotRunnable as reason:
        state, findings.faults = NOT_RUNNABLE, [str(reason)]
    except Exception as error:
        traceback.print_exc()
        state, findings.faults = FAILED, [*findings.faults, f"{type(error).__name__}: {error}"]
    site.start()
    site.wait_until_well()
    measured = "; ".join([*findings.figures, *(f"BUT {one}" for one in findings.faults)])
    if state == NOT_RUNNABLE:
        measured = "; ".join(findings.faults)
    return Outcome(fault, site.shape, state, measured, time.monotonic() - started)


def _seconds(fault, is_short):
    """Return how long the load lasts; None for a fault in full that has none of its own."""
    return SHORT if is_short else fault.seconds or None
