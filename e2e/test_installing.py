"""Without a connection there is a page that says so; and nothing private was kept to show."""

import pytest
from playwright.sync_api import expect

from e2e.pages import ThreadPage

KEPT = """async () => {
  const found = [];
  for (const name of await caches.keys())
    for (const request of await (await caches.open(name)).keys())
      found.push(new URL(request.url).pathname);
  return found;
}"""


@pytest.fixture
def page(sign_in, alice):
    """A page of alice's, looked after by the worker."""
    page = sign_in(alice, service_workers="allow")
    page.goto("/inbox/?show=all")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()  # from now on the worker answers
    return page


@pytest.mark.expects("ERR_CONNECTION_REFUSED", "ERR_FAILED")
def test_without_a_connection_a_page_says_so(page, server, screenshot):
    server.stop()
    try:
        page.goto("/inbox/?show=sent")
        heading = page.get_by_role("heading", name="No connection")
        expect(heading).to_have_css("text-align", "center")  # it has its looks
        screenshot(page, "offline")
    finally:
        server.start()
    page.get_by_role("link", name="Try again").click()
    expect(page.get_by_role("link", name="Sent")).to_have_attribute("aria-current", "page")


def test_no_page_of_a_person_is_kept_by_the_browser(page, write, alice, bob):
    message = write(bob, alice, "Between the two of us.")
    expect(ThreadPage(page).open(message).article(message)).to_contain_text("two of us")
    kept = page.evaluate(KEPT)
    assert [path for path in kept if not path.startswith("/static/")] == ["/offline/"]
