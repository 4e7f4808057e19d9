"""On a wide screen a thread opens beside the list; on a phone they take turns."""

import re

import pytest
from playwright.sync_api import expect

from e2e.pages import AccountPage, InboxPage, ThreadPage

PHONE = {"viewport": {"width": 390, "height": 844}}


@pytest.fixture
def letters(write, alice, bob):
    return [write(bob, alice, f"Letter number {number}.") for number in range(3)]


def test_a_thread_opens_beside_the_list_and_back_leads_through_them(sign_in, alice, letters):
    page = sign_in(alice)
    inbox, thread = InboxPage(page).open(), ThreadPage(page)
    inbox.show("All")
    page.evaluate("window.isSamePage = true")
    for letter in letters[:2]:
        inbox.enter(letter.content)
        expect(page).to_have_url(re.compile(rf"/messages/{letter.pk}/$"))
        expect(thread.article(letter)).to_be_visible()
        expect(page.get_by_role("heading", level=1).last).to_be_focused()
        expect(inbox.row(letter.content).get_by_role("link")).to_have_attribute(
            "aria-current", "true"
        )
    expect(page).to_have_title(re.compile(r"bob_\w+ · Parley"))
    page.go_back()
    expect(thread.article(letters[0])).to_be_visible()
    expect(thread.article(letters[1])).to_have_count(0)
    page.go_back()
    expect(page.get_by_text("Choose a thread to read it here")).to_be_visible()
    expect(page).to_have_title(re.compile("Inbox · Parley"))
    page.go_forward()
    expect(thread.article(letters[0])).to_be_visible()
    assert page.evaluate("window.isSamePage")


def test_a_thread_that_was_left_asks_no_more(sign_in, alice, letters):
    page = sign_in(alice)
    inbox = InboxPage(page).open()
    inbox.show("All")
    for letter in letters[:2]:
        inbox.enter(letter.content)
        expect(page).to_have_url(re.compile(rf"/messages/{letter.pk}/$"))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    inbox.poll()
    assert not [url for url in asked if f"/messages/{letters[0].pk}/" in url]
    assert [url for url in asked if f"/messages/{letters[1].pk}/" in url]


def test_on_a_phone_one_is_seen_at_a_time(sign_in, alice, letters):
    page = sign_in(alice, **PHONE)
    inbox, thread = InboxPage(page).open(), ThreadPage(page)
    inbox.enter(letters[0].content)
    expect(thread.article(letters[0])).to_be_visible()
    expect(inbox.list).to_be_hidden()
    page.get_by_role("link", name="Inbox", exact=True).click()
    expect(inbox.list).to_be_visible()


def test_a_branch_folds_and_something_new_unfolds_it(sign_in, write, alice, bob, letters):
    answer = write(alice, bob, "An answer.", parent=letters[0])
    thread = ThreadPage(sign_in(alice)).open(letters[0])
    fold = thread.row(letters[0].content).get_by_role("button", name="Replies")
    fold.focus()
    thread.page.keyboard.press("Enter")
    expect(thread.article(answer)).to_be_hidden()
    expect(fold).to_have_text("1")
    thread.poll()
    expect(thread.article(answer)).to_be_hidden()
    news = write(bob, alice, "And another.", parent=answer)
    thread.poll()
    expect(thread.article(news)).to_be_visible()


def test_a_look_is_chosen_and_kept(sign_in, alice, javascript):
    page = sign_in(alice, java_script_enabled=javascript)
    AccountPage(page).open()
    page.get_by_label("Dark").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Dark")).to_be_checked()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
