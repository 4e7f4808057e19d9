"""Who is too fast keeps what was typed, and is told when to try again; a page waits by itself."""

import uuid

import pytest
from playwright.sync_api import expect

from e2e.pages import ComposePage, InboxPage, ThreadPage

pytestmark = pytest.mark.expects(429)

TYPED = "Half an hour of work."
POLL_OFTEN = """
async (times) => {
  const headers = { "HX-Request": "true", "HX-PTag": "none" };
  for (let time = 0; time < times; time++) await fetch("/notifications/", { headers });
}
"""


@pytest.fixture(scope="module")
def strict_server(server):
    """The same site with its throttles on; one process, since each counts looks for itself."""
    with server.beside(MESSAGING_THROTTLES="on", WEB_CONCURRENCY="1") as url:
        yield url


@pytest.fixture(scope="module")
def browser_context_args(browser_context_args, strict_server):
    return browser_context_args | {"base_url": strict_server}


def post_often(page, times, path, fields):
    """Send a form so often from the browser of a page, without looking at what comes back."""
    page.goto("/messages/new/")
    token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    for time in range(times):
        form = {"csrfmiddlewaretoken": token} | fields(time)
        assert page.request.post(path, form=form, max_redirects=0).status == 302


def letter_to(person):
    return lambda time: {
        "to": person.get_username(),
        "content": f"Number {time}.",
        "client_token": str(uuid.uuid4()),
    }


def test_a_new_message_stays_in_its_form(sign_in, javascript, alice, bob):
    page = sign_in(alice, java_script_enabled=javascript)
    post_often(page, 20, "/messages/new/", letter_to(bob))
    compose = ComposePage(page).open()
    compose.write(bob.get_username(), TYPED)
    expect(compose.main.get_by_role("alert")).to_contain_text("try again in")
    expect(compose.content).to_have_value(TYPED)
    expect(compose.to).to_have_value(bob.get_username())
    expect(compose.toasts).to_be_empty()


def test_a_reply_stays_in_its_form(sign_in, javascript, write, alice, bob):
    letter = write(bob, alice, "The first.")
    page = sign_in(alice, java_script_enabled=javascript)
    post_often(page, 20, "/messages/new/", letter_to(bob))
    thread = ThreadPage(page).open(letter)
    thread.start_reply(thread.article(letter)).fill(TYPED)
    thread.send()
    expect(thread.reply_form.get_by_role("alert")).to_contain_text("try again in")
    expect(thread.reply_box).to_have_value(TYPED)


def test_an_edit_stays_in_its_form(sign_in, javascript, write, alice, bob):
    letter = write(alice, bob, "The first.")
    page = sign_in(alice, java_script_enabled=javascript)
    post_often(
        page,
        30,
        f"/messages/{letter.pk}/edit/",
        lambda time: {"content": f"Text {time}.", "revision": str(time + 1)},
    )
    thread = ThreadPage(page).open(letter)
    thread.edit(thread.article(letter), TYPED)
    expect(thread.edit_form.get_by_role("alert")).to_contain_text("try again in")
    expect(thread.editor).to_have_value(TYPED)


def test_a_page_that_polls_too_fast_waits_as_long_as_it_is_told(sign_in, alice):
    page = sign_in(alice)
    page.clock.install()
    inbox = InboxPage(page).open()
    page.evaluate(POLL_OFTEN, 300)
    asked = []

    def answer(route):
        """Let the real answer be one that says, at whichever second of a minute: in 30 seconds."""
        response = route.fetch()
        asked.append(response.status)
        assert int(response.headers["retry-after"]) > 0
        route.fulfill(response=response, headers=response.headers | {"retry-after": "30"})

    page.route("**/inbox/**", answer)
    with page.expect_response("**/inbox/**"):
        inbox.look_again()
    expect(inbox.offline).to_be_hidden()
    expect(inbox.toasts).to_be_empty()

    page.clock.run_for(20_000)
    inbox.look_again()
    assert asked == [429]
    with page.expect_response("**/inbox/**"):
        page.clock.run_for(20_000)
        inbox.look_again()
    page.unroute_all(behavior="wait")
