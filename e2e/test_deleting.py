"""Taking a message back, and leaving for good."""

import pytest
from playwright.sync_api import expect

from e2e.pages import AccountPage, InboxPage, ThreadPage


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
