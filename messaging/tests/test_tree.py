"""What a page shows of a thread, whatever its shape, and what it never takes away again."""

import random

import pytest
from django.db import transaction
from django.http import QueryDict
from django.utils.http import int_to_base36
from hypothesis import given
from hypothesis import strategies as st

from messaging import tree
from messaging.models import Message
from messaging.page_state import PageState
from messaging.services import ThreadService
from messaging.tree import DEEPEST_LEVEL, Tree, expand

from .nightly import examples
from .trees import Shape, grow

pytestmark = pytest.mark.django_db


# With limits as narrow as these, small trees meet the edges too.
NARROW = {"SHOWN": 9, "PAGE": 3, "UNREAD": 9, "OPENED": 6, "OPENED_ROWS": 5}


class Page:
    """What a reader has on screen: the rows, changed by each link followed and each poll."""

    def __init__(self, viewer, target, *, is_branch=False, state=None):
        self.viewer, self.target, self.is_branch = viewer, target, is_branch
        self._take(state or PageState(is_branch=is_branch))

    def _take(self, state):
        fresh = Tree(self.viewer, self.target, state)
        self.rows, self.marker, self.top, self.levels = (
            fresh.rows,
            fresh.marker,
            fresh.top,
            fresh.levels,
        )

    @property
    def shown(self):
        return [row.node.pk for row in self.rows if row.kind == "message"]

    @property
    def links(self):
        return [row for row in self.rows if row.kind == "more"]

    @property
    def new(self):
        return [row.node.pk for row in self.rows if row.kind == "message" and row.is_unread]

    @property
    def fields(self):
        """The hidden fields, as the next poll brings them."""
        fields = QueryDict(mutable=True)
        state = PageState.of(self.rows, is_branch=self.is_branch, levels=self.levels)
        for name, value in state.fields:
            fields.appendlist(name, value)
        return fields

    def follow(self, row):
        """Expand a "more" in its place."""
        parent = Message.objects.get(pk=row.node.pk)
        place = self.rows.index(row)
        self.rows[place : place + 1] = expand(
            self.viewer, parent, after=row.after, before=row.before, level=row.level - 1
        )

    def follow_all(self):
        while links := self.links:
            self.follow(links[0])

    def poll(self):
        self._take(PageState.parse(self.fields))


@st.composite
def forests(draw):
    """Draw a source of chance and how to use it: its numbers shrink well, and are quick."""
    is_narrow = draw(st.booleans())
    return {
        "limits": NARROW if is_narrow else {},
        "size": draw(st.integers(1, 60 if is_narrow else 300)),
        "chance": random.Random(draw(st.integers(0, 2**16))),  # noqa: S311
        "depth": draw(st.sampled_from([0, 0.3, 0.6, 0.95, 1])),  # how often to answer the latest
        "width": draw(st.sampled_from([0, 0.3, 0.9])),  # how often to answer the first
        "unread": draw(st.sampled_from([0, 0.02, 0.3, 1])),
        "deleted": draw(st.sampled_from([0, 0.1, 0.8])),
    }


def shapes_of(chance, size, depth, width, unread, deleted, start=0):
    """Return that many shapes; the first is a first message if `start` is 0."""
    shapes = []
    for place in range(start, start + size):
        parent = None
        if place:
            answers = chance.random()
            parent = chance.randrange(place)
            if answers < depth:
                parent = place - 1
            elif chance.random() < width:
                parent = 0
        is_read = chance.random() >= unread
        shapes.append(Shape(parent, is_mine=chance.random() < 0.4, is_read=is_read))
        shapes[-1].minute = place if chance.random() < 0.9 else chance.randrange(300)
    if not start:
        for place in {shape.parent for shape in shapes} - {None}:
            shapes[place].is_deleted = chance.random() < deleted
    return shapes


def of_any_shape(test):
    """Give the test threads of many shapes, each in a transaction of its own."""

    def undone(*args, forest, **kwargs):
        with transaction.atomic(), pytest.MonkeyPatch.context() as patch:
            for name, limit in forest.pop("limits").items():
                patch.setattr(tree, name, limit)
            test(*args, forest=forest, **kwargs)
            transaction.set_rollback(True)

    undone.__name__, undone.__wrapped__ = test.__name__, test
    return examples(8)(given(forest=forests())(undone))


def grown(viewer, other, forest):
    message_list = grow(viewer, other, shapes_of(**forest))
    return {message.pk: message for message in message_list}


def some_target(messages, forest):
    return messages[forest["chance"].choice(list(messages))]


def check_order(page, messages):
    """Each row stands below its parent, one level deeper; siblings stand in the order of ids."""
    levels, line = {}, []
    for row in page.rows:
        if row.kind != "message":
            continue
        node = messages[row.node.pk]
        assert node.pk not in levels
        if not levels:
            assert row.level == 0
        else:
            assert row.level == levels[node.parent_message_id] + 1
            # Depth first: the parent is in the line that leads to the row above.
            while line[-1] != node.parent_message_id:
                line.pop()
        levels[node.pk] = row.level
        line.append(node.pk)
    for parent in levels:
        replies = [pk for pk in levels if messages[pk].parent_message_id == parent]
        assert replies == sorted(replies)
    return levels


def check_gaps(page, messages, levels):
    """Where something is hidden below a row, a link says so; where nothing is, none does."""
    linked = {row.node.pk for row in page.rows if row.kind != "message"}
    hiding = {
        message.parent_message_id
        for message in messages.values()
        if message.pk not in levels and message.parent_message_id in levels
    }
    assert linked == hiding


@of_any_shape
def test_rows_stand_in_order_and_say_what_is_hidden(alice, bob, forest):
    messages = grown(alice, bob, forest)
    page = Page(alice, some_target(messages, forest))
    levels = check_order(page, messages)
    check_gaps(page, messages, levels)
    assert page.target.pk in levels
    assert max(levels.values()) <= DEEPEST_LEVEL
    if messages[page.top.pk].parent_message_id is None:
        assert page.top.pk == min(messages)


@of_any_shape
def test_every_link_of_more_leads_to_all_that_was_hidden_once(alice, bob, forest):
    messages = grown(alice, bob, forest)
    page = Page(alice, some_target(messages, forest))
    page.follow_all()
    levels = check_order(page, messages)
    check_gaps(page, messages, levels)
    deep = {row.node.pk for row in page.rows if row.kind == "continue"}
    assert all(levels[pk] == DEEPEST_LEVEL for pk in deep)
    below = {pk for pk in messages if is_below(messages, pk, page.top.pk, but=deep)}
    assert set(levels) == below


def is_below(messages, pk, top, but):
    """Whether a message is `top` or hangs below it, with none of `but` in between."""
    while pk != top:
        pk = messages[pk].parent_message_id
        if pk is None or pk in but:
            return False
    return True


@of_any_shape
def test_following_the_branches_on_reaches_every_message(alice, bob, forest):
    messages = grown(alice, bob, forest)
    waiting, seen, entered = [messages[min(messages)]], set(), set()
    while waiting:
        target = waiting.pop()
        page = Page(alice, target)
        page.follow_all()
        seen |= set(page.shown)
        entered.add(target.pk)
        ahead = {row.node.pk for row in page.rows if row.kind == "continue"}
        waiting += [messages[pk] for pk in ahead - entered]
    assert seen == set(messages)


@of_any_shape
def test_nothing_unread_is_marked_without_being_shown(alice, bob, forest):
    messages = grown(alice, bob, forest)
    target = some_target(messages, forest)
    for is_branch in (False, True):
        page = Page(alice, target, is_branch=is_branch)
        if page.marker is None:
            continue
        marker = Message.objects.get(pk=page.marker)
        received = Message.objects.filter(thread=target.thread).received_by(alice)
        marked = received.unread().not_deleted().up_to(marker)
        assert set(marked.values_list("pk", flat=True)) <= set(page.shown)


@of_any_shape
def test_what_is_unread_is_marked_new_or_its_branch_is(alice, bob, forest):
    messages = grown(alice, bob, forest)
    page = Page(alice, messages[min(messages)])
    unread = [m for m in messages.values() if m.receiver == alice and not m.read]
    unread = [m.pk for m in unread if not m.is_deleted]
    assert set(page.new) == set(unread) & set(page.shown)


@of_any_shape
def test_a_poll_takes_no_row_away(alice, bob, forest):
    messages = grown(alice, bob, forest)
    chance, target = forest["chance"], some_target(messages, forest)
    page = Page(alice, target, is_branch=chance.random() < 0.2)
    for _ in range(chance.randrange(4)):
        if page.links:
            page.follow(chance.choice(page.links))
    before = page.shown
    page.poll()
    assert set(before) <= set(page.shown)
    check_order(page, messages)
    again = page.shown
    page.poll()
    assert set(again) <= set(page.shown)


@of_any_shape
def test_a_poll_takes_no_row_away_after_all_was_read_and_more_arrived(alice, bob, forest):
    messages = grown(alice, bob, forest)
    chance, target = forest["chance"], some_target(messages, forest)
    page = Page(alice, target)
    for _ in range(3):
        if page.links:
            page.follow(chance.choice(page.links))
        before, new = page.shown, page.new
        if page.marker and chance.random() < 0.7:
            ThreadService.mark_read(alice, message=Message.objects.get(pk=page.marker))
        onto = list(messages.values())
        living = [place for place, message in enumerate(onto) if not message.is_deleted]
        if living:
            news = [Shape(chance.choice(living), is_read=False) for _ in range(chance.randrange(6))]
            messages = {message.pk: message for message in grow(alice, bob, news, onto=onto)}
        page.poll()
        assert set(before) <= set(page.shown)
        assert set(new) <= set(page.new)
        check_order(page, messages)


@of_any_shape
def test_whatever_the_fields_say_only_this_thread_is_shown(alice, bob, forest):
    messages = grown(alice, bob, forest)
    elsewhere = grow(alice, bob, [Shape(), Shape(0), Shape(1)])
    chance, target = forest["chance"], some_target(messages, forest)
    state = PageState.parse(QueryDict(garbage(chance, [*messages, *(m.pk for m in elsewhere)])))
    page = Page(alice, target, state=state)
    levels = check_order(page, messages)
    check_gaps(page, messages, levels)
    assert target.pk in levels


def garbage(chance, pks):
    """Return a query that might be meant as the state of a page."""

    def number():
        choices = [0, 1, chance.choice(pks), chance.choice(pks), 2**62, 2**63, 36**12]
        return int_to_base36(chance.choice(choices))

    def word():
        if chance.random() < 0.2:
            return chance.choice(["", ".", "-1", "é", "1_0", "%00", "1" * 5000, " 1", "+", "0.0"])
        return ".".join(number() for _ in range(chance.randrange(1, 5)))

    names = ["open", "open", "new", "levels", "branch", "at"]
    return "&".join(
        f"{chance.choice(names)}={'_'.join(word() for _ in range(chance.randrange(5)))}"
        for _ in range(chance.randrange(8))
    )


@of_any_shape
def test_a_page_that_is_too_large_still_leads_everywhere(alice, bob, monkeypatch, forest):
    monkeypatch.setattr(tree, "LOADED", 12)
    messages = grown(alice, bob, forest)
    page = Page(alice, some_target(messages, forest))
    levels = check_order(page, messages)
    check_gaps(page, messages, levels)
    assert page.target.pk in levels
    page.follow_all()
    check_gaps(page, messages, check_order(page, messages))


def test_what_a_page_was_too_large_to_load_has_its_link(alice, bob, monkeypatch):
    for name, limit in {"LOADED": 5, "SHOWN": 9, "PAGE": 1}.items():
        monkeypatch.setattr(tree, name, limit)
    shapes = [Shape(), Shape(0), Shape(1), Shape(2), Shape(2, is_read=False)]
    message_list = grow(alice, bob, [*shapes, *(Shape(0) for _ in range(10))])
    messages = {message.pk: message for message in message_list}
    page = Page(alice, message_list[0])
    page.follow_all()
    check_gaps(page, messages, check_order(page, messages))
    assert set(page.shown) == set(messages)


# --- What it costs ---


def first_with(viewer, other, shapes):
    """Grow a thread of these shapes and return its first message."""
    return grow(viewer, other, shapes)[0]


def a_chain(length):
    return [Shape(place - 1 if place else None) for place in range(length)]


def a_star(size, **flags):
    return [Shape(), *(Shape(0, **flags) for _ in range(size - 1))]


@pytest.mark.parametrize(
    "shapes",
    [a_star(10), a_star(1000), a_chain(50), a_star(1000, is_read=False), a_chain(400)],
    ids=["10 replies", "1000 replies", "depth 50", "1000 unread", "depth 400"],
)
def test_a_tree_costs_two_queries(alice, bob, shapes, django_assert_num_queries):
    first = first_with(alice, bob, shapes)
    with django_assert_num_queries(2):
        page = Page(alice, first)
    assert len(page.shown) <= tree.SHOWN + tree.PAGE
    with django_assert_num_queries(2):
        page.poll()
    for row in page.links[:1]:
        with django_assert_num_queries(2):  # one of them is the test's own
            page.follow(row)


def test_ten_thousand_replies_open_like_a_hundred(alice, bob, django_assert_num_queries):
    first = first_with(alice, bob, a_star(10_001))
    last = Message.objects.order_by("pk").last()
    for target in (first, last):
        with django_assert_num_queries(2):
            page = Page(alice, target)
        assert target.pk in page.shown
        assert len(page.shown) <= tree.SHOWN + tree.PAGE
    before = page.shown
    page.follow(page.links[-1])
    page.poll()
    assert set(before) <= set(page.shown)


@pytest.mark.parametrize("is_read", [True, False])
def test_a_bushy_tree_stays_within_bounds(alice, bob, is_read):
    chance = random.Random(1)  # noqa: S311
    shapes = [Shape()]
    shapes += [Shape(chance.randrange(n), is_read=is_read) for n in range(1, 1500)]
    page = Page(alice, first_with(alice, bob, shapes))
    assert len(page.rows) <= 1500
    line = f"GET /messages/{page.target.pk}/?{page.fields.urlencode()} HTTP/1.1"
    assert len(line) < 4000  # what servers take


def test_a_page_with_much_open_fits_into_an_address(alice, bob):
    branches = [Shape(3) for _ in range(4)]
    replies = [Shape(4 + place % 4) for place in range(180)]
    news = [Shape(8 + place, is_read=False) for place in range(180)]
    page = Page(alice, first_with(alice, bob, [*a_chain(4), *branches, *replies, *news]))
    assert len(page.new) == 180
    assert len(page.fields.urlencode()) < 3500
    assert sum(map(len, page.fields.lists())) < 10
    ThreadService.mark_read(alice, message=Message.objects.get(pk=page.marker))
    before = page.shown
    page.poll()
    assert set(before) <= set(page.shown)
    assert len(page.new) == 180


def test_a_full_page_loses_nothing_to_what_arrives(alice, bob):
    shapes = [*a_star(150), *(Shape(1 + place % 100) for place in range(45))]
    message_list = grow(alice, bob, shapes)
    page = Page(alice, message_list[0])
    before = page.shown
    assert len(before) == 195
    grow(alice, bob, [Shape(0, is_mine=True) for _ in range(300)], onto=message_list)
    for _ in range(2):
        page.poll()
        assert set(before) <= set(page.shown)
        assert len(page.shown) < 250


def test_many_unread_branches_stay_open_when_they_are_read(alice, bob):
    branches = [Shape(3) for _ in range(4)]
    replies = [Shape(4 + place % 4) for place in range(180)]
    below = [Shape(8 + place, is_read=place < 360) for place in range(540)]
    page = Page(alice, first_with(alice, bob, [*a_chain(4), *branches, *replies, *below]))
    ThreadService.mark_read(alice, message=Message.objects.latest("pk"))
    before = page.shown
    page.poll()
    assert set(before) <= set(page.shown)


def test_unread_replies_among_many_others_are_shown_and_not_all_of_these(alice, bob):
    tops = [Shape(3) for _ in range(40)]
    replies = [Shape(4 + place % 40, is_read=place >= 40) for place in range(2000)]
    page = Page(alice, first_with(alice, bob, [*a_chain(4), *tops, *replies]))
    assert len(page.new) == 40
    assert len(page.shown) < 1000


def test_of_too_many_unread_the_earliest_are_shown(alice, bob, monkeypatch):
    monkeypatch.setattr(tree, "UNREAD", 3)
    tops = [Shape(3) for _ in range(6)]
    unread = [Shape(4 + place, is_read=False, minute=100 - place) for place in range(6)]
    message_list = grow(alice, bob, [*a_chain(4), *tops, *unread])
    page = Page(alice, message_list[0])
    assert page.new == [message.pk for message in message_list[-3:]]
    assert page.marker == message_list[-3].pk


# --- Small trees, told one by one ---


def test_the_first_three_levels_are_open(alice, bob):
    first = first_with(alice, bob, a_chain(6))
    page = Page(alice, first)
    assert [row.kind for row in page.rows] == ["message"] * 4 + ["more"]
    assert [row.level for row in page.rows] == [0, 1, 2, 3, 4]
    assert page.links[0].count == 1


def test_a_branch_with_something_unread_is_open(alice, bob):
    shapes = a_chain(6)
    shapes[5].is_read = False
    page = Page(alice, first_with(alice, bob, shapes))
    assert len(page.shown) == 6
    assert page.marker == page.shown[-1]


def test_what_one_wrote_oneself_is_never_new(alice, bob):
    page = Page(alice, first_with(alice, bob, [Shape(is_mine=True, is_read=False)]))
    assert (page.new, page.marker) == ([], None)


def test_what_was_deleted_is_not_unread(alice, bob):
    shapes = a_chain(6)
    shapes[4].is_deleted, shapes[4].is_read = True, False
    page = Page(alice, first_with(alice, bob, shapes))
    assert (len(page.shown), page.marker) == (4, None)


def test_below_the_eighth_level_a_branch_goes_on_elsewhere(alice, bob):
    message_list = grow(alice, bob, a_chain(12))
    page = Page(alice, message_list[7])
    page.follow_all()
    assert page.rows[-1].kind == "continue"
    assert page.rows[-1].node.pk == message_list[8].pk
    deeper = Page(alice, message_list[8])
    assert deeper.shown[0] == message_list[4].pk
    assert message_list[9].pk in deeper.shown


def test_a_permalink_deep_down_begins_a_little_above(alice, bob):
    message_list = grow(alice, bob, a_chain(60))
    page = Page(alice, message_list[50])
    assert page.shown[:5] == [message.pk for message in message_list[46:51]]


def test_what_is_unread_beyond_the_list_is_said_at_its_link(alice, bob):
    shapes = a_chain(12)
    shapes[11].is_read = False
    page = Page(alice, first_with(alice, bob, shapes))
    assert page.rows[-1].kind == "continue"
    assert page.rows[-1].is_unread
    assert page.marker is None


def test_the_link_counts_replies_and_not_what_was_deleted(alice, bob):
    shapes = [*a_chain(4), Shape(3), Shape(3, is_deleted=True), Shape(5)]
    page = Page(alice, first_with(alice, bob, shapes))
    assert [row.count for row in page.links] == [1]
    page.follow(page.links[0])
    assert len(page.shown) == 6


def test_the_middle_of_many_replies_has_links_on_both_sides(alice, bob):
    message_list = grow(alice, bob, [*a_chain(4), *(Shape(3) for _ in range(200))])
    target = message_list[100]
    page = Page(alice, target)
    assert target.pk in page.shown
    earlier, later = page.links
    assert (earlier.after, earlier.before) == (0, target.pk)
    assert later.after == target.pk + tree.PAGE - 1


def test_nobody_elses_thread_can_be_opened_by_fields(alice, bob, mallory):
    theirs = first_with(alice, bob, a_chain(3))
    mine = first_with(mallory, alice, a_chain(2))
    state = PageState.parse(QueryDict(f"open={int_to_base36(theirs.pk)}&levels=3.{'z' * 11}.1"))
    assert Page(mallory, mine, state=state).shown == [mine.pk, mine.pk + 1]


BROKEN = """
    open= open=_ open=1.2.3.4 open=%00 open=٣ open=1_0.5 open=zzzzzzzzzzzzz new=-1 new=1.2 new=+
    new=zzzzzzzzzzzz levels=1 levels=1.2.3.4 levels=x.y levels=zzzzzzzzzzzz.1.1 at=z branch
"""


@pytest.mark.parametrize("query", ["", "open=" + "1" * 5000, "&open=1.1.1" * 90, *BROKEN.split()])
def test_fields_that_are_not_as_they_should_be_are_passed_over(alice, bob, query):
    first = first_with(alice, bob, a_chain(3))
    assert len(Page(alice, first, state=PageState.parse(QueryDict(query))).shown) == 3


def test_the_fields_of_a_page_are_read_back_as_they_were(alice, bob):
    page = Page(alice, grow(alice, bob, [*a_chain(7), Shape(6, is_read=False)])[6])
    state = PageState.of(page.rows, levels=page.levels)
    assert state.opened
    assert state.new
    assert PageState.parse(page.fields) == state
