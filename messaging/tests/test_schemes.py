"""The idea behind `messaging.fragments`, apart from any code of it: see `schemes`."""

from collections import Counter

import pytest

from . import schemes

SCHEDULES = 400
CONDITIONS = {
    "healthy": {},
    "evicting": {"is_evicting": True},
    "lossy": {"is_lossy": True},
    "evicting and lossy": {"is_evicting": True, "is_lossy": True},
}


def seen(scheme, condition="healthy", schedules=SCHEDULES):
    total = Counter()
    for seed in range(schedules):
        total += schemes.run(scheme, seed, **CONDITIONS[condition])
    return total


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_version_read_before_the_load_shows_nothing_stale_or_foreign(condition):
    assert seen(schemes.VersionInKey(), condition, schedules=1500) == {}


def test_a_version_read_after_the_load_is_caught():
    assert seen(schemes.VersionReadAfterLoad())["stale"]


def test_a_key_without_a_version_is_caught():
    assert seen(schemes.KeyWithoutVersion())["stale"]


def test_a_key_without_the_person_is_caught():
    assert seen(schemes.KeyWithoutPerson())["foreign"]


def test_deleting_on_commit_is_caught():
    assert seen(schemes.DeleteOnCommit())["stale"]


def test_deleting_before_the_commit_is_caught():
    assert seen(schemes.DeleteBeforeCommit())["stale"]


def test_a_stamp_that_is_only_in_the_cache_is_caught():
    assert seen(schemes.StampOnlyInCache())["stale"]


def test_a_page_is_found_again_while_nothing_is_written():
    """A scheme that stored nothing would be right, too."""
    world = schemes.World(None)
    first, again = (list(schemes.VersionInKey().read(world, "alice")) for _ in range(2))
    assert len(again) < len(first)  # without a load there are fewer stops on the way
