"""The faults that every commit is tried with, a few seconds each; `make drill` tries them all."""

import pytest

from e2e.drill.faults import known
from e2e.drill.site import SHAPES, NotRunnable, Site
from e2e.drill.trial import FAILED, NOT_RUNNABLE, try_one

FOR_EACH_COMMIT = {"F1", "F4", "F6", "F15", "F16", "F20", "F21"}
CASES = [
    pytest.param(shape, fault, id=f"{fault.number}-{shape}")
    for shape in SHAPES
    for fault in known()
    if fault.number in FOR_EACH_COMMIT and shape in fault.shapes
]


@pytest.fixture(scope="module")
def sites():
    """Sites by their shape, each begun when first asked for."""
    begun = {}

    def site(shape):
        if shape not in begun:
            begun[shape] = Site(shape)
            begun[shape].begin()
        return begun[shape]

    yield site
    for one in begun.values():
        one.end()


@pytest.mark.parametrize(("shape", "fault"), CASES)
def test_what_was_acknowledged_is_there_exactly_once(sites, shape, fault):
    try:
        site = sites(shape)
    except NotRunnable as reason:
        pytest.skip(f"not runnable here: {reason}")
    outcome = try_one(fault, site, is_short=True)
    if outcome.state == NOT_RUNNABLE:
        pytest.skip(f"not runnable here: {outcome.measured}")
    assert outcome.state != FAILED, f"{fault.name}: {outcome.measured}"
