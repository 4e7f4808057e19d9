"""What was typed and not sent."""

import re

import pytest
from playwright.sync_api import expect

from e2e.pages import ComposePage, ThreadPage


def test_a_text_survives_a_reload_until_it_is_sent(sign_in, write, alice, bob):
    thread = ThreadPage(sign_in(alice)).open(write(bob, alice, "Are you in?"))
    box = thread.page.get_by_label(f"Write to {bob.username}")
    box.fill("Half a sen")
    thread.page.reload()
    expect(box).to_have_value("Half a sen")
    box.fill("A whole sentence")
    box.press("Control+Enter")
    expect(thread.message("A whole sentence")).to_be_visible()
    expect(thread.sending).to_have_count(0)  # the server has it
    thread.page.reload()
    expect(box).to_have_value("")


def test_a_reply_in_place_is_there_again_when_its_form_is(sign_in, write, alice, bob):
    letter = write(bob, alice, "Are you in?")
    thread = ThreadPage(sign_in(alice)).open(letter)
    thread.start_reply(thread.article(letter)).fill("In a min")
    thread.page.reload()
    expect(thread.start_reply(thread.article(letter))).to_have_value("In a min")
    thread.page.get_by_role("link", name="Cancel").click()
    expect(thread.reply_form).to_have_count(0)
    expect(thread.start_reply(thread.article(letter))).to_have_value("")


def test_nobody_else_is_shown_a_draft(sign_in, alice):
    page = sign_in(alice)
    ComposePage(page).open()
    page.get_by_label("Message").fill("Between us")
    page.evaluate("sessionStorage.setItem('draft:0:/messages/new/:', 'Of somebody before')")
    page.reload()
    expect(page.get_by_label("Message")).to_have_value("Between us")
    assert all(str(alice.pk) in key for key in page.evaluate("Object.keys(sessionStorage)"))
    page.get_by_role("button", name="Account menu").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/")
    assert page.evaluate("Object.keys(sessionStorage)") == []


@pytest.mark.parametrize("verb", ["start_reply", "start_edit"])
def test_a_text_whose_message_goes_is_offered_back(sign_in, write, alice, bob, verb):
    letter = write(bob, alice, "Are you in?")
    going = write(alice, bob, "In a minute.", parent=letter)
    thread = ThreadPage(sign_in(alice)).open(letter)
    getattr(thread, verb)(thread.article(going)).fill("A long answer")
    going.delete()
    thread.poll()
    expect(thread.article(going)).to_have_count(0)
    expect(thread.toasts).to_contain_text("Your text was dropped.")
    thread.undo()
    expect(thread.foot).to_have_value("A long answer")
    expect(thread.foot).to_be_focused()


def test_a_text_whose_message_went_stands_at_the_foot_after_a_reload(sign_in, write, alice, bob):
    letter = write(bob, alice, "Are you in?")
    going = write(bob, alice, "Hello?", parent=letter)
    thread = ThreadPage(sign_in(alice)).open(letter)
    thread.start_reply(thread.article(going)).fill("A long answer")
    going.delete()
    thread.poll()
    expect(thread.toasts).to_contain_text("Your text was dropped.")
    thread.page.reload()
    expect(thread.foot).to_have_value("A long answer")


def test_a_text_for_one_person_is_not_offered_to_another(sign_in, alice, bob, mallory):
    compose = ComposePage(sign_in(alice))
    compose.open_to(bob)
    compose.content.fill("For Bob alone")
    compose.open_to(mallory)
    expect(compose.content).to_have_value("")
    compose.open_to(bob)
    expect(compose.content).to_have_value("For Bob alone")

    compose.to.fill(mallory.username)
    compose.content.fill("For Mallory now")
    compose.open_to(bob)
    expect(compose.content).to_have_value("")
    compose.open()
    expect(compose.content).to_have_value("For Mallory now")


def test_what_was_sent_to_another_than_the_page_said_is_no_draft(sign_in, alice, bob, mallory):
    compose = ComposePage(sign_in(alice))
    compose.open_to(bob)
    compose.content.fill("For Mallory, in fact")
    compose.to.fill(mallory.username)
    compose.send()
    expect(compose.page).to_have_url(re.compile(r"/messages/\d+/$"))
    for address in (f"/messages/new/?to={bob.username}", "/messages/new/"):
        compose.page.goto(address)
        expect(compose.content).to_have_value("")


def test_the_foot_and_a_reply_to_the_same_message_are_two_texts(sign_in, write, alice, bob):
    letter = write(bob, alice, "Are you in?")
    thread = ThreadPage(sign_in(alice)).open(letter)
    thread.foot.fill("A long letter")
    box = thread.start_reply(thread.article(letter))
    expect(box).to_have_value("")
    box.fill("Yes.")
    thread.send()
    expect(thread.page.locator("article[id]").filter(has_text="Yes.")).to_be_visible()
    expect(thread.foot).to_have_value("A long letter")
    thread.page.reload()
    expect(thread.foot).to_have_value("A long letter")
