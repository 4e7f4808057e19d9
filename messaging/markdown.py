"""A small, safe Markdown: bold, italic, code, quotes, lists and links, and nothing else.

HTML, images, headings and tables are text like any other, and so are escapes and entities: what
somebody typed without thinking of Markdown should look as it was typed.
"""

import re
from urllib.parse import urlsplit

import nh3
from django.utils.html import escape, strip_tags
from django.utils.safestring import mark_safe
from markdown_it import MarkdownIt
from markdown_it.rules_inline.emphasis import tokenize as tokenize_emphasis

from .links import REL, link_addresses

RULES = ["blockquote", "fence", "list", "newline", "address", "backticks", "emphasis", "link"]
RULES += ["balance_pairs", "fragments_join"]
BLOCKS = ["paragraph", "blockquote", "bullet_list", "ordered_list", "list_item"]
MOST = 300  # marks; a text of nothing else would take long to parse

# What may be Markdown; text without any of it need not be parsed.
MARKS = re.compile(r"[*`\[]|(?<!\w)_|_(?!\w)|^ {0,3}(?:>|[-+] |~~~|\d{1,9}[.)] )", re.MULTILINE)

TAGS = {"a", "blockquote", "br", "code", "em", "li", "ol", "p", "pre", "small", "strong", "ul"}
ATTRIBUTES = {tag: {"dir"} for tag in ("blockquote", "li", "p", "ul")}
ATTRIBUTES |= {"a": {"href"}, "ol": {"dir", "start"}, "pre": {"dir", "tabindex"}}
SCHEMES = {"http", "https", "mailto"}


def has_marks(content):
    """Say whether there may be Markdown in this text."""
    return 0 < sum(1 for _ in MARKS.finditer(content)) <= MOST


def render_markdown(content):
    """Return the text as HTML, which holds nothing but TAGS with ATTRIBUTES; "" if all is marks."""
    html = PARSER.render(content)
    # The parser makes nothing else; should it ever, this takes it away.
    html = nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, link_rel=REL)
    return mark_safe(html if strip_tags(html).strip() else "")  # noqa: S308


def _make_parser():
    parser = MarkdownIt("zero", {"breaks": True})
    parser.inline.ruler.before("backticks", "address", _find_address)
    parser.inline.ruler.at("emphasis", _find_emphasis)
    parser.enable(RULES)
    parser.validateLink = _is_address
    parser.add_render_rule("text", _render_text)
    parser.add_render_rule("link_close", _render_link_end)
    parser.add_render_rule("fence", _render_code)
    for block in BLOCKS:
        parser.add_render_rule(f"{block}_open", _render_block)
    return parser


# --- Parsing ---

HOST = re.compile(r"[a-z0-9.-]+(:\d+)?|\[[0-9a-f:.]+\](:\d+)?", re.IGNORECASE)  # and no name before

SCHEME = re.compile(r"\bhttps?$", re.IGNORECASE)
ADDRESS = re.compile(r"://[^\s<>\"`\[\]]*[^\s<>\"`\[\].,:;!?'*_)]")


def _find_address(state, silent):
    """Take a whole address, before its stars and underscores are taken for Markdown."""
    found = ADDRESS.match(state.src, state.pos)
    if silent or not found or not SCHEME.search(state.pending):
        return False
    state.pending += found[0]
    state.pos = found.end()
    return True


def _is_address(word):
    try:
        address = urlsplit(word)
    except ValueError:
        return False
    if address.scheme == "mailto":
        return "@" in address.path
    return address.scheme in SCHEMES and HOST.fullmatch(address.netloc) is not None


def _find_emphasis(state, silent):
    """Leave 2*3*4, snake_case and ¯\\_(ツ)_/¯ alone."""
    run = EMPHASIS.match(state.src, state.pos)
    if run:
        before, after = state.src[run.start() - 1 : run.start()], state.src[run.end() :][:1]
        is_inside = _is_word(before) and _is_word(after)
        is_outside = not (before.isalnum() or after.isalnum())
        if is_inside or (is_outside and run[0][0] == "_"):
            return False
    return tokenize_emphasis(state, silent)


EMPHASIS = re.compile(r"[*]+|_+")


def _is_word(character):
    return character.isascii() and character.isalnum()


# --- Rendering ---


def _render_text(renderer, tokens, index, options, env):
    text = escape(tokens[index].content)
    return text if _is_in_link(tokens[:index]) else link_addresses(text)


def _is_in_link(tokens):
    ends = (token.type for token in reversed(tokens) if token.type in ("link_open", "link_close"))
    return next(ends, None) == "link_open"


def _render_link_end(renderer, tokens, index, options, env):
    """Say where the link leads: its text may say anything."""
    begin = next(token for token in reversed(tokens[:index]) if token.type == "link_open")
    address = urlsplit(begin.attrs["href"])
    return f"</a> <small>({escape(address.hostname or address.path)})</small>"


def _render_block(renderer, tokens, index, options, env):
    tokens[index].attrSet("dir", "auto")
    return renderer.renderToken(tokens, index, options, env)


def _render_code(renderer, tokens, index, options, env):
    # Its long lines scroll: also for those who have only a keyboard.
    return f'<pre dir="auto" tabindex="0"><code>{escape(tokens[index].content)}</code></pre>\n'


PARSER = _make_parser()
