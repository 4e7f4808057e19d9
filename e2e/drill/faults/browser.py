"""What an open page does when its person has signed out elsewhere."""

import re

from playwright.sync_api import Error, sync_playwright

from e2e.browser import NoBrowser, launch_options

from ..site import NotRunnable
from . import fault

INTERVAL = 12_000  # milliseconds: two polls of 5 s, and a slow machine


@fault(
    "F25",
    "Signed out with open pages",
    injection="in a browser: sign out in tab 1, tab 2 polls, Back in tab 1",
    bar="tab 2 is at the log-in page within an interval; Back shows no message; nothing is stored",
)
def signed_out_with_open_pages(site, seconds, findings):
    alice, bob = site.people(2)
    pk = bob.write(alice, "For your eyes only").pk
    try:
        options = launch_options()
    except NoBrowser as error:
        raise NotRunnable(str(error)) from error
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**options)
        try:
            _look(browser, site.url, alice, pk, findings)
        except Error as error:
            findings.expect(False, f"the browser: {str(error).splitlines()[0]}")
        finally:
            browser.close()


def _look(browser, url, person, pk, findings):
    context = browser.new_context(base_url=url)
    context.add_cookies(
        [{"name": name, "value": value, "url": url} for name, value in person.cookies.items()]
    )
    first, second = context.new_page(), context.new_page()
    first.goto(f"/messages/{pk}/")
    second.goto("/inbox/?show=all")
    findings.expect("For your eyes" in first.content(), "the page doesn't show the message")
    stored = second.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    findings.expect("For your eyes" not in stored, "the web storage holds a message")
    first.goto("/accounts/logout/")
    if first.get_by_role("main").get_by_role("button").count():
        first.get_by_role("main").get_by_role("button").first.click()
    first.wait_for_load_state()
    second.bring_to_front()
    second.wait_for_url(re.compile("/accounts/login/"), timeout=INTERVAL)
    findings.say("tab 2 went to the log-in page by itself")
    first.bring_to_front()
    for _ in range(2):
        first.go_back()
        first.wait_for_load_state()
        findings.expect("For your eyes" not in first.content(), "Back shows the message")
    findings.say(f"Back in tab 1 leads to {first.url.removeprefix(url)}")
