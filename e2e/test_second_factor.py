"""Signing in with something more than a password, or with something else; and seeing from where."""

import re
import time

import pytest
from playwright.sync_api import expect

from e2e.pages import PASSWORD, CodePage, LoginPage, SecondFactorPage, SessionsPage

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
INBOX = re.compile("/inbox/")


def code(secret, later=0):
    from allauth.mfa.totp.internal import auth as totp

    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + later))


def with_authenticator(page):
    """Give a browser a device that keeps passkeys."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return page


@pytest.fixture(scope="module")
def browser_context_args(browser_context_args, server):
    """A passkey belongs to the name of a site, and 127.0.0.1 is none."""
    return browser_context_args | {"base_url": server.url.replace("127.0.0.1", "localhost")}


@pytest.mark.expects(422)
def test_an_app_then_its_code_and_a_recovery_code(sign_in, new_context, alice, javascript):
    page = sign_in(alice, java_script_enabled=javascript)
    settings = SecondFactorPage(page).open_from_account()
    settings.start_to_add_app()
    secret = settings.key.inner_text()
    settings.add_app(code(secret))
    expect(settings.heading).to_have_text("Recovery codes")
    [first, *_] = settings.recovery_codes.all_inner_texts()

    page = new_context(java_script_enabled=javascript).new_page()
    LoginPage(page).open().fill(alice.username, PASSWORD)
    door = CodePage(page)
    expect(door.heading).to_be_visible()
    door.show("000000")
    expect(door.error).to_be_visible()
    door.show(code(secret, later=1))
    expect(page).to_have_url(INBOX)

    page = new_context(java_script_enabled=javascript).new_page()
    LoginPage(page).open().fill(alice.username, PASSWORD)
    CodePage(page).show(first)
    expect(page).to_have_url(INBOX)


def test_a_passkey_is_added_opens_the_door_and_is_removed(sign_in, alice):
    page = with_authenticator(sign_in(alice))
    settings = SecondFactorPage(page).open_from_account()
    settings.add_passkey("My laptop")
    expect(settings.heading).to_have_text("Recovery codes")

    page.context.clear_cookies()
    LoginPage(page).open().use_passkey()
    expect(page).to_have_url(INBOX)

    page.context.clear_cookies()
    LoginPage(page).open().fill(alice.username, PASSWORD)
    door = CodePage(page)
    expect(door.heading).to_be_visible()
    door.use_passkey()
    expect(page).to_have_url(INBOX)

    settings.open()
    settings.start_to_remove_passkey("My laptop")
    settings.remove_passkey()
    expect(settings.toasts).to_contain_text("The passkey is removed.")
    page.context.clear_cookies()
    LoginPage(page).open().use_passkey()
    expect(page.locator("#toasts")).to_contain_text("That wasn’t right")
    expect(page).to_have_url(re.compile("/accounts/login/"))


def test_without_javascript_a_passkey_says_what_it_needs(new_context):
    page = LoginPage(new_context(java_script_enabled=False).new_page()).open()
    expect(page.main).to_contain_text("Passkeys need JavaScript")
    expect(page.main.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()


def test_a_session_elsewhere_is_seen_and_ended(sign_in, alice, javascript):
    here = sign_in(alice, java_script_enabled=javascript)
    there = sign_in(alice, user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0")
    sessions = SessionsPage(here).open()
    expect(sessions.sessions).to_have_count(2)
    sessions.end("Firefox on Linux")
    expect(sessions.sessions).to_have_count(1)
    there.goto("/account/")
    expect(there).to_have_url(re.compile("/accounts/login/"))
