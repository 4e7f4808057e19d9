"""From signing up to the first letters back and forth."""

import secrets

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from e2e.pages import ComposePage, InboxPage, LoginPage, SignUpPage, ThreadPage


def test_somebody_signs_up_and_writes_to_bob(new_context, javascript, bob):
    page = new_context(java_script_enabled=javascript).new_page()
    page.goto("/")
    page.get_by_role("link", name="Sign up").first.click()
    SignUpPage(page).sign_up(f"carol_{secrets.token_hex(4)}")
    expect(page).to_have_url("/inbox/")
    ComposePage(page).open().write(bob.username, "I am new here.")
    expect(ThreadPage(page).message("I am new here.")).to_be_visible()


def test_a_message_and_its_reply_arrive_by_polling_alone(sign_in, alice, bob):
    inbox_of_bob = InboxPage(sign_in(bob)).open()
    page_of_alice = sign_in(alice)
    ComposePage(page_of_alice).open().write(bob.username, "Shall we walk on Sunday?")

    row = inbox_of_bob.row("Shall we walk on Sunday?")
    expect(row).to_be_visible(timeout=15_000)  # the page's own five seconds, nobody hurries it
    inbox_of_bob.enter("Shall we walk on Sunday?")
    thread_of_bob = ThreadPage(inbox_of_bob.page)
    thread_of_bob.reply(thread_of_bob.message("Shall we walk on Sunday?"), "With pleasure!")

    expect(ThreadPage(page_of_alice).message("With pleasure!")).to_be_visible(timeout=15_000)


def test_without_javascript_the_same_letters_go_back_and_forth(sign_in, alice, bob):
    page_of_alice = sign_in(alice, java_script_enabled=False)
    page_of_bob = sign_in(bob, java_script_enabled=False)
    ComposePage(page_of_alice).open().write(bob.username, "Is the ladder at your place?")

    InboxPage(page_of_bob).open().enter("Is the ladder at your place?")
    thread = ThreadPage(page_of_bob)
    thread.reply(thread.message("Is the ladder at your place?"), "Behind the shed.")

    page_of_alice.reload()
    expect(ThreadPage(page_of_alice).message("Behind the shed.")).to_be_visible()


@pytest.mark.expects(422)
def test_a_wrong_password_is_refused_and_the_name_kept(new_context, javascript, alice):
    page = new_context(java_script_enabled=javascript).new_page()
    login = LoginPage(page).open()
    login.fill(alice.username, "not this one")
    expect(login.name).to_have_value(alice.username)
    expect(page.get_by_role("alert")).to_be_visible()


@pytest.mark.expects(422)
def test_a_taken_name_is_refused_in_words(new_context, alice):
    page = new_context().new_page()
    SignUpPage(page).open().sign_up(alice.username.upper())
    expect(page.get_by_text("taken")).to_be_visible()
    assert get_user_model().objects.filter(username__iexact=alice.username).count() == 1
