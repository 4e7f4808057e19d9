"""Reading and answering without a mouse."""

import re

import pytest
from playwright.sync_api import expect

from e2e.pages import ComposePage, ConversationPage, InboxPage, NotificationPage, ThreadPage


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


@pytest.mark.parametrize(
    ("language", "out", "into"), [("en", "Left", "Right"), ("ar", "Right", "Left")]
)
def test_the_arrows_walk_through_a_thread_as_through_a_tree(
    sign_in, write, alice, bob, language, out, into
):
    first = write(alice, bob, "The first one")
    second = write(alice, bob, "The second one", first)
    third = write(alice, bob, "The third", second)
    alice.language = language
    alice.save()
    thread = ThreadPage(sign_in(alice)).open(first)
    thread.press("j j j")
    for key, at in [(out, second), (out, second), (out, first), (into, second), (into, second)]:
        thread.press(f"Arrow{key}")
        expect(thread.article(at)).to_be_focused()
    expect(thread.article(third)).to_be_visible()
    thread.press(f"Arrow{out}")
    expect(thread.article(third)).to_be_hidden()
    thread.press(f"Arrow{into} Arrow{into}")
    expect(thread.article(third)).to_be_focused()


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
    thread.tab_to(keys.get_by_label("Use these keys"))
    page.keyboard.press("Space")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.reload()
    page.keyboard.press("j")
    expect(thread.article(letters[0])).not_to_be_focused()
    page.keyboard.press("?")
    thread.tab_to(keys.get_by_label("Use these keys"))
    page.keyboard.press("Space")
    thread.tab_to(keys.get_by_role("button", name="Close"))
    page.keyboard.press("Enter")
    page.keyboard.press("j")
    expect(thread.article(letters[0])).to_be_focused()


# --- What the long journey leaves out ---


def test_somebody_is_looked_up_and_written_to(sign_in, alice, bob):
    compose = ComposePage(sign_in(alice))
    page = compose.page
    page.keyboard.press("/")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type(bob.username)
    page.keyboard.press("Enter")
    compose.tab_to(page.get_by_role("link", name=bob.username))
    page.keyboard.press("Enter")
    expect(compose.to).to_have_value(bob.username)
    expect(compose.content).to_be_focused()


def test_branches_are_folded_and_opened(sign_in, write, alice, bob):
    deepest = first = write(alice, bob, "Once upon a time")
    for number in range(1, 5):
        deepest = write(alice, bob, f"and then number {number}", parent=deepest)
    thread = ThreadPage(sign_in(alice)).open(first)
    thread.tab_to(thread.list.get_by_role("link", name="more repl"))
    thread.press("Enter")
    expect(thread.article(deepest)).to_be_visible()
    thread.page.reload()
    fold = thread.list.get_by_role("button", name="Replies").first
    thread.tab_to(fold)
    thread.press("Enter")
    expect(thread.message("and then number 1")).to_be_hidden()
    expect(fold).to_be_focused()
    thread.press("Enter")
    expect(thread.message("and then number 1")).to_be_visible()


def test_one_notification_is_read_and_all_messages_are_one_key_away(sign_in, write, alice, bob):
    write(bob, alice, "Ding.")
    write(bob, alice, "Dong.")
    bell = NotificationPage(sign_in(alice)).open()
    bell.tab_to(bell.row("Ding.").get_by_role("button"))
    bell.press("Enter")
    expect(bell.row("Ding.").get_by_role("button")).to_have_count(0)
    expect(bell.row("Dong.").get_by_role("button")).to_have_count(1)
    bell.press("g a")
    expect(ConversationPage(bell.page).articles).to_have_count(2)
