"""All that one can do about one's account: with the keyboard alone, and without JavaScript."""

import re

import pytest
from playwright.sync_api import expect

from e2e.pages import PASSWORD, AccountPage, CodePage, LoginPage, SecondFactorPage, SitePage
from e2e.test_second_factor import INBOX, code, with_authenticator

OTHER_PASSWORD = "horse battery correct"


class Keyboard:
    """Comes to everything by Tab, and presses Enter."""

    javascript = True

    def fill(self, target, text):
        SitePage(target.page).type_into(target, text)

    def press(self, target):
        SitePage(target.page).tab_to(target)
        target.page.keyboard.press("Enter")


class NoScript:
    """Has a mouse, and JavaScript switched off."""

    javascript = False

    def fill(self, target, text):
        target.fill(text)

    def press(self, target):
        target.click()


@pytest.fixture(params=[Keyboard(), NoScript()], ids=["keyboard", "no-script"])
def hand(request):
    return request.param


@pytest.fixture(scope="module")
def browser_context_args(browser_context_args, server):
    """A passkey belongs to the name of a site, and 127.0.0.1 is none."""
    return browser_context_args | {"base_url": server.url.replace("127.0.0.1", "localhost")}


@pytest.fixture
def knock(new_context):
    """Show somebody's name and password at the door: `knock(hand, alice)` returns their page."""

    def open_page(hand, person):
        login = LoginPage(new_context(java_script_enabled=hand.javascript).new_page()).open()
        hand.fill(login.name, person.get_username())
        hand.fill(login.password, PASSWORD)
        hand.press(button(login.page, "Sign in"))
        return login.page

    return open_page


@pytest.fixture
def enter(knock):
    """Sign somebody in by hand, who is let in at once."""

    def open_page(hand, person):
        page = knock(hand, person)
        expect(page).to_have_url(INBOX)
        return page

    return open_page


def button(page, name):
    return page.get_by_role("main").get_by_role("button", name=name, exact=True)


def link(page, name):
    return page.get_by_role("main").get_by_role("link", name=name)


def says(page, heading):
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)


def sign_out(hand, page):
    hand.press(page.get_by_role("button", name="Account menu"))
    hand.press(page.get_by_role("button", name="Sign out", exact=True))
    expect(page).to_have_url(re.compile("^[^/]+//[^/]+/$"))


@pytest.mark.expects(422)
def test_a_name_an_address_and_a_password_are_changed(hand, enter, knock, mailed, alice):
    page = enter(hand, alice)
    account = AccountPage(page).open()
    hand.fill(page.get_by_role("textbox", name="Name"), f"{alice.username}_b")
    hand.press(button(page, "Change name"))
    expect(account.toasts).to_contain_text("name")
    alice.refresh_from_db()
    assert alice.username.endswith("_b")

    new, old = f"{alice.username}@elsewhere.example", alice.email
    hand.press(link(page, "E-mail addresses"))
    hand.fill(page.get_by_label("Another address"), new)
    hand.press(button(page, "Add this address"))
    says(page, "Is it you?")
    give_password(hand, page)
    expect(account.main).to_contain_text(new)
    confirm(hand, page, mailed())
    of_new, of_old = (page.locator("form.card").filter(has_text=one) for one in (new, old))
    expect(of_new).to_contain_text("first")
    hand.press(of_old.get_by_role("button", name="Send a link"))
    expect(account.toasts).to_contain_text(old)
    confirm(hand, page, mailed())
    for address in (of_old, of_new):
        hand.press(address.get_by_role("button", name="Make it the first"))
        expect(address).to_contain_text("first")
    hand.press(of_old.get_by_role("button", name="Remove"))
    expect(of_old).to_have_count(0)

    hand.press(link(page, "Back to your account"))
    hand.press(link(page, "Change password"))
    hand.fill(page.get_by_label("Current password"), PASSWORD)
    choose_password(hand, page, OTHER_PASSWORD)
    expect(account.toasts).to_contain_text("password")
    sign_out(hand, page)

    page = knock(hand, alice)
    expect(page.locator(".field__error, [role=alert]").first).to_be_visible()
    hand.press(link(page, "Forgot your password?"))
    hand.fill(page.get_by_role("textbox"), new)
    hand.press(page.get_by_role("main").get_by_role("button"))
    says(page, re.compile("mail"))
    page.goto(mailed())
    choose_password(hand, page, PASSWORD)
    says(page, re.compile("is changed"))
    enter(hand, alice)


def confirm(hand, page, address):
    page.goto(address)
    hand.press(button(page, "Confirm"))
    says(page, "Inbox")
    page.goto("/accounts/email/")


def choose_password(hand, page, password):
    for field in page.get_by_label("New password").all():
        hand.fill(field, password)
    hand.press(button(page, "Change password"))


def test_an_app_is_added_used_and_removed(hand, enter, knock, alice):
    page = enter(hand, alice)
    settings = SecondFactorPage(page)
    AccountPage(page).open()
    hand.press(link(page, "Two-factor and passkeys"))
    hand.press(link(page, "Add an app"))
    give_password(hand, page)
    secret = settings.key.inner_text()
    hand.fill(page.get_by_label("Code"), code(secret))
    hand.press(button(page, "Add the app"))
    says(page, "Recovery codes")
    [old, *_] = settings.recovery_codes.all_inner_texts()
    hand.press(link(page, "Make new ones"))
    hand.press(button(page, "Make new ones"))
    says(page, "Recovery codes")
    [new, *_] = settings.recovery_codes.all_inner_texts()
    assert new != old
    sign_out(hand, page)

    page = knock(hand, alice)
    hand.fill(CodePage(page).code, new)
    hand.press(button(page, "Sign in"))
    expect(page).to_have_url(INBOX)
    SecondFactorPage(page).open()
    hand.press(link(page, "Remove the app"))
    give_password(hand, page)
    hand.press(button(page, "Remove the app"))
    expect(page.get_by_role("main")).to_contain_text("It is off")


def test_a_passkey_is_added_used_and_removed_with_the_keyboard_alone(enter, alice):
    hand = Keyboard()
    page = with_authenticator(enter(hand, alice))
    settings = SecondFactorPage(page).open()
    hand.press(link(page, "Add a passkey"))
    give_password(hand, page)
    hand.fill(page.get_by_label("Name"), "My laptop")
    page.keyboard.press("Enter")
    says(page, "Recovery codes")
    sign_out(hand, page)

    LoginPage(page).open()
    hand.press(button(page, "Sign in with a passkey"))
    expect(page).to_have_url(INBOX)
    settings.open()
    hand.press(link(page, "Remove My laptop"))
    give_password(hand, page)
    hand.press(button(page, "Remove the passkey"))
    expect(page.get_by_role("main")).to_contain_text("It is off")


def test_others_are_signed_out_and_the_messages_taken_along(hand, enter, write, alice, bob):
    write(bob, alice, "Take me with you.")
    here, there = enter(hand, alice), enter(hand, alice)
    account = AccountPage(here).open()
    hand.press(button(here, "Sign out everywhere else"))
    expect(account.toasts).to_contain_text("signed out everywhere")
    there.goto("/account/")
    says(there, "Sign in")
    with here.expect_download() as download:
        hand.press(link(here, "Download my messages"))
    assert "Take me with you." in download.value.path().read_text()


def give_password(hand, page):
    """Show once more who one is; not asked for again soon after."""
    says(page, re.compile(".+"))
    if page.get_by_role("heading", name="Is it you?").count():
        hand.fill(page.get_by_label("Password"), PASSWORD)
        hand.press(button(page, "Go on"))
