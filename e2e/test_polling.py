"""News arrive around what a person does, and nothing they do is disturbed.

A page asks every five seconds, and at once when its tab is shown again. The journeys here fire that
second event, `visibilitychange`, instead of waiting: fifty polls take a few seconds, through the
same code (`SitePage.poll`).
"""

import re
import socket

import pytest
from playwright.sync_api import expect

from e2e.pages import ConversationPage, InboxPage, LoginPage, SitePage, ThreadPage
from messaging.services import MessageService, ThreadService

POLLS = 50


@pytest.fixture
def letter(write, alice, bob):
    return write(bob, alice, "The first of many.")


@pytest.fixture
def poll_with_changes(write, alice, bob):
    """Poll fifty times; before each, a message that the page shows is new or edited."""

    def poll(page, parent):
        for number in range(POLLS):
            text = f"News number {number}."
            if number % 10 == 0:
                news = write(bob, alice, text, parent=parent)
            else:
                news = MessageService.edit(news, content=text, revision=news.revision)
            page.poll()

    return poll


def test_a_message_changes_the_number_and_the_title(sign_in, write, alice, bob):
    inbox = InboxPage(sign_in(alice)).open()
    expect(inbox.unread).to_be_hidden()
    write(bob, alice, "One.")
    write(bob, alice, "Two.")
    inbox.poll()
    expect(inbox.unread).to_contain_text("2")
    expect(inbox.page).to_have_title(re.compile(r"^\(2\) "))


@pytest.mark.expects(404)
def test_no_page_is_filled_with_what_is_somebody_elses(sign_in, write, alice, bob, mallory):
    letter, other = write(bob, alice, "For Alice."), write(bob, mallory, "For Mallory.")
    page = sign_in(alice)
    thread = ThreadPage(page).open(letter)
    inbox = InboxPage(page.context.new_page()).open()
    third = SitePage(page.context.new_page()).open()
    third.sign_out()
    expect(third.page).to_have_url("/")
    LoginPage(third.page).open().sign_in(mallory)
    thread.look_again()
    expect(page.get_by_text("For Alice.")).to_have_count(0)
    inbox.look_again()
    expect(inbox.row(other.content)).to_be_visible()
    expect(inbox.page.locator(".menu__name")).to_have_text(mallory.username)


def test_a_conversation_follows_the_name_of_the_other(sign_in, write, alice, bob):
    write(alice, bob, "Before.")
    conversation = ConversationPage(sign_in(bob)).open(alice)
    alice.username += "x"
    alice.save()
    write(alice, bob, "After.")
    conversation.look_again()
    expect(conversation.articles).to_contain_text(["Before.", "After."])
    expect(conversation.page).to_have_url(f"/conversation/{alice.username}/")


def watch_shifts(page):
    """Note whatever moves without having been asked to, from now on: return a way to ask."""
    page.evaluate("""() => {
        window.shifts = [];
        const note = (list) => list.getEntries().forEach(({ value }) => shifts.push(value));
        new PerformanceObserver(note).observe({ type: "layout-shift" });
    }""")
    return lambda: page.evaluate("new Promise((tell) => setTimeout(() => tell(shifts), 100))")


def test_what_arrives_in_a_thread_moves_nothing(sign_in, write, letter, alice, bob):
    thread = ThreadPage(sign_in(alice)).open(letter)
    shifts = watch_shifts(thread.page)
    for text in ("Number one.", "Number two."):
        write(bob, alice, text, parent=letter)
        thread.poll()
        expect(thread.message(text)).to_have_count(1)
    assert shifts() == []


def test_what_is_read_elsewhere_moves_nothing(sign_in, write, letter, alice, bob):
    write(bob, alice, "In another thread.")
    inbox = InboxPage(sign_in(alice)).open()
    inbox.show("All")
    expect(inbox.unread).to_contain_text("2")
    shifts = watch_shifts(inbox.page)
    ThreadService.mark_read(alice, message=letter)
    inbox.poll()
    expect(inbox.unread).to_contain_text("1")
    assert sum(shifts()) < 0.0001  # the time of a thread is no longer bold


def test_an_open_editor_survives_fifty_polls(sign_in, write, letter, alice, bob, poll_with_changes):
    mine = write(alice, bob, "Mine, to be edited.", parent=letter)
    thread = ThreadPage(sign_in(alice)).open(letter)
    editor = thread.start_edit(thread.article(mine))
    editor.fill("Mine, half edited")
    editor.evaluate("(box) => box.setSelectionRange(2, 5)")

    poll_with_changes(thread, parent=letter)

    expect(thread.message(f"News number {POLLS - 1}.")).to_have_count(1)
    expect(editor).to_have_value("Mine, half edited")
    expect(editor).to_be_focused()
    assert editor.evaluate("(box) => [box.selectionStart, box.selectionEnd]") == [2, 5]


def test_a_half_written_reply_survives_fifty_polls(sign_in, letter, alice, poll_with_changes):
    thread = ThreadPage(sign_in(alice)).open(letter)
    box = thread.start_reply(thread.article(letter))
    box.fill("Half a")
    poll_with_changes(thread, parent=letter)
    expect(box).to_be_focused()
    box.press_sequentially(" reply")
    expect(box).to_have_value("Half a reply")


def test_what_is_typed_survives_when_that_very_message_changes(sign_in, letter, alice):
    thread = ThreadPage(sign_in(alice)).open(letter)
    box = thread.start_reply(thread.article(letter))
    box.fill("Half a reply")
    MessageService.edit(letter, content="The first of very many.", revision=1)
    thread.poll()
    expect(thread.message("The first of very many.")).to_be_visible()
    expect(box).to_have_value("Half a reply")


def test_an_open_history_survives_fifty_polls(sign_in, letter, alice, poll_with_changes):
    MessageService.edit(letter, content="The first of very many.", revision=1)
    thread = ThreadPage(sign_in(alice)).open(letter)
    thread.edited_mark(thread.article(letter)).click()
    expect(thread.history_popover.locator("ins")).to_contain_text("very")
    poll_with_changes(thread, parent=letter)
    expect(thread.history_popover.locator("ins")).to_contain_text("very")


def test_an_expanded_branch_survives_fifty_polls(
    sign_in, write, letter, alice, bob, poll_with_changes
):
    deepest = letter
    for number in range(1, 5):
        deepest = write(alice, bob, f"Down to {number}.", parent=deepest)
    thread = ThreadPage(sign_in(alice)).open(letter)
    thread.expand()
    expect(thread.message("Down to 4.")).to_be_visible()
    poll_with_changes(thread, parent=letter)
    expect(thread.message("Down to 4.")).to_be_visible()


def test_the_scroll_position_survives_fifty_polls(
    sign_in, write, letter, alice, bob, poll_with_changes
):
    for number in range(30):
        read_already = write(alice, bob, f"Long ago, number {number}.", parent=letter)
    thread = ThreadPage(sign_in(alice)).open(letter)
    article = thread.article(read_already)
    article.scroll_into_view_if_needed()
    before = article.bounding_box()["y"]
    poll_with_changes(thread, parent=letter)
    assert abs(article.bounding_box()["y"] - before) <= 1


def test_the_focus_in_the_inbox_survives_fifty_polls(
    sign_in, write, letter, alice, bob, poll_with_changes
):
    other = write(bob, alice, "Another thread.")
    inbox = InboxPage(sign_in(alice)).open()
    link = inbox.row("The first of many.").get_by_role("link").first
    link.focus()
    poll_with_changes(inbox, parent=other)
    expect(inbox.row(f"News number {POLLS - 1}.")).to_be_visible()
    expect(link).to_be_focused()


@pytest.mark.parametrize("of", ["inbox", "thread"])
def test_an_unchanged_poll_is_a_304_of_at_most_400_bytes(sign_in, server, letter, alice, of):
    page = sign_in(alice)
    if of == "inbox":
        InboxPage(page).open()
    else:
        ThreadPage(page).open(letter)
        expect(ThreadPage(page).unread).to_be_hidden()  # it has marked itself read
        ThreadPage(page).poll()
    site = InboxPage(page)
    with page.expect_response(_is_poll) as caught:
        site.poll()
    assert caught.value.status == 304

    answer = _send_again(caught.value.request, server.port)
    assert answer.startswith(b"HTTP/1.1 304 ")
    assert len(answer) <= 400, answer.decode()


def _is_poll(response):
    return "hx-ptag" in response.request.headers


def _send_again(request, port):
    """Send the request through a bare socket and return every byte of the answer."""
    path = request.url.split(f":{port}", 1)[1]
    headers = request.all_headers() | {"connection": "close", "host": f"127.0.0.1:{port}"}
    lines = [f"{name}: {value}" for name, value in headers.items() if not name.startswith(":")]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        head = "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""])
        connection.sendall(head.encode())
        return b"".join(iter(lambda: connection.recv(4096), b""))
