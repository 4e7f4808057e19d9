"""For everyone: axe finds nothing, the keyboard is enough, a small screen is wide enough.

With SCREENSHOTS=on in the environment pictures land in e2e/screenshots/, for people to look at.
"""

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from axe_playwright_python.base import AxeResults
from axe_playwright_python.sync_playwright import Axe
from django.template.loader import render_to_string
from playwright.sync_api import expect

from e2e.pages import (
    PASSWORD,
    CodePage,
    ComposePage,
    InboxPage,
    LoginPage,
    SecondFactorPage,
    ThreadPage,
)
from e2e.test_second_factor import code
from messaging.models import AccessRecord
from messaging.services import BlockService, MessageService
from site_config.accounts.services import InvitationService

WIDE, MIDDLE, NARROW, NARROWEST = 1280, 768, 390, 320
HEIGHT = 844
FOR_AXE = {"bypass_csp": True}  # axe measures with inline styles, which the policy would block
AXE = {"resultTypes": ["violations"], "preload": False}  # it would fetch styles by a wrong address
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}  # all that a scheme can change
SCHEMES = {"light": AXE, "dark": AXE | COLOURS}
PUBLIC_PAGES = {
    "home": "/",
    "sign-in": "/accounts/login/",
    "sign-up": "/accounts/signup/",
    "reset": "/accounts/password/reset/",
    "reset-done": "/accounts/password/reset/done/",
    "reset-used": "/accounts/password/reset/key/1-abc/",
    "reset-changed": "/accounts/password/reset/key/done/",
    "confirm-used": "/accounts/confirm-email/abc/",
    "confirm-sent": "/accounts/confirm-email/",
    "inactive": "/accounts/inactive/",
    "offline": "/offline/",
    "error": "/nothing-here/",
}
PAGES = {
    "inbox": "/inbox/?show=all",
    "sent": "/inbox/?show=sent",
    "compose": "/messages/new/",
    "people": "/people/?q={bob}",
    "thread": "/messages/{pk}/",
    "history": "/messages/{pk}/history/",
    "access": "/messages/{pk}/access/",
    "reply": "/messages/{pk}/reply/",
    "edit": "/messages/{pk}/edit/",
    "delete": "/messages/{pk}/delete/",
    "not-mine": "/messages/{theirs}/edit/",
    "branch": "/messages/{pk}/replies/",
    "conversation": "/conversation/",
    "conversation-with": "/conversation/{bob}/",
    "notifications": "/notifications/",
    "block": "/people/{bob}/block/",
    "blocked": "/people/blocked/",
    "account": "/account/",
    "preferences": "/account/preferences/",
    "account-delete": "/account/delete/",
    "sessions": "/account/sessions/",
    "password": "/accounts/password/change/",
    "email": "/accounts/email/",
    "sign-out": "/accounts/logout/",
    "two-factor": "/accounts/2fa/",
    "reauthenticate": "/accounts/reauthenticate/",
}

ERRORS = {"403_csrf.html": 403} | {f"{status}.html": status for status in (400, 403, 429, 500, 503)}


@pytest.fixture
def letter(write, alice, bob, mallory):
    """A thread with something of everything; returns its first message, by alice, edited."""
    first = write(alice, bob, "Shall we meet on Sunday at the old mill?")
    MessageService.edit(first, content="Shall we meet on Saturday at the old mill?", revision=1)
    reply = write(bob, alice, "Saturday is fine. I bring " + "w" * 80 + ".", parent=first)
    write(alice, bob, "And I bring the bread. https://parley.example/bread 🍞", parent=reply)
    gone = write(bob, alice, "Wrong window.", parent=reply)
    write(alice, bob, "What was that?", parent=gone)
    gone.delete()
    write(bob, alice, "نلتقي عند الجسر القديم", parent=first)
    write(bob, alice, "Another thread, about the garden.")
    AccessRecord.objects.create(message=first, reason="Report 12")
    BlockService.block(alice, mallory)
    return first


@pytest.fixture
def addresses(letter, bob):
    """Return the address of each page of somebody who is signed in."""
    names = {"pk": letter.pk, "theirs": letter.replies.first().pk, "bob": bob.username}
    return {name: path.format(**names) for name, path in PAGES.items()}


@pytest.mark.expects(403, 404)
def test_axe_finds_nothing_on_any_page(sign_in, new_context, screenshot, addresses, alice):
    visitor, page = new_context(**FOR_AXE).new_page(), sign_in(alice, **FOR_AXE)
    found = {}
    for tab, pages in ((visitor, PUBLIC_PAGES), (page, addresses)):
        for name, path in pages.items():
            tab.goto(path)
            expect(tab.get_by_role("heading", level=1)).to_have_count(1)
            found |= judge(tab, name, screenshot)
    assert found == {}


def judge(page, name, screenshot=None):
    """Return what axe finds on a page: at each width, in the light and in the dark."""
    page.evaluate(Axe().axe_script)
    reports = {}
    for width in (NARROWEST, NARROW, MIDDLE, WIDE):
        page.set_viewport_size({"width": width, "height": HEIGHT})
        for scheme, options in SCHEMES.items():
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            results = AxeResults(page.evaluate("(options) => axe.run(options)", options))
            if results.violations_count:
                reports[f"{name}-{width}-{scheme}"] = results.generate_report()
            if screenshot:
                screenshot(page, f"{name}-{width}-{scheme}")
    return reports


def test_what_people_wrote_stands_out_seven_to_one(sign_in, letter, alice):
    page = ThreadPage(sign_in(alice, **FOR_AXE)).open(letter).page
    page.evaluate(Axe().axe_script)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate(BODY_CONTRAST)
        assert found["passes"]
        assert found["violations"] == []


BODY_CONTRAST = """
() => axe.run({ include: [".message__body"] }, {
  runOnly: ["color-contrast-enhanced"], rules: { "color-contrast-enhanced": { enabled: true } },
})
"""


@pytest.mark.expects(409, 422)
def test_axe_finds_nothing_on_what_opens(sign_in, letter, alice, bob):
    thread = ThreadPage(sign_in(alice, **FOR_AXE)).open(letter)
    page, found = thread.page, {}
    thread.edited_mark(thread.article(letter)).click()
    expect(thread.history_popover.locator("ins")).to_be_visible()
    found |= judge(page, "history")
    page.keyboard.press("Escape")
    thread.start_edit(thread.article(letter)).fill("On Friday?")
    MessageService.edit(letter, content="On Thursday?", revision=2)
    thread.save()
    expect(thread.edit_form).to_contain_text("What it says now")
    found |= judge(page, "conflict")
    thread.cancel()
    thread.start_reply(thread.message("Saturday is fine."))
    found |= judge(page, "reply")
    thread.open(letter).switch_view()
    expect(thread.list).to_contain_text("In reply to")
    found |= judge(page, "flat")
    page.get_by_role("button", name="Account menu").click()
    found |= judge(page, "menu")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    found |= judge(page, "keys")
    compose = ComposePage(page).open()
    compose.to.press_sequentially(bob.username[:3])
    expect(page.get_by_role("option").first).to_be_visible()
    found |= judge(page, "suggestions")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".field__error").first).to_be_visible()
    found |= judge(page, "refused")
    assert found == {}


def test_axe_finds_nothing_on_the_way_through_a_second_factor(sign_in, alice):
    page = sign_in(alice, **FOR_AXE)
    settings = SecondFactorPage(page).open()
    settings.start_to_add_app()
    secret, found = settings.key.inner_text(), judge(page, "app")
    settings.add_app(code(secret))
    expect(settings.heading).to_have_text("Recovery codes")
    found |= judge(page, "codes")
    passkey = {"type": Authenticator.Type.WEBAUTHN, "data": {"name": "My laptop"}}
    passkey = Authenticator.objects.create(user=alice, **passkey)
    found |= judge(settings.open().page, "two-factor-on")
    for name, path, heading in (
        ("passkey", "passkeys/add/", "Add a passkey"),
        ("passkey-remove", f"passkeys/{passkey.pk}/remove/", "Remove this passkey?"),
        ("app-remove", "app/remove/", "Remove the app?"),
        ("codes-new", "recovery-codes/new/", "Make new recovery codes?"),
    ):
        page.goto(f"{settings.path}{path}")
        expect(settings.heading).to_have_text(heading)
        found |= judge(page, name)
    settings.sign_out()
    LoginPage(page).open().fill(alice.username, PASSWORD)
    expect(CodePage(page).heading).to_be_visible()
    found |= judge(page, "second-step")
    assert found == {}


def test_axe_finds_nothing_on_what_a_mail_leads_to(sign_in, new_context, mailed, alice):
    EmailAddress.objects.create(user=alice, email=alice.email, primary=True)
    page, visitor = sign_in(alice, **FOR_AXE), new_context(**FOR_AXE).new_page()
    page.goto("/accounts/email/")
    page.get_by_role("button", name="Send a link").click()
    expect(page.locator("#toasts")).to_contain_text(alice.email)
    found = {}
    for name, tab, path, heading in (
        ("confirm", page, mailed(), "Confirm your address"),
        ("reset-key", visitor, _ask_for_password(visitor, alice, mailed), "Choose a new password"),
    ):
        tab.goto(path)
        expect(tab.get_by_role("heading", level=1)).to_have_text(heading)
        found |= judge(tab, name)
    assert found == {}


def _ask_for_password(page, person, mailed):
    page.goto("/accounts/password/reset/")
    page.get_by_role("textbox").fill(person.email)
    page.get_by_role("main").get_by_role("button").click()
    page.wait_for_url("**/done/")
    return mailed()


def test_axe_finds_nothing_at_a_door_that_is_not_open_to_all(server, new_context):
    page, found = new_context(**FOR_AXE).new_page(), {}
    _, invitation = InvitationService.invite()
    with server.beside(ACCOUNT_SIGNUP="invitation") as url:
        page.goto(f"{url}/accounts/signup/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign-up is by invitation")
        found |= judge(page, "uninvited")
        page.goto(f"{url}{InvitationService.path(invitation)}")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign up")
        found |= judge(page, "invited")
    with server.beside(ACCOUNT_SIGNUP="closed") as url:
        page.goto(f"{url}/accounts/signup/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign-up is closed")
        found |= judge(page, "closed")
    assert found == {}


@pytest.mark.expects(*ERRORS.values())
def test_axe_finds_nothing_where_something_went_wrong(new_context):
    page, found = new_context(**FOR_AXE).new_page(), {}
    page.route("**/*.html", _go_wrong)
    for template, status in ERRORS.items():
        assert page.goto(f"/{template}").status == status
        expect(page.get_by_role("alert").get_by_role("heading")).to_be_visible()
        found |= judge(page, f"error-{template}")
    assert found == {}


def _go_wrong(route):
    """Answer with an error page: all are given the same bytes, so nothing has to be broken."""
    template = route.request.url.rpartition("/")[2]
    body = render_to_string(template)
    route.fulfill(status=ERRORS[template], content_type="text/html", body=body)


@pytest.mark.expects(403, 404)
def test_no_page_scrolls_sideways_on_the_narrowest_screen(sign_in, new_context, addresses, alice):
    viewport = {"width": NARROWEST, "height": 640}
    visitor = new_context(viewport=viewport).new_page()
    page = sign_in(alice, viewport=viewport)
    too_wide = [
        name
        for tab, pages in ((visitor, PUBLIC_PAGES), (page, addresses))
        for name, path in pages.items()
        if _scrolls_sideways(tab, path)
    ]
    assert too_wide == []


def _scrolls_sideways(page, path):
    page.goto(path)
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_the_keyboard_is_enough_to_write_read_and_reply(sign_in, alice, bob):
    page_of_alice, page_of_bob = sign_in(alice), sign_in(bob)
    compose = ComposePage(page_of_alice)
    compose.tab_to(page_of_alice.get_by_role("link", name="New message").first)
    page_of_alice.keyboard.press("Enter")
    compose.tab_to(compose.to)
    page_of_alice.keyboard.type(bob.username)
    page_of_alice.keyboard.press("Escape")
    compose.tab_to(compose.content)
    page_of_alice.keyboard.type("No mouse today.")
    page_of_alice.keyboard.press("Control+Enter")
    expect(ThreadPage(page_of_alice).message("No mouse today.")).to_be_visible()

    inbox, thread = InboxPage(page_of_bob).open(), ThreadPage(page_of_bob)
    inbox.tab_to(inbox.row("No mouse today.").get_by_role("link").first)
    page_of_bob.keyboard.press("Enter")
    thread.tab_to(thread.message("No mouse today.").get_by_role("link", name="Reply"))
    page_of_bob.keyboard.press("Enter")
    expect(thread.reply_box).to_be_focused()
    page_of_bob.keyboard.type("Nor here.")
    page_of_bob.keyboard.press("Control+Enter")
    expect(thread.message("Nor here.")).to_be_visible()


def test_the_first_tab_stop_skips_to_the_content(sign_in, alice):
    page = InboxPage(sign_in(alice)).open().page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
