from e2e.pages.login import PASSWORD
from e2e.pages.site import SitePage


class CodePage(SitePage):
    """Asks who has shown the password for something more."""

    def __init__(self, page):
        super().__init__(page)
        self.heading = page.get_by_role("heading", name="One more step")
        self.code = page.get_by_label("Code")
        self.error = page.locator("#id_code_error")

    def show(self, code):
        self.code.fill(code)
        self.main.get_by_role("button", name="Sign in", exact=True).click()

    def use_passkey(self):
        self.main.get_by_role("button", name="Use a passkey").click()


class SecondFactorPage(SitePage):
    path = "/accounts/2fa/"

    def __init__(self, page):
        super().__init__(page)
        self.key = page.locator("code.key").first
        self.recovery_codes = page.locator(".codes code")
        self.heading = page.get_by_role("heading", level=1)

    def open_from_account(self):
        self.page.goto("/account/")
        self.main.get_by_role("link", name="Two-factor and passkeys").click()
        return self

    def start_to_add_app(self):
        self.main.get_by_role("link", name="Add an app").click()
        self.give_password()

    def give_password(self, password=PASSWORD):
        self.page.get_by_label("Password").fill(password)
        self.main.get_by_role("button", name="Go on").click()

    def add_app(self, code):
        self.page.get_by_label("Code").fill(code)
        self.main.get_by_role("button", name="Add the app").click()

    def add_passkey(self, name):
        self.main.get_by_role("link", name="Add a passkey").click()
        self.give_password()
        self.page.get_by_label("Name").fill(name)
        self.main.get_by_role("button", name="Add a passkey").click()

    def start_to_remove_passkey(self, name):
        passkey = self.main.get_by_role("listitem").filter(has_text=name)
        passkey.get_by_role("link", name=f"Remove {name}").click()
        self.give_password()

    def remove_passkey(self):
        self.main.get_by_role("button", name="Remove the passkey").click()


class SessionsPage(SitePage):
    path = "/account/sessions/"

    def __init__(self, page):
        super().__init__(page)
        self.sessions = self.main.get_by_role("listitem")

    def end(self, browser):
        self.main.get_by_role("button", name=f"Sign out {browser}").click()
