"""Counting: exact in the database, for nothing in memory, and never more than the rate says."""

import random
from contextlib import suppress

import pytest
from django.db import connection

from messaging import throttles
from messaging.models import ThrottleCount
from messaging.throttles import DAY, HOUR, MINUTE, Limit, Minutes, Rate, Throttled, count

from .test_races import at_once, expect

pytestmark = pytest.mark.django_db

FIVE = Limit("five", (Rate(5, MINUTE),))
TWO = Limit("two", (Rate(2, MINUTE),))
BOTH = Limit("both", (Rate(3, MINUTE), Rate(5, HOUR)))
HOT = Limit("hot", (Rate(3, HOUR),), slows=(FIVE, Rate(1, MINUTE)))


def is_counted(*args):
    try:
        count(*args)
    except Throttled:
        return False
    return True


def passed(number, *args):
    """Try so many times; return how often it was let pass."""
    return sum(is_counted(*args) for _ in range(number))


def wait(subjects):
    with pytest.raises(Throttled) as refused:
        count(subjects)
    return refused.value.retry_after


# --- What a rate lets pass ---


def test_as_many_pass_as_the_rate_says(clock):
    assert passed(9, {FIVE: "alice"}) == 5


def test_who_is_refused_is_told_when_it_will_be_let_pass(clock):
    for _ in range(5):
        count({FIVE: "alice"})
        clock.now += 7
    assert wait({FIVE: "alice"}) == 25  # the first was 35 seconds ago
    clock.now += 24
    assert wait({FIVE: "alice"}) == 1
    clock.now += 1
    assert passed(9, {FIVE: "alice"}) == 1


def test_who_keeps_trying_waits_no_longer(clock):
    assert passed(5, {FIVE: "alice"}) == 5
    for _ in range(MINUTE - 1):
        clock.now += 1
        assert not is_counted({FIVE: "alice"})
    clock.now += 1
    assert passed(9, {FIVE: "alice"}) == 5


def test_no_stretch_of_time_has_more_than_the_rate_says(clock):
    chance, moments = random.Random(3), []  # noqa: S311
    for _ in range(400):
        clock.now += chance.choice([0.000001, 0.2, 3, 11, 50])
        latest = [moment for moment in moments if moment > clock.now - MINUTE]
        assert is_counted({FIVE: "alice"}) == (len(latest) < 5)
        if len(latest) < 5:
            moments.append(clock.now)


def test_each_rate_of_a_limit_holds(clock):
    assert passed(9, {BOTH: "alice"}) == 3
    clock.now += MINUTE
    assert passed(9, {BOTH: "alice"}) == 2
    clock.now += MINUTE
    assert wait({BOTH: "alice"}) == HOUR - 2 * MINUTE


def test_each_subject_is_counted_for_itself(clock):
    assert passed(9, {FIVE: "alice"}) == 5
    assert passed(9, {FIVE: "bob"}) == 5
    assert passed(9, {TWO: "alice"}) == 2


def test_over_one_limit_nothing_is_counted_under_the_others(clock):
    assert passed(9, {FIVE: "alice", TWO: "here"}) == 2
    assert passed(9, {FIVE: "alice"}) == 3


def test_what_is_given_back_was_never_counted(clock):
    for _ in range(9):
        count({FIVE: "alice", BOTH: "alice"}).give_back(FIVE)
        if not is_counted({BOTH: "alice"}):
            break
        clock.now += 1
    assert passed(9, {FIVE: "alice"}) == 5


def test_only_that_try_is_given_back(clock):
    tries = []
    for _ in range(5):
        tries.append(count({FIVE: "alice"}))
        clock.now += 1
    tries[0].give_back(FIVE)
    assert passed(9, {FIVE: "alice"}) == 1
    assert wait({FIVE: "alice"}) == MINUTE - 4  # the second is the first now


def test_a_limit_that_slows_another_refuses_nobody(clock):
    assert [passed(9, {HOT: "alice", FIVE: here}) for here in "abcd"] == [3, 1, 1, 1]
    clock.now += MINUTE
    assert passed(9, {HOT: "alice", FIVE: "a"}) == 1
    clock.now += HOUR
    assert passed(9, {HOT: "alice", FIVE: "a"}) == 3


def test_off_is_off(clock, settings):
    settings.MESSAGING_THROTTLES = False
    assert passed(99, {FIVE: "alice"}) == 99
    count({FIVE: "alice"}).give_back(FIVE)
    assert not ThrottleCount.objects.exists()


# --- How it is kept ---


def test_several_limits_cost_one_statement(clock):
    statements = []

    def note(execute, sql, *args):
        statements.append(sql.split()[0])
        return execute(sql, *args)

    with connection.execute_wrapper(note):
        this = count({FIVE: "alice", TWO: "here"})
        this.give_back(FIVE, TWO)
    # The test is a transaction: in earnest there is none around, and so no savepoint.
    assert statements == ["SAVEPOINT", "INSERT", "RELEASE", "INSERT"]


def test_nobody_can_be_read_out_of_it(clock):
    count({FIVE: "alice@example.com", TWO: "192.0.2.7"})
    told = str(list(ThrottleCount.objects.values()))
    assert "alice" not in told
    assert "192" not in told


def test_no_more_is_kept_than_is_looked_at(clock):
    for _ in range(30):
        clock.now += MINUTE
        count({TWO: "alice"})
    assert len(ThrottleCount.objects.get().tries) == 3 * throttles.WIDTH


def test_what_no_rate_looks_back_to_is_pruned(clock):
    count({FIVE: "alice"})
    count({BOTH: "alice"})
    clock.now += MINUTE
    count({FIVE: "bob"})
    clock.now += 0.001
    throttles.prune()
    assert ThrottleCount.objects.count() == 2
    clock.now += HOUR
    throttles.prune()
    assert not ThrottleCount.objects.exists()


# --- Many at once ---


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_at_once_as_many_pass_as_the_rate_says():
    tries = [lambda: passed(10, {FIVE: "alice", HOT: "alice"})] * 10
    assert sum(expect(result) for result in at_once(*tries)) == 5 - 2  # from the fourth on, slowed


@pytest.mark.django_db(transaction=True)
def test_tries_given_back_at_once_leave_the_count_as_it_was():
    def try_and_give_back():
        for _ in range(10):
            with suppress(Throttled):
                count({FIVE: "alice", TWO: "here", BOTH: "alice"}).give_back(FIVE, TWO, BOTH)
            throttles.prune()

    for result in at_once(*[try_and_give_back] * 8):
        expect(result)
    assert passed(9, {FIVE: "alice"}) == 5


# --- Looking ---


@pytest.fixture
def minutes():
    return Minutes()


def looks(minutes, number, subject="alice"):
    """Look so many times; return how often that was let pass."""
    passed = 0
    for _ in range(number):
        with suppress(Throttled):
            minutes.count(FIVE, subject)
            passed += 1
    return passed


def test_as_many_looks_pass_in_a_minute(clock, minutes):
    assert looks(minutes, 9) == 5
    assert looks(minutes, 9, "bob") == 5


def test_what_was_looked_at_in_the_minute_before_counts_in_part(clock, minutes):
    clock.now -= clock.now % MINUTE - 1
    assert looks(minutes, 9) == 5
    with pytest.raises(Throttled) as refused:
        minutes.count(FIVE, "alice")
    assert refused.value.retry_after == MINUTE - 1
    clock.now -= 1
    clock.now += MINUTE
    assert looks(minutes, 9) == 0
    clock.now += MINUTE / 2
    assert looks(minutes, 9) == 2
    clock.now += 2 * MINUTE
    assert looks(minutes, 9) == 5


def test_minutes_that_are_over_are_forgotten(clock, minutes):
    for number in range(100):
        minutes.count(FIVE, number)
    clock.now += DAY
    minutes.count(FIVE, "alice")
    assert (len(minutes._counts), len(minutes._before)) == (1, 0)
