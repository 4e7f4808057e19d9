"""Taking a message back, and leaving for good."""

import pytest
from playwright.sync_api import expect

from e2e.pages import AccountPage, ConversationPage, InboxPage, ThreadPage
from messaging.models import Message


def test_a_message_with_replies_leaves_a_quiet_mark(sign_in, write, alice, bob, javascript):
    first = write(alice, bob, "I should not have said this.")
    write(bob, alice, "But you did.", parent=first)
    thread = ThreadPage(sign_in(alice, java_script_enabled=javascript)).open(first)
    thread.delete(thread.article(first))

    expect(thread.message("I should not have said this.")).to_have_count(0)
    expect(thread.message("But you did.")).to_be_visible()
    expect(thread.article(first)).to_contain_text("This message was deleted.")


def test_a_message_without_replies_leaves_nothing(sign_in, write, alice, bob, javascript):
    first = write(alice, bob, "Did you see the moon?")
    last = write(alice, bob, "Oh, wrong window.", parent=first)
    thread = ThreadPage(sign_in(alice, java_script_enabled=javascript)).open(first)
    thread.delete(thread.article(last))

    expect(thread.article(last)).to_have_count(0)
    expect(thread.message("Did you see the moon?")).to_be_visible()


def test_a_deleted_message_goes_from_the_other_persons_page(sign_in, write, alice, bob):
    first = write(alice, bob, "Did you see the moon?")
    last = write(alice, bob, "Oh, wrong window.", parent=first)
    thread = ThreadPage(sign_in(bob)).open(first)
    expect(thread.article(last)).to_be_visible()
    last.delete()
    thread.poll()
    expect(thread.article(last)).to_have_count(0)


def test_a_conversation_stays_where_a_lone_message_of_it_goes(sign_in, write, alice, bob):
    lone, other = write(alice, bob, "Wrong window."), write(bob, alice, "Another thread.")
    thread = ThreadPage(ConversationPage(sign_in(alice)).open().page)
    thread.delete(thread.article(lone))
    expect(thread.article(lone)).to_have_count(0)
    expect(thread.article(other)).to_be_visible()
    expect(thread.page).to_have_url("/conversation/")


def test_a_page_lives_on_where_the_message_it_was_opened_at_went(sign_in, write, alice, bob):
    first = write(alice, bob, "Did you see the moon?")
    last = write(alice, bob, "Oh, wrong window.", parent=first)
    thread = ThreadPage(sign_in(bob)).open(last)
    thread.foot.fill("Which moon?")
    last.delete()
    thread.poll()
    expect(thread.article(last)).to_have_count(0)
    news = write(alice, bob, "It was full.", parent=first)
    thread.poll()
    expect(thread.article(news)).to_be_visible()
    expect(thread.foot).to_have_value("Which moon?")
    thread.page.reload()
    expect(thread.article(news)).to_be_visible()
    expect(thread.foot).to_have_value("Which moon?")


def test_far_down_a_half_written_reply_survives_it(sign_in, write, alice, bob):
    above = write(alice, bob, "Number 0.")
    for number in range(1, 13):
        above = write(alice, bob, f"Number {number}.", parent=above)
    last = write(alice, bob, "Oh, wrong window.", parent=above)
    thread = ThreadPage(sign_in(bob)).open(last)
    thread.start_reply(thread.article(above)).fill("Half a reply")
    last.delete()
    thread.poll()
    expect(thread.article(last)).to_have_count(0)
    expect(thread.reply_box).to_have_value("Half a reply")
    expect(thread.reply_box).to_be_focused()


@pytest.mark.expects(422)
def test_what_stands_at_the_foot_is_sent_to_what_is_left(sign_in, write, alice, bob):
    first = write(alice, bob, "Did you see the moon?")
    answer = write(bob, alice, "Which moon?", parent=first)
    thread = ThreadPage(sign_in(bob)).open(first)
    thread.foot.fill("A long careful letter.")
    first.delete()
    thread.foot.press("Control+Enter")
    expect(thread.page.get_by_role("alert")).to_contain_text("has been deleted")
    expect(thread.foot).to_have_value("A long careful letter.")
    thread.foot.press("Control+Enter")
    expect(thread.page.get_by_role("alert")).to_have_count(0)
    expect(thread.message("A long careful letter.")).to_have_count(1)
    expect(thread.foot).to_have_value("")
    assert Message.objects.get(parent_message=answer).content == "A long careful letter."


@pytest.mark.expects(404)
def test_where_nothing_is_left_the_page_says_so_and_asks_no_more(sign_in, write, alice, bob):
    letter = write(alice, bob, "Did you see the moon?")
    thread = ThreadPage(sign_in(bob)).open(letter)
    thread.start_reply(thread.article(letter)).fill("Which moon?")
    thread.foot.fill("Any moon.")
    letter.delete()
    thread.poll()
    expect(thread.list).not_to_contain_text("Did you see the moon?")
    expect(thread.toasts).to_contain_text("This isn’t here any more.")
    expect(thread.page.get_by_role("textbox").first).to_have_value("Which moon?")
    expect(thread.foot).to_have_value("Any moon.")
    asked = []
    thread.page.on("request", lambda request: asked.append(request.url))
    thread.look_again()
    thread.page.wait_for_timeout(300)
    assert not [url for url in asked if f"/messages/{letter.pk}/" in url]


@pytest.mark.expects(404)
def test_so_does_the_conversation_with_somebody_who_left(sign_in, write, alice, bob):
    write(alice, bob, "This goes when I go.")
    conversation = ConversationPage(sign_in(bob)).open(alice)
    alice.delete()
    conversation.poll()
    expect(conversation.page.get_by_text("This goes when I go.")).to_have_count(0)
    expect(conversation.toasts).to_contain_text("This isn’t here any more.")


def test_who_leaves_lands_outside_and_takes_their_letters_along(
    sign_in, write, alice, bob, javascript
):
    write(alice, bob, "This goes when I go.")
    inbox_of_bob = InboxPage(sign_in(bob)).open()
    expect(inbox_of_bob.row("This goes when I go.")).to_be_visible()

    page = sign_in(alice, java_script_enabled=javascript)
    AccountPage(page).open().delete()
    expect(page).to_have_url("/")
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()

    inbox_of_bob.poll()
    expect(inbox_of_bob.row("This goes when I go.")).to_have_count(0)
    expect(inbox_of_bob.unread).to_be_hidden()


@pytest.mark.expects(422)
def test_a_wrong_password_deletes_nothing(sign_in, alice, javascript):
    page = sign_in(alice, java_script_enabled=javascript)
    account = AccountPage(page).open()
    account.delete(password="not this one")
    expect(page).to_have_url("/account/delete/")
    alice.refresh_from_db()
