"""The Markdown in a message is done; what only looks like it is text, and nothing else gets in."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.markdown import ATTRIBUTES, MOST, TAGS
from messaging.text import is_emoji, render_text

from .test_text import Tags

DONE = {
    "an *italic* word": "an <em>italic</em> word",
    "an _italic_ word": "an <em>italic</em> word",
    "a **bold** word": "a <strong>bold</strong> word",
    "say `<b>`": "say <code>&lt;b&gt;</code>",
    "```\na < b\n```": '<pre dir="auto" tabindex="0"><code>a &lt; b\n</code></pre>',
    "> so\n> it": '<blockquote dir="auto">\n<p dir="auto">so<br>\nit</p>\n</blockquote>',
    "- milk": '<ul dir="auto">\n<li dir="auto">milk</li>\n</ul>',
    "7. milk": '<ol start="7" dir="auto">\n<li dir="auto">milk</li>\n</ol>',
}


@pytest.mark.parametrize("text", DONE)
def test_markdown_is_done(text):
    html = render_text(text).strip()
    assert html in (DONE[text], f'<p dir="auto">{DONE[text]}</p>')


LITERAL = [
    ">",
    "*",
    "> >",
    "2*3*4 = 24",
    "5 * 3 * 2",
    "snake_case_name",
    r"¯\_(ツ)_/¯",
    r"C:\*.txt",
    "&lt;3 &amp; *",
    "# not a heading *",
    "--- *",
    "<b>*",
    "[x](javascript:alert(1))",
    "[x](/admin/)",
    "[x](https://bank.example:secret@evil.example)",
    "[x](data:text/html,a)",
    "[x]: http://example.org *",
    "javascript:x.com *",
]


@pytest.mark.parametrize("text", LITERAL)
def test_what_only_looks_like_markdown_is_shown_as_it_was_typed(text):
    tags = Tags(render_text(text))
    assert tags.text.strip() == text
    assert not {tag for tag, _ in tags.elements} - {"p", "a"}


def test_an_address_keeps_its_stars_and_underscores():
    html = render_text("see http://example.org/a_b*c*d_ and *this*")
    assert 'href="http://example.org/a_b*c*d_"' in html
    assert "<em>this</em>" in html


def test_a_link_says_where_it_leads():
    html = render_text("[https://bank.example](https://evil.example/x)")
    assert 'href="https://evil.example/x"' in html
    assert "<small>(evil.example)</small>" in html
    assert 'rel="noopener noreferrer nofollow ugc"' in html


@settings(deadline=None)
@given(st.text(alphabet="*_`[]()<>!#\"'&;:/.\\@-+~1 \n\tahtps\u202e", max_size=80))
def test_no_text_makes_anything_but_what_markdown_may(text):
    html = render_text(text)
    for tag, attributes in Tags(html).elements:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES.get(tag, set()) | {"rel"}
        assert re.match(r"(https?://|mailto:)", attributes.get("href", "mailto:"), re.IGNORECASE)
    for tag in TAGS - {"br"}:
        assert html.count(f"<{tag}>") + html.count(f"<{tag} ") == html.count(f"</{tag}>")


@pytest.mark.parametrize("piece", ["[", "*a ", "**a", "*a_b", "[a](", "`", "> ", "- a\n", "_a*"])
def test_no_5000_characters_of_marks_take_long_to_render(piece):
    began = time.process_time()
    render_text((piece * 5000)[:5000])
    few = piece * (MOST // len(re.findall(r"[*`\[_>-]", piece)))
    render_text((few + "x y " * 1250)[:5000])
    assert time.process_time() - began < 1


@pytest.mark.parametrize("text", ["🎉", " 🎉 ", "❤️👍🏽", "👨‍👩‍👧‍👦", "🇩🇪 🇫🇷", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "😀\n😀😀"])
def test_a_few_emoji_are_large(text):
    assert is_emoji(text)


@pytest.mark.parametrize("text", ["", " ", "a🎉", "🎉!", "🎉🎉🎉🎉", "12", "#", "→", "©", "…"])
def test_anything_else_is_not(text):
    assert not is_emoji(text)
