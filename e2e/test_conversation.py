"""All messages in time order, and finding somebody to write to."""

from playwright.sync_api import expect

from e2e.pages import ComposePage, ConversationPage, PeoplePage, ThreadPage


def test_all_messages_stand_in_time_order_and_new_ones_arrive(sign_in, write, alice, bob, mallory):
    write(alice, bob, "To bob.")
    write(mallory, alice, "From somebody else.")
    conversation = ConversationPage(sign_in(alice)).open()
    expect(conversation.articles).to_contain_text(["To bob.", "From somebody else."])
    write(bob, alice, "From bob.")
    conversation.poll()
    expect(conversation.articles).to_contain_text(["To bob.", "From somebody else.", "From bob."])


def test_a_conversation_with_one_person_holds_nobody_else(
    sign_in, write, alice, bob, mallory, javascript
):
    write(alice, bob, "To bob.")
    write(mallory, alice, "From somebody else.")
    page = sign_in(alice, java_script_enabled=javascript)
    conversation = ConversationPage(page).open(bob)
    expect(conversation.articles).to_contain_text(["To bob."])


def test_somebody_is_looked_up_and_written_to_without_javascript(sign_in, alice, bob):
    page = sign_in(alice, java_script_enabled=False)
    PeoplePage(page).open().look_up(bob.username[:-1])
    page.get_by_role("link", name=bob.username).click()
    compose = ComposePage(page)
    expect(compose.to).to_have_value(bob.username)
    compose.content.fill("Found you.")
    compose.send()
    expect(ThreadPage(page).message("Found you.")).to_be_visible()


def test_after_signing_out_the_back_button_shows_nothing(sign_in, write, alice, bob):
    letter = write(bob, alice, "Nobody else may read this.")
    thread = ThreadPage(sign_in(alice)).open(letter)
    expect(thread.article(letter)).to_be_visible()
    thread.sign_out()
    expect(thread.page).to_have_url("/")
    thread.page.go_back()
    expect(thread.page.get_by_text("Nobody else may read this.")).to_have_count(0)
    expect(thread.page.get_by_role("heading", name="Sign in")).to_be_visible()
