"""What makes a page feel alive: sending, taking back, and what arrives meanwhile."""

import re

import pytest
from playwright.sync_api import expect

from e2e.pages import ConversationPage, InboxPage, ThreadPage
from messaging.models import Message
from messaging.services import ThreadService

# Safari gives the focus to what is around a button that is clicked, if that can have it.
CLICK_AS_IN_SAFARI = """
document.addEventListener("mousedown", (event) => {
  if (!event.target.closest("button, a")) return;
  event.preventDefault();
  event.target.closest("[tabindex]").focus();
});
"""


@pytest.fixture
def letter(write, alice, bob):
    return write(bob, alice, "Are you in?")


@pytest.fixture
def thread(sign_in, letter, alice):
    return ThreadPage(sign_in(alice)).open(letter)


@pytest.fixture
def slow(thread):
    """Hold back what the page posts until it is called."""
    held = []
    thread.page.route("**/reply/", lambda route: held.append(route))

    def let_go(abort=False):
        for route in held:
            route.abort() if abort else route.continue_()
        thread.page.unroute("**/reply/")

    return let_go


# --- Sending ---


def test_a_reply_is_there_before_the_server_knows(thread, slow, alice):
    thread.foot.fill("In a minute")
    thread.foot.press("Control+Enter")
    expect(thread.sending).to_contain_text("Sending…")
    expect(thread.sending).to_contain_text("In a minute")
    expect(thread.foot).to_have_value("")
    expect(thread.foot).to_be_focused()
    thread.foot.press_sequentially("And")
    slow()
    expect(thread.sending).to_have_count(0)
    expect(thread.message("In a minute")).to_have_count(1)
    expect(thread.foot).to_have_value("And")
    expect(thread.foot).to_be_focused()
    sent = Message.objects.get(sender=alice)
    expect(thread.article(sent)).to_contain_text("In a minute")


def test_a_text_on_its_way_does_not_come_back_with_the_next_poll(thread, slow, write, alice, bob):
    thread.foot.fill("In a minute")
    thread.foot.press("Control+Enter")
    expect(thread.sending).to_contain_text("In a minute")
    write(bob, alice, "Another thread.")
    thread.look_again()
    expect(thread.page.get_by_role("complementary")).to_contain_text("Another thread.")
    expect(thread.foot).to_have_value("")
    slow()
    expect(thread.message("In a minute")).to_have_count(1)
    expect(thread.foot).to_have_value("")


@pytest.mark.expects("ERR_CONNECTION_REFUSED", "ERR_FAILED")
def test_what_did_not_get_there_says_so_and_is_sent_once(thread, slow, alice):
    thread.foot.fill("In a minute")
    thread.foot.press("Control+Enter")
    slow(abort=True)
    expect(thread.sending).to_contain_text("Not sent.")
    expect(thread.foot).to_have_value("In a minute")
    thread.sending.get_by_role("button", name="Try again").click()
    expect(thread.sending).to_have_count(0)
    expect(thread.message("In a minute")).to_have_count(1)
    assert Message.objects.filter(sender=alice).count() == 1


def test_what_was_sent_can_be_taken_back_as_it_was_typed(thread, alice):
    thread.foot.fill("In a *minute*")
    thread.foot.press("Control+Enter")
    expect(thread.toasts).to_contain_text("Sent.")
    thread.foot.blur()
    thread.page.keyboard.press("z")
    expect(thread.message("In a minute")).to_have_count(0)
    expect(thread.foot).to_have_value("In a *minute*")
    expect(thread.foot).to_be_focused()
    assert not Message.objects.filter(sender=alice).exists()


def test_a_button_that_gets_no_focus_sends_and_the_field_has_it_again(thread):
    thread.page.evaluate(CLICK_AS_IN_SAFARI)
    thread.foot.click()
    thread.page.keyboard.type("Sent with a click.")
    send = thread.page.locator("#composer").get_by_role("button", name="Send")
    send.click(position={"x": 30, "y": 4}, delay=100)  # near the edge: it must not move meanwhile
    expect(thread.page.locator("article[id]").filter(has_text="Sent with a click.")).to_be_visible()
    expect(thread.foot).to_be_focused()


@pytest.mark.expects(503)
def test_what_could_not_be_taken_back_stays_sent(thread, alice):
    thread.foot.fill("In a minute")
    thread.foot.press("Control+Enter")
    expect(thread.toasts).to_contain_text("Sent.")
    thread.page.route("**/delete/", lambda route: route.fulfill(status=503))
    thread.undo()
    expect(thread.toasts).to_contain_text("That didn’t work.")
    expect(thread.message("In a minute")).to_have_count(1)
    expect(thread.foot).to_have_value("")


def test_a_reply_in_place_comes_back_to_its_place(thread, write, letter, alice, bob):
    question = write(bob, alice, "Or not?", parent=letter)
    thread.poll()
    thread.reply(thread.article(question), "In a minute")
    thread.undo()
    expect(thread.message("In a minute")).to_have_count(0)
    expect(thread.reply_box).to_have_value("In a minute")


# --- Deleting ---


@pytest.fixture
def mine(write, letter, alice, bob):
    return write(alice, bob, "Wrong window.", parent=letter)


def test_a_deletion_can_be_undone(thread, mine):
    thread.page.reload()
    article = thread.article(mine)
    article.get_by_role("link", name="Delete").click()
    expect(article).to_have_class(re.compile("message--going"))
    thread.poll()
    expect(article).to_have_class(re.compile("message--going"))
    thread.undo()
    expect(article).not_to_have_class(re.compile("message--going"))
    expect(article).to_be_focused()
    assert Message.objects.filter(pk=mine.pk).exists()


def test_who_leaves_the_page_meant_to_delete(thread, mine):
    thread.page.reload()
    thread.article(mine).get_by_role("link", name="Delete").click()
    expect(thread.toasts).to_contain_text("Message deleted.")
    InboxPage(thread.page).open()
    for _ in range(20):
        if not Message.objects.filter(pk=mine.pk).exists():
            return
        thread.page.wait_for_timeout(50)
    raise AssertionError("it is still there")


def test_who_writes_a_mail_has_not_left(thread, mine, write, letter, alice, bob):
    write(bob, alice, "Write to me@example.com", parent=letter)
    thread.page.reload()
    thread.article(mine).get_by_role("link", name="Delete").click()
    thread.page.get_by_role("link", name="me@example.com", exact=True).click()
    thread.page.wait_for_timeout(300)
    thread.undo()
    expect(thread.article(mine)).not_to_have_class(re.compile("message--going"))
    thread.poll()
    assert Message.objects.filter(pk=mine.pk).exists()


def test_undo_is_offered_no_longer_than_it_works(thread, mine):
    thread.page.reload()
    thread.article(mine).get_by_role("link", name="Delete").click()
    with thread.page.expect_response("**/delete/"):
        thread.page.evaluate("dispatchEvent(new Event('beforeunload'))")  # as a download does
    expect(thread.toasts.get_by_role("button", name="Undo")).to_have_count(0)


def test_after_a_deletion_the_focus_is_at_the_next_message(thread, mine, write, alice, bob, letter):
    after = write(bob, alice, "What window?", parent=letter)
    thread.page.reload()
    thread.article(mine).get_by_role("link", name="Delete").focus()
    thread.page.keyboard.press("Enter")
    expect(thread.article(after)).to_be_focused()
    thread.toasts.get_by_role("button", name="Close").click()
    expect(thread.article(mine)).to_have_count(0)


# --- What arrives ---


@pytest.fixture
def long(sign_in, write, letter, alice, bob):
    for number in range(30):
        write(alice, bob, f"Number {number}.", parent=letter)
    ThreadService.mark_read(alice, message=letter)
    return ThreadPage(sign_in(alice)).open(letter)


def test_news_out_of_sight_wait_behind_a_button(long, write, letter, alice, bob):
    before = long.page.evaluate("scrollY")
    news = [write(bob, alice, f"News {number}.", parent=letter) for number in range(3)]
    long.poll()
    expect(long.arrivals).to_have_text("3 new")
    assert long.page.evaluate("scrollY") == before
    expect(long.news).to_have_text("3 new")
    long.arrivals.click()
    expect(long.article(news[0])).to_be_focused()
    expect(long.article(news[0])).to_be_in_viewport()
    expect(long.arrivals).to_be_hidden()


def test_news_are_unread_until_somebody_has_scrolled_to_them(long, write, letter, alice, bob):
    news = [write(bob, alice, f"News {number}. " + "…\n\n" * 40, parent=letter) for number in "12"]
    long.poll()
    expect(long.arrivals).to_have_text("2 new")
    long.page.wait_for_timeout(300)
    assert set(Message.unread.for_user(alice)) == set(news)
    long.arrivals.click()
    expect(long.unread).to_contain_text("1")
    assert list(Message.unread.for_user(alice)) == [news[1]]
    long.article(news[1]).scroll_into_view_if_needed()
    expect(long.unread).to_be_hidden()
    assert not Message.unread.for_user(alice).exists()


def test_what_is_new_further_down_stays_so(sign_in, write, letter, alice, bob):
    for number in range(20):
        write(bob, alice, f"Number {number}.", parent=letter)
    thread = ThreadPage(sign_in(alice)).open(letter)
    expect(thread.unread).not_to_contain_text("21")
    assert "Number 19." in Message.unread.for_user(alice).values_list("content", flat=True)
    for _ in range(60):
        thread.page.mouse.wheel(0, 150)
        thread.page.wait_for_timeout(30)
    expect(thread.unread).to_be_hidden()


def test_one_message_is_told_in_words_and_in_sight_needs_no_button(
    thread, write, letter, alice, bob
):
    write(bob, alice, "Hello?", parent=letter)
    thread.poll()
    expect(thread.news).to_have_text(f"New message from {bob.username}: Hello?")
    expect(thread.arrivals).to_be_hidden()


def test_the_icon_of_the_tab_has_a_dot_while_something_is_unread(sign_in, write, alice, bob):
    inbox = InboxPage(sign_in(alice)).open()
    icon = inbox.page.locator("link[rel=icon]")
    expect(icon).to_have_attribute("href", re.compile("favicon"))
    letter = write(bob, alice, "One.")
    inbox.poll()
    expect(icon).to_have_attribute("href", re.compile("^data:image/png"))
    ThreadService.mark_read(alice, message=letter)
    inbox.poll()
    expect(icon).to_have_attribute("href", re.compile("favicon"))


def test_a_line_stands_above_what_is_new(sign_in, write, letter, alice, bob):
    conversation = ConversationPage(sign_in(alice)).open()
    expect(conversation.page.locator(".new-line + li")).to_contain_text("Are you in?")


@pytest.mark.expects("ERR_INTERNET_DISCONNECTED")
@pytest.mark.expects("ERR_CONNECTION_REFUSED", "ERR_INTERNET_DISCONNECTED")
def test_a_lost_connection_is_told_at_once_and_so_is_its_return(thread):
    thread.page.context.set_offline(True)
    expect(thread.offline).to_be_visible()
    thread.page.context.set_offline(False)
    expect(thread.offline).to_be_hidden()
    expect(thread.toasts).to_contain_text("Connected again.")


# --- Writing ---


def test_esc_drops_nothing_that_cannot_be_had_back(thread, mine):
    thread.page.reload()
    thread.start_edit(thread.article(mine)).fill("Right window.")
    thread.editor.press("Escape")
    expect(thread.article(mine).get_by_role("link", name="Edit")).to_be_focused()
    thread.page.keyboard.press("z")
    expect(thread.editor).to_have_value("Right window.")
    expect(thread.editor).to_be_focused()
