"""What people write is text, whatever it looks like."""

import pytest
from playwright.sync_api import expect

from e2e.pages import InboxPage, NotificationPage, ThreadPage
from messaging.services import MessageService

NASTY = (
    "<script>window.injected = 1</script>"
    '<img src=x onerror="window.injected = 1">'
    '<a hx-get="/account/" hx-trigger="load" hx-target="body">click</a>'
    '<div hx-swap-oob="true" id="nav-unread">9</div>'
    '<hx-partial hx-target="#main" hx-swap="innerHTML">gone</hx-partial>'
    "</div hx-get=/account/> {{ 7*7 }} {% csrf_token %} [x](javascript:window.injected=1)"
)


@pytest.fixture
def letter(write, alice, bob):
    letter = write(bob, alice, NASTY)
    return MessageService.edit(letter, content=f"{NASTY} again", revision=1)


def test_markup_in_a_message_is_shown_and_does_nothing(sign_in, write, letter, alice, bob):
    page = sign_in(alice)
    requests = []
    page.on("request", lambda request: requests.append(request.url))

    thread = ThreadPage(page).open(letter)
    expect(thread.article(letter)).to_contain_text("{{ 7*7 }} {% csrf_token %}")
    expect(thread.article(letter)).to_contain_text("<script>window.injected = 1</script>")
    thread.edited_mark(thread.article(letter)).click()
    expect(thread.history_popover).to_contain_text("again")
    write(bob, alice, NASTY, parent=letter)
    thread.poll()
    expect(thread.page.get_by_role("article")).to_have_count(2)
    InboxPage(page).open().poll()
    NotificationPage(page).open()
    page.goto("/conversation/")
    expect(page.get_by_text("{{ 7*7 }}").first).to_be_visible()

    assert page.evaluate("window.injected") is None
    assert not [url for url in requests if url.endswith("/account/")]
    assert page.locator("#main img, #main script, #main [onerror]").count() == 0
