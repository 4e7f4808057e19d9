"""Whatever comes in, by any address and in any field: an answer, and nothing half written."""

from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from messaging import throttles
from messaging.models import Message
from messaging.services import CheckService

from .dump import changes, dump_but_tries
from .nightly import examples
from .world import HTMX, PARAMETER, every_route

pytestmark = pytest.mark.django_db

BELOW_500 = range(200, 500)
GET_NUMBER, POST_NUMBER = 100, 40  # of examples

# --- What comes in -------------------------------------------------------------------------------

ODD = [
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\r\n",
        "a\r\nX: y",
        "\ud800",
        "a\udfffb",
        "\u202e",
        "\u2066x",
        "\ufeff",
    ),
    *(
        "\u200b",
        "\u3164",
        "e\u0301" * 200,
        "\U0010ffff",
        "🦊" * 500,
        "x" * 6000,
        "👩\u200d🚀",
        "ﷺ" * 99,
    ),
    *(
        "0",
        "-1",
        "1e3",
        "٣",
        "1.0",
        "9" * 19,
        str(2**63),
        str(2**64),
        "9" * 400,
        "None",
        "NaN",
        "inf",
    ),
    *(
        "../..",
        "/",
        "//evil.example",
        "\\\\evil",
        "https:evil",
        "javascript:x()",
        "%",
        "%00",
        "%ff",
    ),
    *(
        "<script>x()</script>",
        "{{ 7*7 }}",
        "{% csrf_token %}",
        "' OR 1=1 --",
        "${7*7}",
        "a;b",
        "a,b",
    ),
    *("1-1", "0-0", "f" * 14 + "-" + "f" * 15, "1.2.3_4", "z" * 12, "_".join(["zz.zz.zz"] * 400)),
    *("alice", "ALICE", "bob", "bob@example.com", "unread", "all", "sent", "read", "1", "2"),
]
words = st.sampled_from(ODD) | st.text(max_size=60) | st.integers().map(str)
# What gunicorn hands on of a header or a cookie: bytes, read as Latin-1, of one line.
lines = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))
lines |= words.map(lambda word: "".join(filter(is_in_a_line, word)))

QUERY = ["show", "before", "after", "open", "levels", "level", "new", "at", "branch", "in_place"]
QUERY += [
    "thread",
    "with",
    "to",
    "q",
    "state",
    "next",
    "deep",
    "page",
    "email",
    "_popup",
    "_to_field",
    "o",
    "p",
    "all",
]
FIELDS = ["content", "client_token", "revision", "username", "login", "password", "password1"]
FIELDS += ["password2", "oldpassword", "action_add", "action_send", "action_remove"]
FIELDS += ["action_primary", "remember", "csrfmiddlewaretoken", "sender", "receiver", "id", "read"]
HEADERS = ["HX-Request", "HX-Target", "HX-Source", "HX-Trigger", "HX-Current-URL", "HX-PTag"]
HEADERS += ["HX-Current-URL-URI-AutoEncoded", "HX-History-Restore-Request", "HX-Boosted", "Referer"]
HEADERS += ["HX-Request-Type", "Accept", "Accept-Language", "Accept-Encoding", "X-Forwarded-For"]
HEADERS += ["X-Forwarded-Host", "X-Forwarded-Proto", "X-HTTP-Method-Override", "If-None-Match"]
HEADERS += ["If-Modified-Since", "Range", "X-Requested-With", "Authorization", "Origin", "Via"]
COOKIES = ["messages", "csrftoken", "sessionid", "django_language", "x"]
TYPES = [
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/json",
    "text/plain",
]
TYPES += ["application/x-www-form-urlencoded; charset=utf-7", "multipart/form-data; boundary=x", ""]


def is_in_a_line(character):
    return character.isprintable() and ord(character) < 256


def pairs(names, values=words):
    return st.lists(st.tuples(st.sampled_from(names) | st.text(max_size=8), values), max_size=4)


def quoted(word):
    return quote(word.encode("utf-8", "surrogatepass"), safe="")


def encoded(fields):
    return "&".join(f"{quoted(name)}={quoted(value)}" for name, value in fields)


@st.composite
def asked(draw, routes):
    """Make up who asks for what: the actor, the address, and the headers."""
    route = draw(st.sampled_from(routes))
    actor = "superuser" if route.startswith("admin/") else draw(st.sampled_from(PARTIES))
    sound = draw(st.booleans())

    def fill(path):
        return PARAMETER.sub(lambda found: quoted(draw(words)), path)

    headers = dict(draw(st.lists(st.tuples(st.sampled_from(HEADERS), lines), max_size=3)))
    headers |= draw(st.sampled_from([{}, HTMX]))
    cookies = [f"{name}={value}" for name, value in draw(st.lists(cookie_pairs, max_size=2))]
    query = encoded(draw(pairs(QUERY)))
    return route, actor, fill if not sound else None, query, headers, cookies


PARTIES = ["sender", "receiver"]
octal = st.sampled_from([r'"a\000b"', r'"\377\376"', '"', r'"\"', r'"aaaaaaaaaaaa\000aaaaaa"'])
cookie_pairs = st.tuples(st.sampled_from(COOKIES), octal | lines)


@st.composite
def bodies(draw):
    """Make up a form: its fields, or bytes that are none; and what it says that it is."""
    content_type = draw(st.just(TYPES[0]) | st.sampled_from(TYPES))
    body = st.binary(max_size=200) | st.just(
        b"--x\r\nContent-Disposition: form-data; name=\0\r\n\r\n"
    )
    if draw(st.integers(0, 3)):
        body = pairs(QUERY + FIELDS).map(lambda fields: encoded(fields).encode())
    return draw(body), content_type


# --- What comes out ------------------------------------------------------------------------------


@pytest.fixture
def world(committed_world, db, caplog):
    caplog.set_level("CRITICAL", "django.request")
    caplog.set_level("CRITICAL", "django.security")
    return committed_world


def send(world, verb, request, **body):
    route, actor, fill, query, headers, cookies = request
    path = "/" + fill(route).replace("^", "").replace("$", "") if fill else world.path(route, actor)
    key = world.client(actor).cookies["sessionid"].value
    cookies = "; ".join([f"sessionid={key}", f"csrftoken={TOKEN}", *cookies])
    headers = {"Cookie": cookies, "X-CSRFToken": TOKEN} | headers
    throttles.forget_looks()
    return CLIENT.generic(verb, f"{path}?{query}", headers=headers, **body)


TOKEN = "t" * 32
# With the check, a body is read before anything is done, as it is when the site is served.
CLIENT = Client(enforce_csrf_checks=True)


@given(request=asked(every_route()), verb=st.sampled_from(["GET", "GET", "GET", "HEAD", "PUT"]))
@examples(GET_NUMBER, nightly=10 * GET_NUMBER)
def ask_for_anything(world, request, verb):
    with transaction.atomic():
        assert send(world, verb, request).status_code in BELOW_500
        transaction.set_rollback(True)


def test_whatever_is_asked_for_there_is_an_answer(world):
    ask_for_anything(world)


@given(request=asked(every_route()), body=bodies())
@examples(POST_NUMBER, nightly=10 * POST_NUMBER)
def send_anything(world, before, request, body):
    data, content_type = body
    with transaction.atomic():
        response = send(world, "POST", request, data=data, content_type=content_type)
        assert response.status_code in BELOW_500
        if response.status_code >= 400:
            assert changes(before, dump_but_tries()) == {}
        else:
            assert list(CheckService.find()) == []
        transaction.set_rollback(True)
    cache.clear()


def test_whatever_is_sent_there_is_an_answer_and_nothing_half_written(world):
    send_anything(world, dump_but_tries())


# --- Words that are taken ------------------------------------------------------------------------


@st.composite
def letters(draw):
    """Make up a form that may be in order, and how it is sent."""
    form = draw(st.sampled_from(["compose", "reply", "edit"]))
    fields = {
        "to": draw(st.just("bob") | words),
        "content": draw(words | st.text(min_size=1)),
        "client_token": draw(st.uuids().map(str) | words),
        "revision": draw(st.just("2") | words),
    }
    return form, fields, draw(st.sampled_from([{}, HTMX]))


@given(letter=letters())
@examples(POST_NUMBER, nightly=10 * POST_NUMBER)
def send_words(world, before, letter):
    form, fields, headers = letter
    pk = world.message.pk
    path = {"compose": "new", "reply": f"{pk}/reply", "edit": f"{pk}/edit"}[form]
    body = encoded(fields.items())
    with transaction.atomic():
        response = world.client("sender").generic(
            "POST", f"/messages/{path}/", body, TYPES[0], headers=headers
        )
        if response.status_code in (200, 302):
            assert kept(form, pk) == as_kept(fields["content"])
            assert list(CheckService.find()) == []
        else:
            assert response.status_code in (409, 422)
            assert changes(before, dump_but_tries()) == {}
        transaction.set_rollback(True)
    cache.clear()


def kept(form, pk):
    message_set = (
        Message.objects.filter(pk=pk) if form == "edit" else Message.objects.filter(pk__gt=pk)
    )
    return message_set.latest("pk").content


def as_kept(content):
    text = content.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def test_what_is_acknowledged_is_kept_whole(world):
    send_words(world, dump_but_tries())
