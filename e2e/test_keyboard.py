"""Reading and answering without a mouse."""

import re

import pytest
from playwright.sync_api import expect

from e2e.pages import InboxPage, ThreadPage


@pytest.fixture
def letters(write, alice, bob):
    first = write(bob, alice, "The first one")
    return [
        first,
        write(alice, bob, "The second one", first),
        write(bob, alice, "The third", first),
    ]


@pytest.fixture
def thread(sign_in, letters, alice):
    return ThreadPage(sign_in(alice)).open(letters[0])


def test_j_and_k_move_from_message_to_message(thread, letters):
    articles = [thread.article(letter) for letter in letters]
    for key, place in [("j", 0), ("j", 1), ("j", 2), ("j", 2), ("k", 1)]:
        thread.page.keyboard.press(key)
        expect(articles[place]).to_be_focused()


def test_r_answers_the_message_that_j_came_to(thread, letters):
    for key in "jjjr":
        thread.page.keyboard.press(key)
    expect(thread.reply_box).to_be_focused()
    thread.page.keyboard.type("ejk? Of course.")
    thread.page.keyboard.press("Control+Enter")
    expect(thread.message("ejk? Of course.")).to_be_visible()
    expect(thread.edit_form).to_have_count(0)


def test_e_edits_only_what_is_mine(thread, letters):
    for key in "je":
        thread.page.keyboard.press(key)
    expect(thread.edit_form).to_have_count(0)
    for key in "je":
        thread.page.keyboard.press(key)
    expect(thread.editor).to_be_focused()


def test_from_the_inbox_into_a_thread_and_back(sign_in, letters, alice):
    inbox = InboxPage(sign_in(alice)).open()
    inbox.page.keyboard.press("j")
    inbox.page.keyboard.press("Enter")
    expect(inbox.page).to_have_url(re.compile(r"/messages/\d+/$"))
    inbox.page.keyboard.press("Escape")
    expect(inbox.page).to_have_url(re.compile(r"/inbox/$"))
    inbox.page.keyboard.press("c")
    expect(inbox.page).to_have_url(re.compile(r"/messages/new/$"))


def test_a_question_mark_shows_the_keys_and_they_can_be_switched_off(thread, letters):
    page = thread.page
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard")
    keys.get_by_label("Use these keys").uncheck()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.reload()
    page.keyboard.press("j")
    expect(thread.article(letters[0])).not_to_be_focused()
    page.keyboard.press("?")
    keys.get_by_label("Use these keys").check()
    keys.get_by_role("button", name="Close").click()
    page.keyboard.press("j")
    expect(thread.article(letters[0])).to_be_focused()
