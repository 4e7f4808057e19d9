"""For everyone: axe finds nothing, the keyboard is enough, a small screen is wide enough.

The pictures land in e2e/screenshots/, for people to look at.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from e2e.pages import ComposePage, InboxPage, ThreadPage
from messaging.services import MessageService

WIDE, NARROW, NARROWEST = 1280, 390, 320
FOR_AXE = {"bypass_csp": True}  # axe measures with inline styles, which the policy would block
NO_PRELOAD = {"preload": False}  # it would fetch imported styles by the wrong address
PUBLIC_PAGES = {"home": "/", "sign-in": "/accounts/login/", "sign-up": "/accounts/signup/"}
PAGES = {
    "inbox": "/inbox/?show=all",
    "compose": "/messages/new/",
    "thread": "/messages/{pk}/",
    "history": "/messages/{pk}/history/",
    "reply": "/messages/{pk}/reply/",
    "edit": "/messages/{pk}/edit/",
    "delete": "/messages/{pk}/delete/",
    "conversation": "/conversation/",
    "notifications": "/notifications/",
    "account": "/account/",
    "account-delete": "/account/delete/",
    "password": "/accounts/password/change/",
    "two-factor": "/accounts/2fa/",
    "sessions": "/account/sessions/",
}


@pytest.fixture
def letter(write, alice, bob):
    """A thread with something of everything; returns its first message, by alice, edited."""
    first = write(alice, bob, "Shall we meet on Sunday at the old mill?")
    MessageService.edit(first, content="Shall we meet on Saturday at the old mill?", revision=1)
    reply = write(bob, alice, "Saturday is fine. I bring " + "w" * 80 + ".", parent=first)
    write(alice, bob, "And I bring the bread. https://parley.example/bread 🍞", parent=reply)
    gone = write(bob, alice, "Wrong window.", parent=reply)
    write(alice, bob, "What was that?", parent=gone)
    gone.delete()
    write(bob, alice, "نلتقي عند الجسر القديم", parent=first)
    write(bob, alice, "Another thread, about the garden.")
    return first


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(sign_in, new_context, screenshot, letter, alice, scheme):
    found = {}
    visitor = new_context(color_scheme=scheme, **FOR_AXE).new_page()
    for name, path in PUBLIC_PAGES.items():
        found |= _look_at(visitor, name, path, scheme, screenshot)
    page = sign_in(alice, color_scheme=scheme, **FOR_AXE)
    for name, path in PAGES.items():
        found |= _look_at(page, name, path.format(pk=letter.pk), scheme, screenshot)
    assert found == {}


def _look_at(page, name, path, scheme, screenshot):
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    for width in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": 844})
        screenshot(page, f"{name}-{width}-{scheme}")
    results = Axe().run(page, options=NO_PRELOAD)
    return {name: results.generate_report()} if results.violations_count else {}


def test_axe_finds_nothing_on_what_opens_in_a_thread(sign_in, letter, alice):
    thread = ThreadPage(sign_in(alice, **FOR_AXE)).open(letter)
    thread.edited_mark(thread.article(letter)).click()
    expect(thread.history_popover.locator("ins")).to_be_visible()
    assert Axe().run(thread.page, options=NO_PRELOAD).violations_count == 0
    thread.page.keyboard.press("Escape")
    thread.start_edit(thread.article(letter))
    expect(thread.editor).to_be_visible()
    results = Axe().run(thread.page, options=NO_PRELOAD)
    assert results.violations_count == 0, results.generate_report()


def test_no_page_scrolls_sideways_on_the_narrowest_screen(sign_in, new_context, letter, alice):
    viewport = {"width": NARROWEST, "height": 640}
    visitor = new_context(viewport=viewport).new_page()
    page = sign_in(alice, viewport=viewport)
    too_wide = [
        name
        for tab, pages in ((visitor, PUBLIC_PAGES), (page, PAGES))
        for name, path in pages.items()
        if _scrolls_sideways(tab, path.format(pk=letter.pk))
    ]
    assert too_wide == []


def _scrolls_sideways(page, path):
    page.goto(path)
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_the_keyboard_is_enough_to_write_read_and_reply(sign_in, alice, bob):
    page_of_alice, page_of_bob = sign_in(alice), sign_in(bob)
    compose = ComposePage(page_of_alice)
    compose.tab_to(page_of_alice.get_by_role("link", name="New message").first)
    page_of_alice.keyboard.press("Enter")
    compose.tab_to(compose.to)
    page_of_alice.keyboard.type(bob.username)
    page_of_alice.keyboard.press("Escape")
    compose.tab_to(compose.content)
    page_of_alice.keyboard.type("No mouse today.")
    page_of_alice.keyboard.press("Control+Enter")
    expect(ThreadPage(page_of_alice).message("No mouse today.")).to_be_visible()

    inbox, thread = InboxPage(page_of_bob).open(), ThreadPage(page_of_bob)
    inbox.tab_to(inbox.row("No mouse today.").get_by_role("link").first)
    page_of_bob.keyboard.press("Enter")
    thread.tab_to(thread.message("No mouse today.").get_by_role("link", name="Reply"))
    page_of_bob.keyboard.press("Enter")
    expect(thread.reply_box).to_be_focused()
    page_of_bob.keyboard.type("Nor here.")
    page_of_bob.keyboard.press("Control+Enter")
    expect(thread.message("Nor here.")).to_be_visible()


def test_the_first_tab_stop_skips_to_the_content(sign_in, alice):
    page = InboxPage(sign_in(alice)).open().page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
