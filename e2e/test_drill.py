"""The faults that every commit is tried with, a few seconds each; `make drill` tries them all."""

from types import SimpleNamespace

import pytest

from e2e.drill.audit import audit
from e2e.drill.coherence import breaches
from e2e.drill.faults import known
from e2e.drill.load import Ack, Letter, Load, Sight
from e2e.drill.people import Answer
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


# --- Who watches the watchers ---


def test_the_audit_sees_what_is_done_to_the_database(sites):
    site = sites("sqlite")
    with Load(site, seconds=2) as load:
        pass
    assert audit(site, load) == []
    last = {ack.letter.key: ack for ack in load.acks}
    one, two, three = [ack.letter for ack in last.values() if ack.kind == "send"][:3]
    site.do("UPDATE messaging_message SET content = content || '.' WHERE id = ?", one.pk)
    site.do("DELETE FROM messaging_notification WHERE message_id = ?", two.pk)
    site.do("UPDATE messaging_message SET client_token = NULL WHERE id = ?", three.pk)
    site.do("UPDATE messaging_mailbox SET version = 0")
    found = "\n".join(audit(site, load))
    assert f"message {one.pk} doesn't say what was acknowledged" in found
    assert f"message {two.pk} has 0 notifications" in found
    assert f"message {three.pk} has another client token" in found
    assert "mailbox 0 moved 0 times" in found


def history(*, delete_at=None):
    """A message from person 0 to person 1: sent by second 1, edited by second 3."""
    letter = Letter("a" * 12, 0, 1, pk=7)
    acks = [Ack("send", letter, 1, "", 0.5, 1), Ack("edit", letter, 2, "", 2.5, 3)]
    if delete_at:
        letter.is_deleted = True
        acks.append(Ack("delete", letter, 0, "", delete_at - 0.5, delete_at))
    return letter, acks


def sight(began, shown, *, status=200, had="", ptag="new", kind="talk", foreign=()):
    answer = Answer(status, "", {"hx-ptag": ptag}, began, began + 0.1)
    return Sight(1, kind, 0, dict(shown), answer, had, set(foreign))


KEY = "a" * 12


@pytest.mark.parametrize(
    ("found", "delete_at", "sights"),
    [
        (
            "",
            None,
            [sight(0.6, {}), sight(1.5, {KEY: 1}), sight(4, {KEY: 2})],
        ),
        ("P1", None, [sight(1.5, {})]),
        ("P1", None, [sight(4, {KEY: 1})]),
        ("P2", None, [sight(4, {KEY: 2}, foreign={"b" * 12})]),
        ("P3", None, [sight(2.6, {KEY: 2}), sight(2.8, {KEY: 1})]),
        ("P4", 5, [sight(6, {KEY: 2})]),
        ("", 5, [sight(6, {})]),
        (
            "P5",
            None,
            [sight(1.5, {KEY: 1}, kind="poll"), sight(4, {}, status=304, had="new", kind="poll")],
        ),
        (
            "",
            None,
            [sight(1.5, {KEY: 1}, kind="poll"), sight(2.8, {}, status=304, had="new", kind="poll")],
        ),
    ],
)
def test_the_checker_sees_each_breach_and_no_other(found, delete_at, sights):
    _, acks = history(delete_at=delete_at)
    told = breaches(SimpleNamespace(acks=acks, sights=sights))
    assert {sentence[:2] for sentence in told} == ({found} if found else set())
