"""Whom to write to: by suggestion, by hand, and not at all."""

import pytest
from playwright.sync_api import expect

from e2e.pages import ComposePage, ThreadPage


def test_a_name_is_found_and_chosen_by_keyboard(sign_in, alice, bob):
    compose = ComposePage(sign_in(alice)).open()
    compose.to.press_sequentially(bob.username[:-1])
    expect(compose.suggestions.get_by_role("option", name=bob.username)).to_be_visible()
    compose.to.press("ArrowDown")
    compose.to.press("Enter")
    expect(compose.to).to_have_value(bob.username)
    expect(compose.suggestions).to_be_hidden()

    compose.content.fill("Found you.")
    compose.content.press("Control+Enter")
    expect(ThreadPage(compose.page).message("Found you.")).to_be_visible()


def test_one_letter_suggests_nobody(sign_in, alice, bob):
    compose = ComposePage(sign_in(alice)).open()
    compose.to.press_sequentially("b")
    expect(compose.suggestions).to_be_hidden()


@pytest.mark.expects(422)
@pytest.mark.parametrize("whom", ["nobody_by_this_name", "oneself"])
def test_who_can_not_be_written_to_is_refused_and_the_text_kept(sign_in, alice, whom, javascript):
    compose = ComposePage(sign_in(alice, java_script_enabled=javascript)).open()
    compose.write(alice.username if whom == "oneself" else whom, "Hello?")
    expect(compose.page).to_have_url("/messages/new/")
    expect(compose.main.locator(".field__error")).to_be_visible()
    expect(compose.content).to_have_value("Hello?")


def test_the_counter_appears_near_the_limit(sign_in, alice):
    compose = ComposePage(sign_in(alice)).open()
    compose.content.fill("🙂" * 4_990)
    expect(compose.main.get_by_text("10 characters left")).to_be_visible()
