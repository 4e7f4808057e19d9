"""The server stops, the session ends, and the page says so."""

import pytest
from playwright.sync_api import expect

from e2e.pages import InboxPage, ThreadPage


@pytest.fixture
def stopped(server):
    """Call it to stop the server; it is back at the latest when the journey ends."""
    yield server.stop
    server.start()


@pytest.mark.expects("ERR_CONNECTION_REFUSED")
def test_a_banner_says_that_the_server_is_away_and_goes_when_it_is_back(
    sign_in, server, stopped, alice
):
    inbox = InboxPage(sign_in(alice)).open()
    expect(inbox.offline).to_be_hidden()
    stopped()
    inbox.look_again()
    expect(inbox.offline).to_be_visible()
    server.start()
    inbox.look_again()
    expect(inbox.offline).to_be_hidden()


@pytest.mark.expects("ERR_FAILED", "ERR_CONNECTION_REFUSED")
def test_a_poll_that_the_next_page_breaks_off_is_no_lost_connection(sign_in, alice):
    inbox = InboxPage(sign_in(alice)).open()
    inbox.page.route("**/inbox/**", lambda route: route.abort())
    inbox.page.evaluate("dispatchEvent(new Event('beforeunload'))")
    inbox.poll()  # which Firefox breaks off while this page is still shown
    expect(inbox.offline).to_be_hidden()


@pytest.mark.expects("ERR_CONNECTION_REFUSED")
def test_what_was_typed_is_kept_while_the_server_is_away(
    sign_in, server, stopped, write, alice, bob
):
    letter = write(bob, alice, "Are you there?")
    thread = ThreadPage(sign_in(alice)).open(letter)
    thread.start_reply(thread.article(letter)).fill("I am, but")
    stopped()
    thread.send()
    expect(thread.toasts).to_contain_text("again")
    expect(thread.reply_box).to_have_value("I am, but")
    server.start()
    thread.send()
    expect(thread.message("I am, but")).to_be_visible()


@pytest.mark.expects(401)
def test_a_page_that_is_signed_out_elsewhere_goes_to_the_log_in_page(sign_in, alice):
    page = sign_in(alice)
    inbox = InboxPage(page).open()
    other_tab = page.context.new_page()
    InboxPage(other_tab).open().sign_out()
    expect(other_tab).to_have_url("/")
    inbox.look_again()
    expect(page).to_have_url("/accounts/login/?next=/inbox/")
