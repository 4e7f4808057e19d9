"""Editing in place, and looking at what was there before."""

import pytest
from playwright.sync_api import expect

from e2e.pages import ThreadPage
from messaging.services import MessageService


@pytest.fixture
def letter(write, alice, bob):
    return write(alice, bob, "See you at eight.")


def test_an_edit_is_saved_in_place_and_arrives_at_the_other(sign_in, letter, alice, bob):
    thread_of_bob = ThreadPage(sign_in(bob)).open(letter)
    thread = ThreadPage(sign_in(alice)).open(letter)
    before = thread.page.url
    thread.edit(thread.article(letter), "See you at nine.")

    expect(thread.message("See you at nine.")).to_be_visible()
    expect(thread.edited_mark(thread.article(letter))).to_be_visible()
    expect(thread.page).to_have_url(before)
    thread_of_bob.poll()
    expect(thread_of_bob.message("See you at nine.")).to_be_visible()
    expect(thread_of_bob.edited_mark(thread_of_bob.article(letter))).to_be_visible()


def test_an_edit_is_saved_without_javascript(sign_in, letter, alice):
    thread = ThreadPage(sign_in(alice, java_script_enabled=False)).open(letter)
    thread.edit(thread.article(letter), "See you at nine.")
    expect(thread.message("See you at nine.")).to_be_visible()


@pytest.mark.parametrize("how", ["Escape", "Cancel"])
def test_leaving_the_editor_changes_nothing(sign_in, letter, alice, how):
    thread = ThreadPage(sign_in(alice)).open(letter)
    editor = thread.start_edit(thread.article(letter))
    expect(editor).to_be_focused()
    editor.fill("Never mind.")
    if how == "Escape":
        editor.press("Escape")
    else:
        thread.cancel()
    expect(thread.editor).to_have_count(0)
    expect(thread.message("See you at eight.")).to_be_visible()
    letter.refresh_from_db()
    assert letter.revision == 1


def test_esc_leaves_an_input_method_and_not_the_editor(sign_in, letter, alice):
    thread = ThreadPage(sign_in(alice)).open(letter)
    editor = thread.start_edit(thread.article(letter))
    page = thread.page
    page.evaluate("addEventListener('click', ({target}) => window.clicked = target.textContent)")
    editor.dispatch_event("keydown", {"key": "Escape", "keyCode": 229})  # all that Safari says
    assert page.evaluate("window.clicked") is None
    editor.dispatch_event("keydown", {"key": "Escape", "keyCode": 27})
    assert page.evaluate("window.clicked") == "Cancel"


def test_ctrl_enter_saves(sign_in, letter, alice):
    thread = ThreadPage(sign_in(alice)).open(letter)
    editor = thread.start_edit(thread.article(letter))
    editor.fill("See you at ten.")
    editor.press("Control+Enter")
    expect(thread.message("See you at ten.")).to_be_visible()


def test_saving_twice_in_a_row_saves_once(sign_in, letter, alice):
    thread = ThreadPage(sign_in(alice)).open(letter)
    held = []
    editor = thread.start_edit(thread.article(letter))
    editor.fill("See you at ten.")
    thread.page.route("**/edit/", lambda route: held.append(route))
    for _ in range(2):
        editor.press("Control+Enter")
    thread.page.wait_for_timeout(100)
    assert len(held) == 1
    held[0].continue_()
    expect(thread.message("See you at ten.")).to_be_visible()


def test_what_is_sent_while_an_edit_is_saved_waits_for_it(sign_in, letter, alice):
    thread = ThreadPage(sign_in(alice)).open(letter)
    held = []
    thread.start_edit(thread.article(letter)).fill("See you at ten.")
    thread.page.route("**/edit/", lambda route: held.append(route))
    thread.save()
    for text in ("Or at eleven.", "Not later."):
        thread.foot.fill(text)
        thread.foot.press("Control+Enter")
    expect(thread.sending).to_contain_text("Or at eleven.")
    expect(thread.foot).to_have_value("Not later.")
    held[0].continue_()
    for text in ("See you at ten.", "Or at eleven."):
        expect(thread.page.locator("article[id]").filter(has_text=text)).to_be_visible()
    expect(thread.sending).to_have_count(0)
    expect(thread.foot).to_have_value("Not later.")
    letter.refresh_from_db()
    assert letter.content == "See you at ten."


def test_only_the_author_may_edit_or_delete(sign_in, letter, bob):
    article = ThreadPage(sign_in(bob)).open(letter).article(letter)
    expect(article.get_by_role("link", name="Reply")).to_be_visible()
    expect(article.get_by_role("link", name="Edit")).to_have_count(0)
    expect(article.get_by_role("link", name="Delete")).to_have_count(0)


@pytest.mark.expects(422)
def test_an_empty_edit_is_refused_in_words(sign_in, letter, alice, javascript):
    thread = ThreadPage(sign_in(alice, java_script_enabled=javascript)).open(letter)
    thread.edit(thread.article(letter), "   ")
    expect(thread.main.get_by_text("This field is required.")).to_be_visible()
    letter.refresh_from_db()
    assert letter.content == "See you at eight."


@pytest.mark.expects(409)
def test_the_slower_of_two_tabs_sees_both_texts_and_loses_nothing(
    sign_in, letter, alice, javascript
):
    thread = ThreadPage(sign_in(alice, java_script_enabled=javascript)).open(letter)
    thread.start_edit(thread.article(letter)).fill("See you at nine, says the slow tab.")
    MessageService.edit(letter, content="See you at ten, says the fast tab.", revision=1)
    thread.save()

    expect(thread.main.get_by_text("See you at ten, says the fast tab.").first).to_be_visible()
    expect(thread.editor).to_have_value("See you at nine, says the slow tab.")
    thread.save()
    expect(thread.editor).to_have_count(0)
    expect(thread.message("See you at nine, says the slow tab.")).to_be_visible()
    letter.refresh_from_db()
    assert letter.revision == 3


def test_the_history_opens_beside_the_mark_and_esc_gives_the_focus_back(sign_in, letter, alice):
    MessageService.edit(letter, content="See you at nine.", revision=1)
    thread = ThreadPage(sign_in(alice)).open(letter)
    mark = thread.edited_mark(thread.article(letter))
    mark.click()

    history = thread.history_popover
    expect(history.locator("del")).to_contain_text("eight")
    expect(history.locator("ins")).to_contain_text("nine")
    thread.page.keyboard.press("Escape")
    expect(history).to_have_count(0)
    expect(mark).to_be_focused()


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_the_history_is_in_sight_wherever_its_mark_stands(sign_in, write, alice, bob, place):
    """Between the halves of a phone's screen, it fits into neither as it is."""
    lines = "\n\n".join(f"Line {number}." for number in range(30))
    letter = write(alice, bob, lines)
    for _number in range(4):
        write(alice, bob, lines, parent=letter)
    MessageService.edit(letter, content=f"{lines} And one more.", revision=1)
    page = sign_in(alice, viewport={"width": 390, "height": 844})
    thread = ThreadPage(page).open(letter)
    mark = thread.edited_mark(thread.article(letter))
    page.evaluate("document.body.style.paddingBlock = '100vh'")
    to_place = (
        "(mark, place) => scrollBy(0, mark.getBoundingClientRect().top - innerHeight * place)"
    )
    mark.evaluate(to_place, place)
    mark.click()
    expect(thread.history_popover.locator("ins")).to_be_visible()
    box = thread.history_popover.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 844


def test_the_history_is_a_page_without_javascript(sign_in, letter, bob):
    MessageService.edit(letter, content="See you at nine.", revision=1)
    page = sign_in(bob, java_script_enabled=False)
    page.goto(f"/messages/{letter.pk}/history/")
    expect(page.locator("del")).to_contain_text("eight")
    expect(page.locator("ins")).to_contain_text("nine")
