"""How the database goes about each list, asked at 100,000 messages: by an index, in its order."""

import json
import re

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from messaging import tree
from messaging.demo.scale import get_people
from messaging.models import Mailbox, Message, Notification, Participation
from messaging.page_state import Levels, PageState, Run
from messaging.paging import PageKey, newest_first
from messaging.templatetags.messaging import count_bell
from messaging.views.conversation import newest_messages
from messaging.views.inbox import TABS, InboxPage

pytestmark = pytest.mark.django_db

PEOPLE, LENGTH, THREADS, REPLIES = 200, 5, 18_000, 10_000
BEGIN = 1_750_000_000  # seconds since 1970
MOMENT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S', {}, 'unixepoch')",
    "postgresql": "to_timestamp({})",
}


@pytest.fixture(scope="module")
def people(django_db_setup, django_db_blocker):
    """The people of a large site, rolled back after the last test of this module."""
    with django_db_blocker.unblock(), transaction.atomic():
        found = get_people(PEOPLE, "plans")
        first = found[0].pk
        assert [person.pk for person in found] == list(range(first, first + PEOPLE))
        fill(first)
        yield found
        transaction.set_rollback(True)


@pytest.fixture
def me(people):
    Mailbox.objects.get_or_create(user=people[0])
    return people[0]


# --- Lists: the rows come in the order of an index, so that a page costs the same anywhere ---


@pytest.mark.parametrize("place", ["first", "later"])
@pytest.mark.parametrize("tab", TABS)
def test_a_tab_of_the_inbox(me, tab, place):
    moment_field = TABS[tab].moment_field
    places = Participation.objects.filter(user=me).exclude(**{moment_field: None})
    middle = places.order_by(moment_field)[places.count() // 2]
    before = PageKey(getattr(middle, moment_field), middle.pk) if place == "later" else None
    page = InboxPage(me, tab, before=before)
    plans = plans_of(lambda: page.row_list)
    assert len(page.row_list) == 25
    assert_straight(plans, at_least=1)
    assert any(f"participation_{'listed' if tab == 'all' else tab}" in plan for plan in plans)


@pytest.mark.parametrize("place", ["first", "later"])
@pytest.mark.parametrize("with_whom", ["everyone", "one"])
def test_a_conversation(people, me, with_whom, place):
    other = people[1] if with_whom == "one" else None
    middle = Message.objects.filter(sender=me).order_by("timestamp")[9_000]
    before = PageKey(middle.timestamp, middle.pk) if place == "later" else None
    assert_straight(plans_of(lambda: list(newest_messages(me, other, before, 51))), at_least=2)


def test_the_bell(me):
    found = Notification.objects.visible_to(me).with_message()
    assert_straight(
        plans_of(lambda: list(newest_first(found, "created_at", before=None, limit=26)))
    )
    assert_indexed(plans_of(lambda: count_bell(me.pk)))


def test_what_is_unread(me):
    found = Message.unread.for_user(me)
    assert found.count() > 500
    assert_indexed(plans_of(lambda: list(found.order_by("timestamp", "pk")[:25])))


# --- A thread: what is found is bounded by what is shown, so it may be sorted; but no scan ---


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_thread_of_ten_thousand_replies(me, place):
    replies = Message.objects.filter(thread=THREADS + 1).order_by("pk")
    target = replies[{"first": 0, "middle": REPLIES // 2, "last": REPLIES}[place]]
    plans = plans_of(lambda: tree.Tree(me, target))
    assert_indexed(plans, at_least=2)
    assert not any("(thread_id=?)" in plan for plan in plans)  # SQLite's words for all of it


def test_a_thread_with_branches_opened(me):
    first = Message.objects.filter(thread=THREADS + 1).order_by("pk").first()
    runs = (Run(first.pk, first.pk + 500, first.pk + 600), Run(first.pk + 3))
    state = PageState(levels=Levels(1, first.pk + 150), opened=runs)
    assert_indexed(plans_of(lambda: tree.Tree(me, first, state)), at_least=2)


@pytest.mark.parametrize("where", ["after", "before"])
def test_an_expansion(me, where):
    first = Message.objects.filter(thread=THREADS + 1).order_by("pk").first()
    rows = []
    plans = plans_of(lambda: rows.extend(tree.expand(me, first, **{where: first.pk + 5_000})))
    assert len(rows) > tree.PAGE
    assert_indexed(plans)


# --- What a message on its own costs ---


def test_the_message_of_a_page(me):
    pk = Message.objects.filter(thread=THREADS + 1).first().pk
    visible = Message.objects.visible_to(me).with_people().select_related("thread")
    assert_straight(plans_of(lambda: visible.get(pk=pk)))


def test_finding_what_was_shared_with_somebody(people, me):
    shared = Message.objects.visible_to(me).not_deleted().between(me, people[50])
    assert_indexed(plans_of(shared.exists))


# --- Asking for plans ---

FEW = 1_000  # rows that may be read through or sorted: as many as one page can hold, or one pair

# What is scanned besides is bounded: the ways to a few messages, and results in memory.
SCAN = re.compile(r"SCAN (?!p\b|path\b|unread\b|first\b|\(subquery|SUBQUERY|CONSTANT)\S+")
SORT = re.compile(r"USE TEMP B-TREE FOR (?:LAST \d+ TERMS? OF )?ORDER BY")


def plans_of(deed):
    """Return the plan of each query that `deed` makes."""
    with CaptureQueriesContext(connection) as captured:
        deed()
    return [explain(query["sql"]) for query in captured.captured_queries]


def explain(sql):
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN' if is_sqlite else '(FORMAT JSON)'} {sql}")
        if is_sqlite:
            return "\n".join(row[-1] for row in cursor.fetchall())
        return json.dumps(cursor.fetchone()[0], indent=1)


def has_scan(plan):
    """Whether a table of messages is read from its beginning to its end."""
    if connection.vendor == "sqlite":
        return SCAN.search(plan)
    return any(
        node["Node Type"] == "Seq Scan"
        and node["Relation Name"].startswith("messaging_")
        and node["Plan Rows"] > 1
        for node in nodes(json.loads(plan)[0]["Plan"])
    )


def has_sort(plan):
    """Whether rows are put in order, more of them than a few."""
    if connection.vendor == "sqlite":
        return SORT.search(plan)
    found = nodes(json.loads(plan)[0]["Plan"])
    return any(node["Node Type"] == "Sort" and node["Plan Rows"] > FEW for node in found)


def nodes(plan):
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def assert_indexed(plans, at_least=1):
    assert len(plans) >= at_least
    for plan in plans:
        assert not has_scan(plan), plan


def assert_straight(plans, at_least=1):
    assert_indexed(plans, at_least)
    for plan in plans:
        assert not has_sort(plan), plan


def test_a_scan_and_a_sort_are_found(me):
    assert has_scan(explain("SELECT content FROM messaging_message"))
    assert has_sort(explain("SELECT id FROM messaging_message ORDER BY content"))


# --- The data ---

# Not all tables there are: PostgreSQL's own may be held by who makes a database elsewhere.
ANALYZE = [f'ANALYZE "{table}"' for table in connection.introspection.django_table_names()]


def fill(me):
    """Write it in a few statements; every other thread is the first person's."""
    # ruff: noqa: S608 (numbers of our own)
    numbers = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {} - 1) "
    one = f"CASE WHEN t % 2 = 0 THEN {me} ELSE {me + 1} + t % {PEOPLE - 1} END"
    two = f"CASE WHEN t % 2 = 0 THEN {me + 1} + (t / 2) % {PEOPLE - 1} ELSE {{}} END"
    two = two.format(f"{me + 1} + (t + 7) % {PEOPLE - 1}")
    moment = MOMENT[connection.vendor]
    threads, messages = numbers.format(THREADS + 1), numbers.format(THREADS * LENGTH)
    replies = numbers.format(REPLIES + 1)
    first = THREADS * LENGTH + 1  # of the thread with all the replies
    columns = (
        "id, sender_id, receiver_id, content, timestamp, read, edited, parent_message_id, "
        "thread_id, depth, reply_count, revision"
    )
    statements = [
        f"""INSERT INTO messaging_thread (id, message_count, version)
            {threads} SELECT i + 1, {LENGTH}, 1 FROM n""",
        f"""INSERT INTO messaging_message ({columns})
            {messages}, m AS (SELECT i, i / {LENGTH} AS t, i % {LENGTH} AS k FROM n),
            p AS (SELECT i, t, k, {one} AS one, {two} AS two FROM m)
            SELECT i + 1, CASE WHEN k % 2 = 0 THEN one ELSE two END,
                CASE WHEN k % 2 = 0 THEN two ELSE one END, 'Number ' || i,
                {moment.format(f"{BEGIN} + i")}, NOT (t % 10 < 2 AND k > 2), {"false"},
                CASE WHEN k = 0 THEN NULL ELSE i END, t + 1, k, CASE WHEN k = 4 THEN 0 ELSE 1 END, 1
            FROM p""",
        f"""INSERT INTO messaging_message ({columns})
            {replies}
            SELECT {first} + i, {me} + i % 2, {me} + 1 - i % 2, 'Reply ' || i,
                {moment.format(f"{BEGIN} + i * 9")}, i <> {REPLIES // 2}, {"false"},
                CASE WHEN i = 0 THEN NULL ELSE {first} END, {THREADS + 1},
                CASE WHEN i = 0 THEN 0 ELSE 1 END, CASE WHEN i = 0 THEN {REPLIES} ELSE 0 END, 1
            FROM n""",
        *ANALYZE,  # what follows reads what stands above
        """UPDATE messaging_thread SET last_message_id =
            (SELECT max(id) FROM messaging_message m WHERE m.thread_id = messaging_thread.id)""",
        *(
            f"""INSERT INTO messaging_participation
            (thread_id, user_id, last_activity, sent_at, unread_count)
            SELECT thread_id, {mine}, max(timestamp), max(timestamp),
                sum(CASE WHEN {mine} = receiver_id AND NOT read THEN 1 ELSE 0 END)
            FROM (SELECT m.*, f.sender_id AS s, f.receiver_id AS r FROM messaging_message m
                JOIN messaging_message f ON f.thread_id = m.thread_id AND f.depth = 0) AS x
            GROUP BY thread_id, {mine}"""
            for mine in ("s", "r")
        ),
        """INSERT INTO messaging_notification (user_id, message_id, created_at, is_read)
            SELECT receiver_id, id, timestamp, read FROM messaging_message""",
        *ANALYZE,
    ]
    if connection.vendor == "postgresql":
        statements.insert(0, "SET LOCAL statement_timeout = 0")  # no page takes as long
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    if connection.vendor == "postgresql":
        connection.check_constraints()  # once for all: each test would do it again
