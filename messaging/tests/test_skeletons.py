"""What is filled in has to be what the template would have rendered."""

import uuid
from itertools import product

import pytest
from django.utils.safestring import mark_safe
from django.utils.translation import override

from messaging import fragments, skeletons
from messaging.forms import blocked_notice
from messaging.skeletons import MARK, Skeleton
from messaging.templatetags.messaging import NAVIGATION
from messaging.views import articles, rows, threads

TEXT = mark_safe(f"<p>{MARK}id{MARK}</p>")  # noqa: S308
NAMES = ["alice", "<b>&'\"", f"a{MARK}pk{MARK}b", ""]
FLAGS = ["is_mine", "is_deleted", "is_unread", "is_target", "is_accessed"]


def flags(*names):
    for values in product([True, False], repeat=len(names)):
        yield dict(zip(names, values, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_an_article_is_what_its_template_renders(name):
    words = {"pk": "7", "author": name, "initial": name[:1], "tint": "3"}
    words |= {"fragment": mark_safe("<p>Tom &amp; Jerry</p>"), "access_url": "/messages/7/access/"}
    for shape in flags(*FLAGS):
        assert articles.ARTICLE.fill(shape, words) == articles.ARTICLE.render(shape, words)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_with_a_message_is_what_its_template_renders(name):
    words = {"pk": "7", "author": name, "initial": name[:1], "tint": "3", "level": "2"}
    words |= {"fragment": mark_safe("<p>Tom &amp; Jerry</p>"), "fields": ""}
    words |= {"access_url": "/messages/7/access/", "to": name}
    for shape in flags(*FLAGS, "is_branch", "is_reply"):
        shape["kind"] = "message"
        assert rows.ROW.fill(shape, words) == rows.ROW.render(shape, words)


@pytest.mark.parametrize("name", NAMES)
def test_a_row_in_time_order_is_what_its_template_renders(name):
    words = {"pk": "7", "author": name, "initial": name[:1], "tint": "3", "fields": "", "to": name}
    words |= {"fragment": mark_safe("<p>Tom &amp; Jerry</p>"), "to_url": "#message-6"}
    words |= {
        "to_iso": "2026-05-01T12:00:00+00:00",
        "to_at": "1 May",
        "access_url": "/messages/7/access/",
    }
    for shape in flags("is_mine", "is_reply", "is_to_deleted", "is_first_new", "is_accessed"):
        shape |= dict.fromkeys(["is_deleted", "is_unread", "is_target"], False) | {"kind": "flat"}
        assert rows.ROW.fill(shape, words) == rows.ROW.render(shape, words)


def test_a_row_that_leads_on_is_what_its_template_renders():
    words = {"level": "2", "id": "message-7-replies", "url": "/messages/7/replies/?level=1&after=9"}
    for shape in flags("is_unread", "is_earlier"):
        for kind, count in product(["more", "continue"], [None, 1, 2, 12_345]):
            whole = shape | {"kind": kind, "count": count}
            assert rows.ROW.fill(whole, words) == rows.ROW.render(whole, words)


def test_a_message_is_what_its_template_renders():
    words = {"id": "message-7", "revision": "2", "url": "/messages/7/", "sent_at": "1 May"}
    words |= {"sent_iso": "2026-05-01T12:00:00+00:00", "text": TEXT}
    for shape in flags("is_deleted", "is_edited", "is_mine", "is_emoji"):
        assert fragments.MESSAGE.fill(shape, words) == fragments.MESSAGE.render(shape, words)


@pytest.mark.parametrize("name", NAMES)
def test_the_navigation_is_what_its_template_renders(name):
    words = {"unread": "3", "bell": "12", "name": name, "initial": name[:1], "tint": "3"}
    words["csrf_token"] = "aB3"
    for shape in flags("has_unread", "has_bell", "many_unread", "many_bell"):
        for here in ("inbox", "conversation", "message-create", "notification-list", "thread", ""):
            whole = shape | {"here": here}
            assert NAVIGATION.fill(whole, words) == NAVIGATION.render(whole, words)


@pytest.mark.parametrize("name", filter(None, NAMES))
def test_the_form_at_the_foot_of_a_thread_is_what_its_template_renders(name):
    words = {"csrf_token": "aB3", "client_token": str(uuid.uuid4()), "other_name": name}
    words |= {"reply_url": "/messages/7/reply/", "notice": blocked_notice(name)}
    for shape in flags("has_blocked"):
        assert threads.COMPOSER.fill(shape, words) == threads.COMPOSER.render(shape, words)


def test_each_language_has_its_own(settings):
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    words = {"level": "2", "id": "message-7-replies", "url": "/"}
    shape = {"kind": "more", "is_unread": False, "is_earlier": False, "count": 12_345}
    for language in ("en", "de", "en"):
        with override(language):
            assert rows.ROW.fill(shape, words) == rows.ROW.render(shape, words)


def test_words_are_escaped_unless_they_are_safe():
    skeleton = Skeleton("messaging/_message.html#message-fragment")
    words = dict.fromkeys(["id", "revision", "url", "sent_at", "sent_iso"], "x")
    shape = {"is_deleted": False, "is_edited": False, "is_mine": False, "is_emoji": False}
    assert "<i>" not in skeleton.fill(shape, words | {"text": "<i>"})
    assert "<i>" in skeleton.fill(shape, words | {"text": mark_safe("<i>")})


def test_only_so_many_shapes_are_kept(monkeypatch):
    monkeypatch.setattr(skeletons, "MOST", 5)
    skeleton = Skeleton("messaging/thread.html#thread-row", lambda row: {"row": row})
    words = {"level": "2", "id": "message-7-replies", "url": "/"}
    for count in range(2, 20):
        row = skeleton.fill({"kind": "more", "count": count}, words)
        assert f"{count} more replies" in row
        assert len(skeleton._known) <= 5
