"""On a wide screen a thread opens beside the list; on a phone they take turns."""

import re

import pytest
from playwright.sync_api import expect

from e2e.pages import AccountPage, InboxPage, ThreadPage
from messaging.services import ThreadService

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


@pytest.fixture
def beside(sign_in, write, alice, bob, mallory):
    """Alice has the thread with Bob open beside her list, in which Mallory's stands as well."""
    letter = write(bob, alice, "From Bob.")
    mine = write(alice, bob, "My slip.", parent=letter)
    other = write(mallory, alice, "From Mallory.")
    page = sign_in(alice)
    page.goto("/inbox/?show=all")
    inbox = InboxPage(page)
    inbox.enter("My slip.")
    expect(ThreadPage(page).article(mine)).to_be_visible()
    return inbox, ThreadPage(page), letter, mine, other


def test_what_was_deleted_in_a_thread_that_was_left_leads_nowhere(beside):
    inbox, thread, _, mine, other = beside
    thread.article(mine).get_by_role("link", name="Delete").click()
    inbox.enter("From Mallory.")
    expect(thread.article(other)).to_be_visible()
    thread.foot.fill("Dear Mallory")
    with thread.page.expect_response("**/delete/"):
        thread.toasts.get_by_role("button", name="Close").click()
    thread.page.wait_for_timeout(300)
    expect(thread.page).to_have_url(re.compile(rf"/messages/{other.pk}/$"))
    expect(thread.foot).to_have_value("Dear Mallory")


def test_the_answer_to_a_deletion_fills_no_other_thread(beside):
    inbox, thread, letter, mine, other = beside
    held = []
    thread.page.route("**/delete/", lambda route: held.append(route))
    thread.delete(thread.article(mine))
    inbox.enter("From Mallory.")
    expect(thread.article(other)).to_be_visible()
    with thread.page.expect_response("**/delete/"):
        held[0].continue_()
    thread.page.wait_for_timeout(300)
    expect(thread.article(letter)).to_have_count(0)
    expect(thread.article(other)).to_be_visible()


def test_what_is_taken_back_waits_in_its_thread(beside):
    inbox, thread, letter, _, other = beside
    thread.foot.fill("A long letter.")
    thread.foot.press("Control+Enter")
    expect(thread.toasts).to_contain_text("Sent.")
    inbox.enter("From Mallory.")
    expect(thread.article(other)).to_be_visible()
    with thread.page.expect_response("**/delete/"):
        thread.undo()
    expect(thread.page).to_have_url(re.compile(rf"/messages/{other.pk}/$"))
    expect(thread.foot).to_have_value("")
    thread.open(letter)
    expect(thread.foot).to_have_value("A long letter.")


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


@pytest.fixture
def two_threads(sign_in, write, alice, bob, mallory):
    """A page of alice beside her list: a letter of bob's is open, mallory's isn't."""
    letter, other = write(bob, alice, "From Bob."), write(mallory, alice, "From Mallory.")
    page = sign_in(alice)
    inbox, thread = InboxPage(page), ThreadPage(page)
    page.goto("/inbox/?show=all")
    inbox.enter(letter.content)
    expect(thread.article(letter)).to_be_visible()
    return inbox, thread, letter, other


@pytest.mark.expects(503)
def test_a_text_that_was_not_sent_stays_in_the_thread_of_its_person(two_threads):
    inbox, thread, letter, other = two_threads
    thread.page.route("**/reply/", lambda route: route.fulfill(status=503))
    thread.foot.fill("For Bob alone.")
    thread.foot.press("Control+Enter")
    expect(thread.unsent).to_be_visible()
    inbox.enter(other.content)
    expect(thread.article(other)).to_be_visible()
    inbox.poll()
    expect(thread.unsent).to_have_count(0)
    expect(thread.foot).to_have_value("")
    inbox.enter(letter.content)
    expect(thread.article(letter)).to_be_visible()
    expect(thread.foot).to_have_value("For Bob alone.")


@pytest.mark.expects("ERR_CONNECTION_REFUSED", "ERR_FAILED")
@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "lost"])
def test_a_text_on_its_way_is_not_seen_in_another_thread(two_threads, is_answered):
    inbox, thread, letter, other = two_threads
    held = []
    thread.page.route("**/reply/", lambda route: held.append(route))
    thread.foot.fill("For Bob alone.")
    thread.foot.press("Control+Enter")
    expect(thread.sending).to_be_visible()
    inbox.enter(other.content)
    expect(thread.article(other)).to_be_visible()
    inbox.poll()
    expect(thread.sending).to_have_count(0)
    inbox.enter(letter.content)
    expect(thread.article(letter)).to_be_visible()
    expect(thread.foot).to_have_value("")  # or it would be sent twice
    if is_answered:
        with thread.page.expect_response("**/reply/"):
            held[0].continue_()
        inbox.poll()
        expect(thread.message("For Bob alone.")).to_be_visible()
        expect(thread.foot).to_have_value("")
    else:
        held[0].abort()
        expect(thread.foot).to_have_value("For Bob alone.")


@pytest.mark.parametrize("options", [{}, PHONE], ids=["wide", "phone"])
def test_back_from_a_jump_within_the_page_leaves_the_page_as_it_is(
    sign_in, write, alice, bob, options
):
    first = write(bob, alice, "Which film?")
    mine, last = write(alice, bob, "Trains", first), write(bob, alice, "Ships", first)
    ThreadService.choose_view(alice, message=first, is_flat=True)
    thread = ThreadPage(sign_in(alice, **options)).open(last)
    page = thread.page
    page.evaluate("window.isSamePage = true")
    thread.start_edit(thread.article(mine)).fill("Half an ed")
    page.get_by_role("link", name="In reply to").last.click()
    expect(page).to_have_url(re.compile("#"))
    page.go_back()
    expect(page).not_to_have_url(re.compile("#"))
    page.wait_for_timeout(300)
    assert page.evaluate("window.isSamePage")
    expect(thread.editor).to_have_value("Half an ed")


def test_ones_own_reply_unfolds_its_branch(sign_in, write, alice, bob, letters):
    answer = write(alice, bob, "An answer.", parent=letters[0])
    thread = ThreadPage(sign_in(alice)).open(letters[0])
    fold = thread.row(letters[0].content).get_by_role("button", name="Replies")
    fold.click()
    expect(thread.article(answer)).to_be_hidden()
    thread.foot.fill("And another.")
    thread.foot.press("Control+Enter")
    expect(thread.page.locator("article[id]").filter(has_text="And another.")).to_be_visible()
    expect(thread.article(answer)).to_be_visible()
    fold.click()
    expect(thread.message("And another.")).to_be_hidden()
    thread.poll()
    expect(thread.message("And another.")).to_be_hidden()
