"""Everything that one can do here, in one go: without a mouse, and without JavaScript."""

import re
import secrets

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from e2e.pages import (
    PASSWORD,
    AccountPage,
    BlockedPage,
    ComposePage,
    InboxPage,
    LoginPage,
    NotificationPage,
    SessionsPage,
    SignUpPage,
    ThreadPage,
)
from messaging.models import Message
from messaging.services import MessageService

ELSEWHERE = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0"


@pytest.mark.expects(409)
def test_everything_can_be_done_with_the_keyboard_alone(new_context, write, bob):
    page = new_context().new_page()
    site, compose, thread = SignUpPage(page), ComposePage(page), ThreadPage(page)
    name = f"carol_{secrets.token_hex(4)}"

    # Sign up.
    page.goto("/accounts/signup/")
    site.type_into(page.get_by_label("Name", exact=True), name)
    site.type_into(page.get_by_label("E-mail"), f"{name}@example.com")
    site.type_into(page.get_by_label("Password"), PASSWORD)
    site.press("Enter")
    expect(page).to_have_url("/inbox/")
    carol = get_user_model().objects.get(username=name)

    # Write to bob, and once more at the foot of the thread.
    site.press("c")
    expect(page).to_have_url("/messages/new/")
    compose.type_into(compose.to, bob.username)
    site.press("Escape")
    compose.type_into(compose.content, "Is this thing on?")
    site.press("Control+Enter")
    expect(thread.message("Is this thing on?")).to_be_visible()
    first = Message.objects.get(sender=carol)
    thread.type_into(thread.foot, "Hello?")
    site.press("Control+Enter")
    expect(thread.toasts).to_contain_text("Sent.")
    expect(thread.foot).to_be_focused()

    # Answer the answer of bob, which arrives.
    answer = write(bob, carol, "It is.", parent=first)
    thread.poll()
    expect(thread.article(answer)).to_be_visible()
    thread.foot.evaluate("(box) => box.blur()")
    for _ in range(3):
        site.press("j")
    expect(thread.article(answer)).to_be_focused()
    site.press("r")
    expect(thread.reply_box).to_be_focused()
    page.keyboard.type("Good to know.")
    site.press("Control+Enter")
    mine = thread.message("Good to know.")
    expect(mine).to_be_focused()

    # Edit it, twice, the second time after somebody faster; look at its history.
    site.press("e")
    expect(thread.editor).to_be_focused()
    page.keyboard.type(" Indeed!")
    site.press("Control+Enter")
    nested = Message.objects.filter(sender=carol).order_by("-pk").first()
    expect(thread.article(nested)).to_be_focused()
    site.press("e")
    expect(thread.editor).to_be_focused()
    page.keyboard.type(" Really.")
    MessageService.edit(nested, content="Faster.", revision=2)
    site.press("Control+Enter")
    expect(thread.main.get_by_text("Faster.").first).to_be_visible()
    expect(thread.editor).to_be_focused()
    site.press("Control+Enter")
    expect(thread.article(nested)).to_be_focused()
    site.press("Shift+H")
    expect(thread.history_popover.locator("ins").first).to_be_visible()
    site.press("Escape")
    expect(thread.history_popover).to_have_count(0)

    # See it in time order and as a tree again; take it back, and that too, and take it back.
    site.press("v")
    expect(page.get_by_role("button", name="Show as a tree")).to_be_visible()
    site.press("v")
    expect(page.get_by_role("button", name="Show in time order")).to_be_visible()
    thread.open(answer)
    article = thread.article(nested)
    site.tab_to(article.get_by_role("link", name="Delete"))
    site.press("Enter")
    site.press("z")
    expect(article).to_be_focused()
    site.tab_to(article.get_by_role("link", name="Delete"))
    site.press("Enter")
    site.tab_to(thread.toasts.get_by_role("button", name="Close").last)
    site.press("Enter")
    expect(article).to_have_count(0)

    # Mark it unread, and read the bell.
    thread.open(answer)
    site.press("u")
    inbox = InboxPage(page)
    expect(page).to_have_url("/inbox/")
    expect(inbox.unread).to_contain_text("1")
    site.press("j Enter")
    expect(thread.article(answer)).to_be_visible()
    expect(thread.unread).to_be_hidden()
    write(bob, carol, "Ding.", parent=first)
    site.press("g n")
    bell = NotificationPage(page)
    site.tab_to(bell.main.get_by_role("button", name="Mark all as read"))
    site.press("Enter")
    expect(bell.bell).to_be_hidden()

    # Block bob, find him among the blocked, and hear from him again.
    blocked = BlockedPage(page)
    thread.open(answer)
    site.tab_to(thread.block)
    site.press("Enter")
    site.tab_to(blocked.block)
    site.press("Enter")
    expect(blocked.unblock).to_be_focused()
    site.tab_to(blocked.link)
    site.press("Enter")
    expect(blocked.people).to_contain_text(bob.username)
    site.tab_to(blocked.unblock)
    site.press("Enter")
    expect(blocked.main).to_contain_text("is not blocked")
    expect(blocked.block).to_be_focused()

    # Have it dark and in German, and back; sign out where one left oneself signed in.
    account, sessions = AccountPage(page), SessionsPage(page)
    account.open()
    site.tab_to(account.themes.first)
    site.press("ArrowDown ArrowDown")
    site.tab_to(account.language)
    site.press("D")
    site.tab_to(account.save)
    site.press("Enter")
    expect(page.locator("html[lang=de][data-theme=dark]")).to_be_attached()
    site.tab_to(account.language)
    site.press("E")
    site.tab_to(account.save)
    site.press("Enter")
    expect(page.locator("html[lang=en][data-theme=dark]")).to_be_attached()
    LoginPage(new_context(user_agent=ELSEWHERE).new_page()).open().sign_in(carol)
    sessions.open()
    expect(sessions.sessions).to_have_count(2)
    site.tab_to(page.get_by_role("button", name="Sign out Firefox on Linux"))
    site.press("Enter")
    expect(sessions.sessions).to_have_count(1)

    # Leave.
    page.goto("/account/")
    site.tab_to(page.get_by_role("link", name="Delete my account"))
    site.press("Enter")
    site.type_into(page.get_by_label("Your password"), PASSWORD)
    site.press("Enter")
    expect(page).to_have_url("/")
    assert not get_user_model().objects.filter(pk=carol.pk).exists()


@pytest.mark.expects(409)
def test_everything_can_be_done_without_javascript(new_context, write, bob):
    page = new_context(java_script_enabled=False).new_page()
    thread, name = ThreadPage(page), f"carol_{secrets.token_hex(4)}"
    SignUpPage(page).open().sign_up(name)
    expect(page).to_have_url("/inbox/")
    carol = get_user_model().objects.get(username=name)

    ComposePage(page).open().write(bob.username, "Is this thing on?")
    first = Message.objects.get(sender=carol)
    answer = write(bob, carol, "It is.", parent=first)
    thread.open(answer)
    thread.reply(thread.article(answer), "Good to know.")
    nested = Message.objects.filter(sender=carol).order_by("-pk").first()

    thread.edit(thread.article(nested), "Good to know. Indeed!")
    thread.start_edit(thread.article(nested)).fill("Slower.")
    MessageService.edit(nested, content="Faster.", revision=2)
    thread.save()
    expect(thread.main.get_by_text("Faster.").first).to_be_visible()
    expect(thread.editor).to_have_value("Slower.")
    thread.save()
    expect(thread.article(nested)).to_contain_text("Slower.")
    page.goto(f"/messages/{nested.pk}/history/")
    expect(page.locator("ins").first).to_be_visible()

    thread.open(answer)
    thread.switch_view()
    expect(thread.list.get_by_role("link", name="In reply to").first).to_be_visible()
    thread.switch_view()
    expect(thread.list.get_by_role("link", name="In reply to")).to_have_count(0)
    thread.delete(thread.article(nested))
    expect(thread.article(nested)).to_have_count(0)

    thread.open(answer)
    page.get_by_role("button", name="Mark as read").click()
    expect(thread.unread).to_be_hidden()
    page.get_by_role("button", name="Mark unread").click()
    inbox = InboxPage(page)
    expect(inbox.unread).to_contain_text("1")
    inbox.enter("It is.")
    expect(thread.article(answer)).to_be_visible()
    for sound in ("Ding.", "Dong."):
        write(bob, carol, sound, parent=first)
    bell = NotificationPage(page).open()
    bell.row("Ding.").get_by_role("button").click()
    bell.open().mark_all_read()
    expect(bell.bell).to_be_hidden()

    blocked = BlockedPage(page)
    thread.open(answer).block.click()
    blocked.block.click()
    expect(thread.main.get_by_text("You blocked").first).to_be_visible()
    blocked.open()
    expect(blocked.people).to_contain_text(bob.username)
    blocked.unblock.click()
    expect(page).to_have_url(blocked.path)
    expect(blocked.people).to_have_count(0)

    account, sessions = AccountPage(page).open(), SessionsPage(page)
    account.themes.nth(2).check()
    account.language.select_option("de")
    account.save.click()
    expect(page.locator("html[lang=de][data-theme=dark]")).to_be_attached()
    account.language.select_option("en")
    account.save.click()
    expect(page.locator("html[lang=en][data-theme=dark]")).to_be_attached()
    LoginPage(new_context(user_agent=ELSEWHERE).new_page()).open().sign_in(carol)
    sessions.open().end("Firefox on Linux")
    expect(sessions.sessions).to_have_count(1)

    account.open().delete()
    expect(page).to_have_url(re.compile(r"/$"))
    assert not get_user_model().objects.filter(pk=carol.pk).exists()
