"""Replies nest, arrive by themselves, and expand in place."""

import re

from playwright.sync_api import expect

from e2e.pages import InboxPage, ThreadPage
from messaging.services import ThreadService


def test_a_reply_to_a_reply_nests_and_arrives_at_the_other(sign_in, write, alice, bob):
    first = write(alice, bob, "Which film?")
    thread_of_alice = ThreadPage(sign_in(alice)).open(first)
    thread_of_bob = ThreadPage(sign_in(bob)).open(first)

    thread_of_bob.reply(thread_of_bob.message("Which film?"), "The one with the trains.")
    thread_of_alice.poll()
    thread_of_alice.reply(thread_of_alice.message("The one with the trains."), "Both of them?")
    thread_of_bob.poll()

    for thread in (thread_of_alice, thread_of_bob):
        expect(thread.row("Which film?")).to_have_class(re.compile("level-0"))
        expect(thread.row("The one with the trains.")).to_have_class(re.compile("level-1"))
        expect(thread.row("Both of them?")).to_have_class(re.compile("level-2"))


def test_a_form_that_is_a_page_of_its_own_leads_to_the_thread(
    sign_in, write, alice, bob, javascript
):
    letter = write(bob, alice, "Which film?")
    page = sign_in(alice, java_script_enabled=javascript)
    thread = ThreadPage(page)
    page.goto(f"/messages/{letter.pk}/reply/")
    thread.reply_box.fill("The one with the trains.")
    thread.send()
    expect(thread.message("The one with the trains.")).to_be_visible()
    expect(thread.foot).to_have_value("")
    [reply] = letter.replies.all()
    page.goto(f"/messages/{reply.pk}/edit/")
    thread.editor.fill("The one with the ships.")
    thread.save()
    expect(thread.message("The one with the ships.")).to_be_visible()
    page.goto(f"/messages/{reply.pk}/delete/")
    page.get_by_role("button", name="Delete").click()
    expect(thread.message("Which film?")).to_be_visible()
    expect(thread.article(reply)).to_have_count(0)


def test_replying_opens_below_the_message_and_leaves_the_page_where_it_is(
    sign_in, write, alice, bob
):
    first = write(alice, bob, "The key is under the pot.")
    thread = ThreadPage(sign_in(bob)).open(first)
    before = thread.page.url
    box = thread.start_reply(thread.article(first))
    expect(box).to_be_focused()
    expect(thread.page).to_have_url(before)


def test_esc_closes_the_reply_box(sign_in, write, alice, bob):
    first = write(alice, bob, "The key is under the pot.")
    thread = ThreadPage(sign_in(bob)).open(first)
    thread.start_reply(thread.article(first)).press("Escape")
    expect(thread.reply_box).to_have_count(0)


def test_ctrl_enter_sends_a_reply(sign_in, write, alice, bob):
    first = write(alice, bob, "The key is under the pot.")
    thread = ThreadPage(sign_in(bob)).open(first)
    box = thread.start_reply(thread.article(first))
    box.fill("Found it.")
    box.press("Control+Enter")
    expect(thread.message("Found it.")).to_be_visible()


def test_more_replies_expand_in_place(sign_in, write, alice, bob, javascript):
    deepest = first = write(alice, bob, "Once upon a time")
    for number in range(1, 5):
        deepest = write(bob, alice, f"and then number {number}", parent=deepest)
    ThreadService.mark_read(alice, message=deepest)  # a branch with something unread stands open

    thread = ThreadPage(sign_in(alice, java_script_enabled=javascript)).open(first)
    expect(thread.message("and then number 4")).to_have_count(0)
    thread.expand()
    expect(thread.message("and then number 4")).to_be_visible()


def test_a_permalink_opens_its_branch_and_marks_the_message(sign_in, write, alice, bob, javascript):
    deepest = write(alice, bob, "Once upon a time")
    for number in range(1, 5):
        deepest = write(bob, alice, f"and then number {number}", parent=deepest)
    thread = ThreadPage(sign_in(alice, java_script_enabled=javascript)).open(deepest)
    expect(thread.article(deepest)).to_have_class(re.compile("message--target"))
    expect(thread.article(deepest)).to_be_visible()
    if javascript:
        expect(thread.article(deepest)).to_be_in_viewport()


def test_opening_a_thread_reads_it(sign_in, write, alice, bob):
    write(alice, bob, "Just so that you know.")
    page = sign_in(bob)
    inbox = InboxPage(page).open()
    expect(inbox.unread).to_contain_text("1")
    inbox.enter("Just so that you know.")
    expect(ThreadPage(page).unread).to_be_hidden()
    expect(page).not_to_have_title(re.compile(r"^\("))


def test_an_answer_that_is_late_folds_up_nothing(sign_in, write, alice, bob):
    deepest = first = write(alice, bob, "Once upon a time")
    for number in range(1, 5):
        deepest = write(bob, alice, f"and then number {number}", parent=deepest)
    ThreadService.mark_read(alice, message=deepest)
    thread = ThreadPage(sign_in(alice)).open(first)
    late = []
    thread.page.route(f"**/messages/{first.pk}/?**", lambda route: late.append(route))
    write(alice, bob, "Something else", parent=first)
    thread.look_again()
    thread.expand()
    thread.start_reply(thread.article(deepest)).fill("And they lived")
    for route in late:
        route.continue_()
    thread.page.unroute(f"**/messages/{first.pk}/?**")
    thread.poll()
    expect(thread.message("Something else")).to_be_visible()
    expect(thread.reply_box).to_have_value("And they lived")
