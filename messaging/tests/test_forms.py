import uuid

import pytest

from messaging.forms import ComposeForm, EditForm, ReplyForm, is_invisible

INVISIBLE = [
    "",
    "   ",
    "\n\r\n\t",
    "\u200b\u2060",
    "\u3164",
    "\u2800",
    "\ufe0f",
    "\u00ad",
    "\u202e",
]


def reply(content, **data):
    return ReplyForm({"content": content, "client_token": str(uuid.uuid4())} | data)


@pytest.mark.parametrize("text", INVISIBLE)
def test_a_text_that_shows_nothing_is_no_text(text):
    assert reply(text).errors == {"content": ["This field is required."]}


@pytest.mark.parametrize("text", ["a", ".", "\u200ba", "🎉", "\u0301", "مرحبا", "\u202eabc"])
def test_a_text_that_shows_something_is_a_text(text):
    assert not is_invisible(text)
    form = reply(text)
    assert form.is_valid()
    assert form.cleaned_data["content"] == text


@pytest.mark.parametrize("text", ["a\0b", "\0"])
def test_a_null_character_is_named(text):
    assert reply(text).errors == {"content": ["Null characters are not allowed."]}


@pytest.mark.parametrize("text", ["a" * 5000, "🎉" * 5000, "ab\r\n" * 1666 + "ab"])
def test_5000_characters_fit(text):
    assert reply(text).is_valid()


def test_a_line_break_counts_once_and_is_kept_once():
    form = reply("a\r\nb\rc\n" + "ab\r\n" * 1664)
    assert form.is_valid()
    assert form.cleaned_data["content"].startswith("a\nb\nc\nab\n")


def test_5001_characters_are_refused_and_the_limit_is_named():
    form = reply("a" * 5001)
    assert "5000" in form.errors["content"][0]


def test_the_browser_is_not_told_to_count():
    html = str(ReplyForm())
    assert "maxlength" not in html
    assert 'data-limit="5000"' in html


@pytest.mark.parametrize("token", ["", "x" * 100, "1"])
def test_a_broken_token_is_refused_and_replaced(token):
    form = reply("Hello", client_token=token)
    assert not form.is_valid()
    assert form.non_field_errors() == ["This form was out of date. Please send it once more."]
    again = ReplyForm({"content": "Hello", "client_token": form["client_token"].value()})
    assert again.is_valid()


def test_a_missing_token_is_refused():
    assert not ReplyForm({"content": "Hello"}).is_valid()


def test_each_empty_form_has_its_own_token():
    assert ReplyForm()["client_token"].value() != ReplyForm()["client_token"].value()


@pytest.mark.parametrize("revision", [None, "", "text", "0", "-1", "1e3", "9" * 5000])
def test_an_edit_without_a_sound_revision_is_refused(revision):
    data = {"content": "Hello"} | ({} if revision is None else {"revision": revision})
    form = EditForm(data, initial={"revision": 3})
    assert not form.is_valid()
    assert form["revision"].value() == 3


def test_an_edit_knows_its_revision():
    form = EditForm({"content": "Hello", "revision": "3"})
    assert form.is_valid()
    assert form.cleaned_data == {"content": "Hello", "revision": 3}


def compose(sender, to):
    data = {"to": to, "content": "Hello", "client_token": str(uuid.uuid4())}
    return ComposeForm(data, sender=sender)


@pytest.mark.parametrize("name", ["bob", "Bob", " BOB "])
def test_a_receiver_is_found_in_any_case(alice, bob, name):
    form = compose(alice, name)
    assert form.is_valid()
    assert form.cleaned_data["to"] == bob


def test_unknown_and_inactive_receivers_get_the_same_words(alice, bob):
    bob.is_active = False
    bob.save()
    assert compose(alice, "bob").errors == compose(alice, "nobody").errors != {}


@pytest.mark.parametrize("name", ["alice", "", "  ", "\0", "bob\0", "x" * 5000, "🎉", "٣"])
def test_nobody_else_can_be_written_to(alice, bob, name):
    assert list(compose(alice, name).errors) == ["to"]
