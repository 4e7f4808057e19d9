"""What is refused, and how: the answer to each, what was typed kept, nothing changed."""

import html
import re
import uuid
from urllib.parse import quote, urlencode

import pytest
from django.test import Client

from messaging.models import Message, Notification
from messaging.services import MessageService

from .dump import changes, dump_but_tries
from .factories import reply, write
from .world import HTMX, PASSWORD

pytestmark = pytest.mark.django_db

WAYS = ({}, HTMX)  # plain, and by htmx
FORMS = ("compose", "reply", "edit")


@pytest.fixture
def letter(alice, bob):
    """alice has written to bob."""
    return write(alice, bob, "As it was.")


@pytest.fixture
def unchanged(letter, alice, signed_in):
    """Check at the end that the database is as it was."""
    client = signed_in(alice)
    before = dump_but_tries()
    yield client
    assert changes(before, dump_but_tries()) == {}


def address(form, letter):
    part = {"compose": "new", "reply": f"{letter.pk}/reply", "edit": f"{letter.pk}/edit"}[form]
    return f"/messages/{part}/"


def sound(form, **more):
    """Return the fields of a form in order."""
    fields = {"content": "Hello"}
    if form == "edit":
        fields["revision"] = "1"
    else:
        fields["client_token"] = str(uuid.uuid4())
    return fields | ({"to": "bob"} if form == "compose" else {}) | more


def typed(response):
    """Return what stands in the text box of a form."""
    box = re.search(r"<textarea[^>]*>\r?\n(.*?)</textarea>", response.text, re.DOTALL)
    return html.unescape(box[1])


# --- Text ---

REFUSED = {
    "nothing": ("", "This field is required."),
    "spaces": ("   ", "This field is required."),
    "newlines": ("\r\n\r\n", "This field is required."),
    "zero width": ("\u200b\u2060", "This field is required."),
    "hangul filler": ("\u3164", "This field is required."),
    "braille blank": ("\u2800", "This field is required."),
    "soft hyphen": ("\u00ad", "This field is required."),
    "bidi marks": ("\u202e\u202c\u200f", "This field is required."),
    "tags": ("\U000e0041\U000e007f", "This field is required."),
    "NUL": ("a\0b", "Null characters are not allowed."),
    "5,001 characters": ("x" * 5001, "at most 5000 characters (it has 5001)"),
    "5,001 emoji": ("🦊" * 5001, "at most 5000 characters (it has 5001)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_text_is_refused(unchanged, letter, case):
    content, error = REFUSED[case]
    for form in FORMS:
        for headers in WAYS:
            data = sound(form, content=content)
            response = unchanged.post(address(form, letter), data, headers=headers)
            assert response.status_code == 422
            assert error in response.text
            assert typed(response) == content
            assert ("<html" in response.text) == (not headers)


def test_no_text_at_all_is_refused(unchanged, letter):
    for form in FORMS:
        data = sound(form)
        del data["content"]
        assert unchanged.post(address(form, letter), data).status_code == 422


ACCEPTED = {
    "5,000 characters": ("x" * 5000, "x" * 5000),
    "5,000 emoji": ("🦊" * 5000, "🦊" * 5000),
    "2,000 lines": ("x\r\n" * 1999 + "xy", "x\n" * 1999 + "xy"),
    "old line ends": ("a\rb", "a\nb"),
    "right to left": ("\u202eevil", "\u202eevil"),
    "an emoji of parts": ("👩\u200d🚀", "👩\u200d🚀"),
    "one letter": ("x", "x"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_text_is_taken(signed_in, alice, letter, form):
    client = signed_in(alice)
    for revision, (content, kept) in enumerate(ACCEPTED.values(), 1):
        data = sound(form, content=content)
        if form == "edit":
            data["revision"] = str(revision)
        assert client.post(address(form, letter), data).status_code == 302
        assert written(form, letter).content == kept


def written(form, letter):
    return Message.objects.get(pk=letter.pk) if form == "edit" else Message.objects.latest("pk")


URLENCODED = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("raw", "kept"), [("a%ffb", "a\ufffdb"), ("a%ED%A0%80b", "a" + "\ufffd" * 3 + "b")]
)
def test_broken_utf_8_is_replaced(signed_in, alice, letter, form, raw, kept):
    rest = "&".join(f"{name}={value}" for name, value in sound(form).items() if name != "content")
    body = f"{rest}&content={raw}".encode()
    response = signed_in(alice).post(address(form, letter), body, content_type=URLENCODED)
    assert response.status_code == 302
    assert written(form, letter).content == kept


# --- Tokens ---


@pytest.mark.parametrize("token", [None, "", "x", "1" * 100, "\0", "0" * 31, "é" * 32])
def test_a_token_that_is_none_is_a_422_with_a_sound_one(unchanged, letter, token):
    for form in ("compose", "reply"):
        for headers in WAYS:
            data = sound(form, client_token=token)
            if token is None:
                del data["client_token"]
            response = unchanged.post(address(form, letter), data, headers=headers)
            assert response.status_code == 422
            assert typed(response) == "Hello"
            assert "This form was out of date." in response.text
            uuid.UUID(re.search(r'name="client_token" value="([^"]+)"', response.text)[1])


def test_somebody_elses_token_is_free_to_use(signed_in, alice, bob, letter):
    data = sound("reply")
    for person in (alice, bob):
        assert signed_in(person).post(address("reply", letter), data).status_code == 302
    assert Message.objects.filter(parent_message=letter).count() == 2


# --- Receivers and parents ---


@pytest.fixture
def gone(db, django_user_model):
    """Somebody inactive, somebody erased: by name."""
    dormant = django_user_model.objects.create_user("dormant", "d@example.com", PASSWORD)
    dormant.is_active = False
    dormant.save()
    django_user_model.objects.create_user("leaver", "l@example.com", PASSWORD).delete()


NOBODY = ["nobodyatall", "dormant", "leaver", "x" * 5000, "٣", "' OR 1=1", "0", "1", ".."]


def test_who_cannot_be_written_to_is_told_in_one_text(gone, unchanged, letter):
    for name in NOBODY:
        for headers in WAYS:
            data = sound("compose", to=name)
            response = unchanged.post("/messages/new/", data, headers=headers)
            assert response.status_code == 422
            assert "There is nobody here by that name." in response.text
            assert f'value="{html.escape(name)}"' in response.text
            assert typed(response) == "Hello"


@pytest.mark.parametrize("name", ["\0", "a\0b", "", " ", None])
def test_a_name_that_is_none_is_a_422(unchanged, name):
    data = sound("compose")
    del data["to"]
    if name is not None:
        data["to"] = name
    response = unchanged.post("/messages/new/", data)
    assert response.status_code == 422
    assert typed(response) == "Hello"


@pytest.mark.parametrize("name", ["alice", "ALICE", " alice "])
def test_nobody_writes_to_themselves(unchanged, letter, name):
    response = unchanged.post("/messages/new/", sound("compose", to=name))
    assert response.status_code == 422
    assert "You can’t write to yourself." in response.text
    assert typed(response) == "Hello"


def test_a_person_is_chosen_by_name_and_never_by_number(unchanged, letter, bob):
    response = unchanged.post("/messages/new/", sound("compose", to=str(bob.pk), receiver=bob.pk))
    assert response.status_code == 422


def test_a_parent_of_others_is_not_there(signed_in, alice, bob, mallory):
    theirs = write(bob, mallory)
    client, before = signed_in(alice), dump_but_tries()
    for pk in (theirs.pk, theirs.pk + 1):
        assert client.post(f"/messages/{pk}/reply/", sound("reply")).status_code == 404
    assert changes(before, dump_but_tries()) == {}


def test_a_parent_in_the_fields_is_not_asked(signed_in, alice, bob, mallory, letter):
    theirs = write(bob, mallory)
    data = sound("reply", parent=theirs.pk, parent_message=theirs.pk, thread=theirs.thread_id)
    signed_in(alice).post(address("reply", letter), data)
    newest = Message.objects.latest("pk")
    assert (newest.parent_message, newest.thread) == (letter, letter.thread)


# --- Ids ---

IDS = ["-1", "1e3", "٣", "0", "1" * 31, str(2**63), str(2**64), "9" * 5000, "1.0", "%00", "0x1"]
PARTS = ["", "replies/", "reply/", "edit/", "history/", "delete/", "message/", "read/"]


@pytest.mark.parametrize("pk", IDS, ids=lambda pk: pk[:20])
def test_an_id_that_is_none_is_a_404(unchanged, pk):
    for headers in WAYS:
        for part in PARTS:
            path = f"/messages/{pk}/{part}"
            get = unchanged.get(path, headers=headers).status_code
            post = unchanged.post(path, headers=headers).status_code
            assert 404 in {get, post} <= {404, 405}, path
        response = unchanged.post(f"/notifications/{pk}/read/", headers=headers)
        assert response.status_code == 404


def test_zeros_before_an_id_change_nothing(unchanged, letter):
    assert unchanged.get(f"/messages/{letter.pk:050}/").status_code == 200


@pytest.mark.parametrize("name", ["%00", "a%00b", "..", "%ff", "x" * 5000, "٣", "'", "%20"])
def test_a_conversation_with_nobody_is_a_404(unchanged, name):
    for headers in WAYS:
        assert unchanged.get(f"/conversation/{name}/", headers=headers).status_code == 404


# --- Places in lists, stamps of polls ---

LISTS = ["/inbox/", "/conversation/", "/conversation/bob/", "/notifications/"]
PLACES = ["", "x", "0", "-1", "1e9", "٣", "\0", "9" * 5000, "1-1-1", "%", "fffffffffffffff-1"]


def test_a_place_in_a_list_that_is_none_is_its_beginning(unchanged):
    for path in LISTS:
        for headers in WAYS:
            expected = unchanged.get(path, headers=headers)
            for query in [*({"before": place} for place in PLACES), {"page": "0", "v": "x"}]:
                response = unchanged.get(path, query, headers=headers)
                assert response.status_code == 200
                assert len(response.content) == len(expected.content), (path, query)


def test_a_place_long_gone_or_to_come_is_a_page(unchanged):
    for path in LISTS:
        for place in ("1-1", "0-0", "ffffffffffffff-fffffffffffffff"):
            assert unchanged.get(path, {"before": place}).status_code == 200


@pytest.mark.parametrize("stamp", ["", "x", "0" * 10_000, "é", "None", '"a"', "../.."])
def test_a_stamp_that_is_none_gets_the_fresh_list(unchanged, letter, stamp):
    for path in (*LISTS, f"/messages/{letter.pk}/"):
        response = unchanged.get(path, headers=HTMX | {"HX-PTag": stamp})
        assert response.status_code == 200
        assert 'id="' in response.text


@pytest.mark.parametrize("header", ["HX-Target", "HX-Source", "HX-Trigger", "HX-Current-URL"])
def test_the_other_headers_of_htmx_are_no_reason_to_fail(unchanged, header):
    for value in ("", "%", "é", "%ff", "javascript:x()", "x" * 9000, "//evil"):
        headers = HTMX | {header: value}
        assert unchanged.get("/inbox/", headers=headers).status_code == 200
        signed_out = Client().get("/inbox/", headers=headers)
        assert signed_out.status_code == 401
        assert signed_out["HX-Redirect"].split("?")[0] == "/accounts/login/"


# --- More than was asked for ---


def test_a_field_sent_twice_counts_as_the_last(signed_in, alice, letter, mallory):
    data = sound("compose", to=["mallory", "bob"], content=["First.", "Last."])
    assert signed_in(alice).post("/messages/new/", data).status_code == 302
    (newest,) = Message.objects.exclude(pk=letter.pk)
    assert (newest.receiver.username, newest.content) == ("bob", "Last.")


EXTRA = {
    "id": "1",
    "pk": "1",
    "sender": "2",
    "receiver": "3",
    "sender_id": "2",
    "receiver_id": "3",
    "read": "on",
    "edited": "on",
    "timestamp": "2000-01-01 00:00",
    "created_at": "2000-01-01 00:00",
    "depth": "9",
    "reply_count": "9",
    "deleted_at": "2000-01-01 00:00",
    "is_staff": "on",
    "is_superuser": "on",
    "user": "3",
}


@pytest.mark.parametrize("form", FORMS)
def test_fields_that_nobody_asked_for_are_ignored(signed_in, alice, bob, letter, form):
    """Sent with and without them, a form does the same."""
    rows = []
    for extra in ({}, EXTRA):
        data = sound(form, **extra)
        if form == "edit":
            data |= {"revision": str(1 + len(rows)), "content": f"Take {len(rows)}"}
        assert signed_in(alice).post(address(form, letter), data).status_code == 302
        rows.append(Message.objects.filter(pk=written(form, letter).pk).values().get())
        Message.objects.exclude(pk=letter.pk).update(content="Moved on.")
    differ = {name for name in rows[0] if rows[0][name] != rows[1][name]}
    assert differ <= {"id", "timestamp", "client_token", "thread_id", "content", "revision"} | {
        "edited_at"
    }
    assert rows[1]["sender_id"] == alice.pk
    assert rows[1]["receiver_id"] == bob.pk
    assert rows[1]["timestamp"].year > 2000
    alice.refresh_from_db()
    assert not alice.is_staff


@pytest.mark.parametrize("state", ["read", "unread"])
def test_the_read_marker_takes_no_other_field(signed_in, alice, bob, letter, state):
    others = write(alice, bob)
    data = {"state": state, "message": others.pk, "user": alice.pk, "thread": others.thread_id}
    signed_in(bob).post(f"/messages/{letter.pk}/read/", data | EXTRA)
    others.refresh_from_db()
    assert not others.read


def test_json_is_no_form(unchanged, letter):
    for form in FORMS:
        path = address(form, letter)
        response = unchanged.post(path, sound(form), content_type="application/json")
        assert response.status_code == 422


# --- Bodies ---

MULTIPART = "multipart/form-data; boundary=x"
FILE_HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="file"\r\n\r\n'
BROKEN = {
    "no boundary": ("multipart/form-data", b"content=Hello"),
    "empty boundary": ("multipart/form-data; boundary=", b"--\r\n"),
    "strange boundary": ("multipart/form-data; boundary=x\xff", b"--x"),
    "utf-7": (f"{URLENCODED}; charset=utf-7", b"content=+AHg-"),
    "too large": (URLENCODED, b"content=" + b"x" * 132_000),
    "a file too large": (MULTIPART, FILE_HEAD + b"x" * 132_000 + b"\r\n--x--\r\n"),
    "too many fields": (URLENCODED, b"content=Hello" + b"&a=1" * 101),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_body_that_is_none_is_a_400(unchanged, letter, case):
    content_type, body = BROKEN[case]
    unchanged.raise_request_exception = False
    for form in FORMS:
        for headers in WAYS:
            path = address(form, letter)
            response = unchanged.post(path, body, content_type=content_type, headers=headers)
            assert response.status_code == 400
            assert ("<html" in response.text) == (not headers)


def test_an_address_with_too_many_fields_is_a_400(unchanged):
    unchanged.raise_request_exception = False
    assert unchanged.get("/inbox/?" + "&".join(["a=1"] * 101)).status_code == 400


def test_a_file_where_a_text_belongs_is_a_422(unchanged, letter, tmp_path):
    file = tmp_path / "letter.txt"
    file.write_text("Hello")
    with file.open() as handle:
        data = sound("reply", content=handle)
        assert unchanged.post(address("reply", letter), data).status_code == 422


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override"])
def test_a_verb_in_a_header_is_ignored(unchanged, letter, header):
    for verb in ("POST", "DELETE", "PUT"):
        response = unchanged.get(f"/messages/{letter.pk}/delete/", headers={header: verb})
        assert response.status_code == 200
        response = unchanged.get(f"/messages/{letter.pk}/delete/", {"_method": verb})
        assert response.status_code == 200
        response = unchanged.get(f"/messages/{letter.pk}/read/", headers={header: "POST"})
        assert response.status_code == 405


@pytest.mark.parametrize("name", ["sessionid", "csrftoken", "messages"])
def test_a_cookie_that_is_none_is_no_cookie(unchanged, name):
    """Octal digits stand for any character, in quotation marks: for NUL too."""
    for value in ('"aaaaaaaaaa\\000aaaa"', '"\\377\\376aaaaaaaaaa"', '"', "x" * 4000, "é" * 32):
        for path in ("/inbox/", "/accounts/login/", "/admin/"):
            response = Client().get(path, headers={"Cookie": f"{name}={value}"})
            assert response.status_code in (200, 302)


# --- From elsewhere ---


def test_a_form_without_a_token_of_the_site_is_a_403(letter, alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    before = dump_but_tries()
    for form in FORMS:
        for headers in WAYS:
            response = client.post(address(form, letter), sound(form), headers=headers)
            assert response.status_code == 403
            assert ("<html" in response.text) == (not headers)
    assert changes(before, dump_but_tries()) == {}


def test_a_form_of_another_site_is_a_403(letter, alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    text = client.get(address("reply", letter)).text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)[1]
    data = sound("reply", csrfmiddlewaretoken=token)
    headers = {"Origin": "https://evil.example"}
    response = client.post(address("reply", letter), data, headers=headers)
    assert response.status_code == 403
    assert client.post(address("reply", letter), data).status_code == 302


def test_another_host_is_a_400(unchanged):
    unchanged.raise_request_exception = False
    assert unchanged.get("/inbox/", headers={"Host": "evil.example"}).status_code == 400


NEXT = ["//evil.example", "https:evil.example", "https://evil.example/", "javascript:x()"]
NEXT += ["\\\\evil.example", "/\\evil.example", "///evil.example", "h" * 10_000]


@pytest.mark.parametrize("page", NEXT, ids=lambda page: page[:20])
def test_after_signing_in_nobody_is_led_elsewhere(alice, page):
    data = {"login": "alice", "password": PASSWORD, "next": page}
    for headers in WAYS:
        response = Client().post("/accounts/login/", data, headers=headers)
        assert response.status_code in (200, 302)
        assert (response.get("Location") or response.get("HX-Redirect")) == "/inbox/"


def test_where_to_go_after_signing_in_is_one_line(alice):
    data = {"login": "alice", "password": PASSWORD, "next": "/inbox/\r\nX: y"}
    response = Client().post("/accounts/login/", data)
    assert response["Location"].startswith("/inbox/")
    assert "X" not in response.headers


@pytest.mark.parametrize("page", NEXT, ids=lambda page: page[:20])
def test_no_other_door_leads_elsewhere_either(alice, signed_in, no_throttles, page):
    new = {"username": "carol", "email": "carol@example.com", "password1": PASSWORD}
    for client, path, data in [
        (Client(), "/accounts/signup/", new),
        (signed_in(alice), "/accounts/reauthenticate/", {"password": PASSWORD}),
        (signed_in(alice), "/accounts/logout/", {}),
        (signed_in(alice), "/accounts/login/", {}),
    ]:
        response = client.post(f"{path}?{urlencode({'next': page})}", data | {"next": page})
        assert response.status_code == 302
        assert response["Location"] in ("/", "/inbox/"), path


@pytest.mark.parametrize("word", ["a@b.example\r\nBcc: x@y.example", "a@b.example\0", "a@b,c@d"])
def test_an_address_of_mail_is_one_address(alice, signed_in, mailoutbox, word):
    new = {"username": "carol", "email": word, "password1": PASSWORD}
    assert Client().post("/accounts/signup/", new).status_code == 422
    assert Client().post("/accounts/password/reset/", {"email": word}).status_code == 422
    added = signed_in(alice).post("/accounts/email/", {"email": word, "action_add": ""})
    assert added.status_code == 422
    assert mailoutbox == []


# --- Words that look like a page ---

NASTY = [
    "<script>window.injected = 1</script>",
    '<img src=x onerror="window.injected = 1">',
    '<a hx-get="/account/delete/" hx-trigger="load">x</a>',
    '"><b data-hx-on:click="x()">',
    "</div></article><div hx-post='/account/delete/' hx-trigger=load>",
    '<hx-partial hx-target="#main">x</hx-partial>',
    '<div id="main" hx-swap-oob="true">x</div>',
    "</textarea><script>x()</script>",
    "{{ 7*7 }}{% csrf_token %}",
    "</title><script>x()</script>",
    "<!-- --><style>*{display:none}</style>",
]
# None of our own pages has these.
ELEMENT = re.compile(
    r"<(script>|img|b |style|a hx-get=./acc|div hx-post|div id=.main|hx-partial hx-target=.#main)"
)


def test_words_are_shown_and_never_obeyed(signed_in, alice, bob):
    words = "\n".join(NASTY)
    first = write(alice, bob, words)
    MessageService.edit(first, content=f"{words} again", revision=1)
    write(bob, alice, words, parent_message=first)
    paths = ["/inbox/?show=all", "/inbox/?show=sent", "/conversation/", "/conversation/bob/"]
    paths += ["/notifications/", *(f"/messages/{first.pk}/{part}" for part in PARTS)]
    client = signed_in(alice)
    for path in paths:
        for headers in WAYS:
            assert not ELEMENT.search(client.get(path, headers=headers).text), path
    text = client.get(f"/messages/{first.pk}/").text
    for line in NASTY:
        assert html.unescape(text).count(line) >= 2, line


def test_typed_words_come_back_and_are_never_obeyed(unchanged, letter):
    words = "\n".join([*NASTY, "x" * 5000])
    for form in FORMS:
        for headers in WAYS:
            data = sound(form, content=words)
            response = unchanged.post(address(form, letter), data, headers=headers)
            assert typed(response) == words
            assert not ELEMENT.search(response.text)


@pytest.mark.parametrize("path", ["/messages/new/?to=", "/people/?q=", "/inbox/?show="])
def test_an_address_is_never_obeyed(unchanged, path):
    for line in NASTY:
        assert not ELEMENT.search(unchanged.get(path + quote(line)).text)


@pytest.mark.parametrize(
    ("words", "is_linked"),
    [
        ("http://example.org/a?b=c&d=e", True),
        ("https://example.org", True),
        ("mail me at someone@example.org", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)//http", False),
        ("data:text/html,<script>x()</script>", False),
        ("vbscript:x", False),
        ("file:///etc/passwd", False),
    ],
)
def test_only_addresses_of_pages_and_of_mail_are_linked(signed_in, alice, bob, words, is_linked):
    message = write(bob, alice, words)
    text = signed_in(alice).get(f"/messages/{message.pk}/").text
    body = re.search(r'<div class="message__body"[^>]*>(.*?)</div>', text, re.DOTALL)[1]
    links = re.findall(r"<a [^>]*>", body)
    assert bool(links) == is_linked
    for link in links:
        assert re.search(r'href="(https?://|mailto:)', link)
        if "mailto:" not in link:
            assert 'rel="noopener noreferrer nofollow ugc"' in link


@pytest.mark.parametrize("part", ["", "history/", "delete/", "reply/"])
def test_words_stand_apart_from_htmx_and_in_their_own_direction(signed_in, alice, bob, part):
    message = write(alice, bob, "\u202eright to left")
    text = signed_in(alice).get(f"/messages/{message.pk}/{part}").text
    around = re.search(r"(<[^>]*hx-ignore[^>]*>)(\s*<p[^>]*>)?\s*\u202eright to left", text)
    assert 'dir="auto"' in around[0]


# --- What is gone, or not one's own ---


def test_a_notification_of_another_is_a_404(unchanged, letter):
    theirs = Notification.objects.get(message=letter)
    for headers in WAYS:
        response = unchanged.post(f"/notifications/{theirs.pk}/read/", headers=headers)
        assert response.status_code == 404


def test_a_tombstone_is_a_404_to_all_but_its_thread(signed_in, alice, letter):
    reply(letter)
    letter.delete()
    client, before = signed_in(alice), dump_but_tries()
    for part, status in {"edit/": 404, "history/": 404, "delete/": 404, "reply/": 422}.items():
        path = f"/messages/{letter.pk}/{part}"
        data = sound("edit" if part == "edit/" else "reply")
        for headers in WAYS:
            assert client.get(path, headers=headers).status_code == status
            if part != "history/":
                assert client.post(path, data, headers=headers).status_code == status
    assert changes(before, dump_but_tries()) == {}
