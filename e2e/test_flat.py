"""A thread in the order of time."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from e2e.pages import ThreadPage


@pytest.fixture
def letters(write, alice, bob):
    first = write(alice, bob, "Which film?")
    second = write(bob, alice, "The one with the trains.", parent=first)
    write(alice, bob, "Or the one about the sea?", parent=first)
    write(bob, alice, "Both.", parent=second)
    return first, second


TREE = ["Which film?", "The one with the trains.", "Both.", "Or the one about the sea?"]
FLAT = ["Which film?", "The one with the trains.", "Or the one about the sea?", "Both."]


def test_v_shows_a_thread_in_time_order_and_as_a_tree_again(sign_in, letters, alice):
    thread = ThreadPage(sign_in(alice)).open(letters[0])
    articles = thread.list.get_by_role("article")
    expect(articles).to_contain_text(TREE)
    thread.page.keyboard.press("v")
    expect(articles).to_contain_text(FLAT)
    thread.page.reload()
    expect(articles).to_contain_text(FLAT)
    thread.page.keyboard.press("v")
    expect(articles).to_contain_text(TREE)


def test_in_time_order_a_reply_arrives_at_the_end_and_leads_to_what_it_answers(
    sign_in, write, letters, alice, bob, javascript
):
    thread = ThreadPage(sign_in(alice, java_script_enabled=javascript)).open(letters[0])
    thread.switch_view()
    articles = thread.list.get_by_role("article")
    expect(articles).to_contain_text(FLAT)
    write(bob, alice, "Neither.", parent=letters[1])
    if javascript:
        thread.poll()
    else:
        thread.page.reload()
    expect(articles).to_contain_text([*FLAT, "Neither."])
    thread.list.get_by_role("link", name=re.compile("In reply to bob")).last.click()
    expect(thread.page).to_have_url(re.compile(f"#message-{letters[1].pk}$"))


def test_in_time_order_one_replies_edits_and_deletes_as_in_a_tree(sign_in, letters, alice):
    thread = ThreadPage(sign_in(alice)).open(letters[0])
    thread.switch_view()
    thread.reply(thread.message("The one with the trains."), "With popcorn.")
    articles = thread.list.get_by_role("article")
    expect(articles).to_contain_text([*FLAT, "With popcorn."])
    thread.edit(thread.message("With popcorn."), "With crisps.")
    expect(articles).to_contain_text([*FLAT, "With crisps."])
    thread.delete(thread.message("With crisps."))
    expect(articles).to_contain_text(FLAT)
    expect(articles).to_have_count(4)


def test_axe_finds_nothing_in_time_order(sign_in, write, letters, alice, bob):
    thread = ThreadPage(sign_in(alice, bypass_csp=True)).open(letters[0])
    thread.switch_view()
    write(bob, alice, "Neither.", parent=letters[1])
    thread.poll()
    expect(thread.page.locator(".new-line")).to_be_visible()
    results = Axe().run(thread.page, options={"preload": False})
    assert results.violations_count == 0, results.generate_report()
