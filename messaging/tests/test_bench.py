"""The bench itself, on a handful of messages: that it measures what it says, and can fail."""

from types import SimpleNamespace

import pytest
from django.core.management import CommandError
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from messaging.bench import checks, floor, report, scene, scratch, works
from messaging.bench.caller import Answer, Caller
from messaging.bench.checks import Wrong
from messaging.bench.measure import Figures, measure
from messaging.bench.works import Work
from messaging.demo import scale

from .factories import reply, write


@pytest.fixture
def small(db, monkeypatch):
    """A scene with few threads, of which one is the largest."""
    monkeypatch.setattr(scale, "ENOUGH_FOR_HUGE", 1)
    monkeypatch.setattr(scale, "HUGE_THREAD", 800)
    monkeypatch.setattr(scene, "THREADS", 40)
    floor.install()
    return scene.find_or_make()


@pytest.fixture
def caller(small, no_throttles):  # `make bench` has none either
    signals = [request_started, request_finished]
    for signal in signals:  # they would close the connection that the test is in the midst of
        signal.disconnect(close_old_connections)
    yield Caller(small.me)
    for signal in signals:
        signal.connect(close_old_connections)


def figures(**fields):
    standard = {"milliseconds": 2.0, "floor": 1.0, "spread": 0.1, "queries": 2, "hits": 0}
    return Figures(**standard | {"misses": 0, "kilobytes": 1.0, "weight": 400} | fields)


# --- Measuring ---


def test_every_work_can_be_measured_and_shows_what_it_should(small, caller):
    for work in works.works(small, caller):
        found = measure(caller, work, samples=1)
        assert found.ratio > 0, work.name
        assert not work.queries or found.queries <= work.queries, work.name


def test_a_scene_is_made_once(small):
    assert scene.find_or_make() == small


def test_the_floor_knows_who_asks(small, caller):
    answer = caller.get(floor.ADDRESS)
    assert (answer.status, answer.body) == (200, small.me.get_username().encode())


def test_the_shapes_are_shown_whole(small):
    for first, length in ((small.forty, 40), (small.two_hundred, 200)):
        assert len(checks.thread_page(first)) == length


# --- Checking ---


def page(*articles, status=200):
    body = "".join(
        f'<article class="m" id="message-{pk}">{text}</article>' for pk, text in articles
    )
    return Answer(status, {}, body.encode())


CHECK = checks.is_page(checks.ARTICLE, lambda: [(1, "Tom & Jerry"), (2, "Yes")])


def test_a_page_that_shows_what_it_should_is_right():
    CHECK(page((1, "<p>Tom &amp; Jerry</p>"), (2, "<p>Yes</p>")))


@pytest.mark.parametrize(
    "answer",
    [
        page((1, "Tom &amp; Jerry")),
        page((2, "Yes"), (1, "Tom &amp; Jerry")),
        page((1, "Tom &amp; Jerry"), (2, "No")),
        page((1, "Tom &amp; Jerry"), (2, "Yes"), (3, "And")),
        page((1, "Tom &amp; Jerry"), (2, "Yes"), status=500),
    ],
    ids=["missing", "out of order", "another text", "one too many", "an error"],
)
def test_a_page_that_shows_anything_else_is_wrong(answer):
    with pytest.raises(Wrong):
        CHECK(answer)


def test_a_304_has_no_body():
    checks.is_unchanged(Answer(304, {}, b""))
    for answer in (Answer(304, {}, b"x"), Answer(200, {}, b"")):
        with pytest.raises(Wrong):
            checks.is_unchanged(answer)


def test_a_thread_is_read_depth_first(alice, bob):
    first = write(alice, bob)
    one, two = reply(first), reply(first)
    below = reply(one, "Below")
    pks = [pk for pk, _ in checks.thread_page(first.pk)]
    assert pks == [first.pk, one.pk, below.pk, two.pk]


# --- Judging ---


@pytest.mark.parametrize(
    ("bars", "found"),
    [
        ({"bar": 2}, {"milliseconds": 2.1}),
        ({"queries": 2}, {"queries": 3}),
        ({"weight": 400}, {"weight": 401}),
        ({"kilobytes": 1}, {"kilobytes": 1.1}),
        ({"like": ("other", 1.2)}, {"milliseconds": 2.5}),
    ],
)
def test_a_bar_that_falls_short_is_said(bars, found):
    def judge(**fields):
        line, _ = report.judge(
            [Work("this", None, None, **bars), Work("other", None, None)],
            {"this": figures(**fields), "other": figures()},
        )
        return line

    assert judge().failures == []
    (failure,) = judge(**found).failures
    assert failure.startswith("this: ")
    assert "**missed**" in "".join(judge(**found).cells())


def test_more_data_may_cost_a_fifth_more():
    work = Work("this", None, None)
    for ratio, number in ((1.7, 0), (1.6, 1)):
        (line,) = report.judge([work], {"this": figures()}, {"this": ratio})
        assert len(line.failures) == number


def test_the_report_names_versions_and_the_date(db):
    about = report.versions() | {"messages": 28_000, "floor": 1.0, "spread": 0.1}
    about |= {"loads": [{"name": "poll", "rate": 100, "ratio": 1.1, "p95": 0.01}], "peers": []}
    lines = report.judge([Work("this", None, None)], {"this": figures()})
    for written in (report.as_text(about, lines), report.as_markdown(about, lines)):
        assert "Django" in written
        assert "28,000 messages" in written
        assert "100/s" in written
    assert '"ratio": 2.0' in report.as_json(about, lines)


# --- The scratch database ---


def test_a_database_where_people_live_is_refused(alice, monkeypatch):
    monkeypatch.setattr(scratch, "use", lambda name: None)
    monkeypatch.setattr(scratch, "Path", lambda name: SimpleNamespace(exists=lambda: True))
    with (
        pytest.raises(CommandError, match="1 people who are not of the bench"),
        scratch.scratch_database("parley"),
    ):
        pytest.fail("it went on")


def test_it_is_beside_the_sites_own(settings):
    own = str(settings.DATABASES["default"]["NAME"])
    assert scratch.default_name() != own
    assert "bench" in scratch.default_name("-1000000")
