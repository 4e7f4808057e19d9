"""From what a person typed to HTML, and what changed between two versions."""

import random
import re
import time
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from django.template.defaultfilters import date
from django.utils.translation import override
from hypothesis import example, given, settings
from hypothesis import strategies as st

from messaging.markdown import TAGS
from messaging.text import diff_words, render_text, write_moment


class Tags(HTMLParser):
    """The elements of a piece of HTML, each with its attributes, and its text."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


# --- Rendering ---


def test_lines_and_paragraphs_are_kept():
    html = render_text("One\ntwo\n\nThree")
    assert html.count("<p") == 2
    assert re.search(r"One<br ?/?>two", html)


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><div hx-get="/admin/" hx-trigger="load">',
    "</p></div></article><h1>Hello</h1>",
    "<a href='javascript:alert(1)'>x</a>",
    "{{ 7*7 }} {% csrf_token %} <!-- --> <![CDATA[x]]>",
    'http://a.example/"onmouseover="alert(1)',
    "http://a.example/'><script>alert(1)</script>",
    "http://<script>alert(1)</script>.example",
    'rel="nofollow" <p> <p dir="rtl">',
    "&lt;script&gt; &#60;script&#62;",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_is_shown_and_never_done(text):
    tags = Tags(render_text(text))
    for tag, attributes in tags.elements:
        assert tag in {"p", "br", "a"}
        assert set(attributes) <= {"href", "rel", "dir"}
    assert tags.text.replace("\n", "") == text.replace("\n", "")


@settings(deadline=None)
@given(st.text(alphabet="<>\"'&;:/.@()[] \nahtps=\u202e\u2028x", max_size=80))
def test_no_text_makes_an_element_of_its_own(text):
    for tag, attributes in Tags(render_text(text)).elements:
        assert tag in TAGS
        assert set(attributes) <= {"href", "rel", "dir", "start"}
        assert re.match(r"(https?://|mailto:)", attributes.get("href", "mailto:"))


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("see http://example.org/a?b=1&c=2.", "http://example.org/a?b=1&c=2"),
        ("example.org", "http://example.org"),
        ("http://localhost:8000/a", "http://localhost:8000/a"),
        ("http://example.org:80", "http://example.org:80"),
        ("http://example.org/a:b", "http://example.org/a:b"),
        ("(https://example.org/x)", "https://example.org/x"),
        ("write to carol@example.org", "mailto:carol@example.org"),
    ],
)
def test_addresses_become_links(text, href):
    [(_, attributes)] = [found for found in Tags(render_text(text)).elements if found[0] == "a"]
    assert attributes["href"] == href


def test_links_say_nothing_about_where_they_were():
    [(_, attributes)] = [
        found for found in Tags(render_text("http://example.org")).elements if found[0] == "a"
    ]
    assert set(attributes["rel"].split()) >= {"noopener", "noreferrer", "nofollow", "ugc"}


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "javascript:x.com",
        "javascript://x.com/%0aalert(1)",
        "ftp://example.org/a",
        "data:text/html,x.org",
        "file:///etc/passwd",
        "https://bank.example:secret@x.org",
    ],
)
def test_other_schemes_are_no_links(text):
    assert render_text(text) == f'<p dir="auto">{text}</p>'


def test_each_paragraph_finds_its_own_direction():
    assert render_text("مرحبا\n\nHello").count('dir="auto"') == 2


PATTERNS = ["(", "<", "&", ".", "a.", "@", "a@", "www.", "http://", "http://a.b/(", "&amp;", "\n"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_5000_characters_take_long_to_render(pattern):
    began = time.process_time()
    render_text((pattern * 5000)[:5000])
    render_text("http://a.example/" + (pattern * 5000)[:4900])
    assert time.process_time() - began < 1


# --- What changed ---


def told(pieces, without):
    return "".join(text for kind, text in pieces if kind != without)


def test_words_are_added_and_removed():
    assert diff_words("See you at six.", "See you at half past seven.") == [
        ("same", "See you at "),
        ("removed", "six."),
        ("added", "half past seven."),
    ]


def test_several_changes_are_several_pieces():
    assert diff_words("a b c d e", "a X c d Y") == [
        ("same", "a "),
        ("removed", "b"),
        ("added", "X"),
        ("same", " c d "),
        ("removed", "e"),
        ("added", "Y"),
    ]


def test_what_is_the_same_is_one_piece():
    assert diff_words("Hello there", "Hello there") == [("same", "Hello there")]


def test_between_nothing_and_nothing_there_is_nothing():
    assert diff_words("", "") == []
    assert diff_words("", "Hello") == [("added", "Hello")]
    assert diff_words("Hello", "") == [("removed", "Hello")]


WORDS = st.lists(st.sampled_from(["a", "b", "c", " ", "  ", "\n", "é", "🎉"]), max_size=24)


@settings(deadline=None)
@given(WORDS.map("".join), WORDS.map("".join))
@example("a b", "a b b")
@example("a a a", "a a")
def test_the_pieces_tell_both_texts(old, new):
    pieces = diff_words(old, new)
    assert told(pieces, without="added") == old
    assert told(pieces, without="removed") == new
    assert all(text for _, text in pieces)
    kinds = [kind for kind, _ in pieces]
    assert all(one != next_one for one, next_one in pairwise(kinds))


@pytest.mark.parametrize("seed", range(5))
def test_the_pieces_of_long_texts_tell_both_texts(seed):
    randomly = random.Random(seed)  # noqa: S311
    old = "".join(randomly.choice("ab \n") for _ in range(5000))
    cut = randomly.randrange(5000)
    for new in (old[:cut] + "x" + old[cut:], old[::-1], old.replace("\n", " \n")[:5000]):
        pieces = diff_words(old, new)
        assert told(pieces, without="added") == old
        assert told(pieces, without="removed") == new


def test_a_small_change_of_a_long_text_is_a_small_piece():
    words = [str(number) for number in range(1200)]
    old, new = " ".join(words), " ".join([*words[:600], "here", *words[600:]])
    pieces = diff_words(old, new)
    assert [text for kind, text in pieces if kind == "added"] in (["here "], [" here"])
    assert told(pieces, without="same").split() == ["here"]


def test_no_two_versions_take_long_to_compare():
    shuffled = random.Random(1)  # noqa: S311
    words = [chr(0x4E00 + number) for number in range(2500)]
    some = [shuffled.choice(words[:60]) for _ in range(2500)]
    pairs = [
        ("\n".join(words)[:5000], "\n ".join(words)[:5000]),
        (" ".join(words), " ".join(reversed(words))),
        (" ".join(some), " ".join(reversed(some))),
        ("a b " * 1250, "b a " * 1250),
    ]
    for old, new in pairs:
        began = time.process_time()
        diff_words(old, new)
        assert time.process_time() - began < 0.5


# --- Moments ---


@pytest.mark.parametrize("language", ["en", "de", "fr", "ar", None])
def test_a_moment_is_written_as_the_filter_writes_it(language):
    with override(language):
        for month in range(1, 13):
            moment = datetime(2026, month, month * 2, month, 5, tzinfo=UTC)
            assert write_moment(moment) == date(moment, "SHORT_DATETIME_FORMAT")
