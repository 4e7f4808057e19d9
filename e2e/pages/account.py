from e2e.pages.login import PASSWORD
from e2e.pages.site import SitePage


class SignUpPage(SitePage):
    path = "/accounts/signup/"

    def sign_up(self, username):
        self.page.get_by_label("Name", exact=True).fill(username)
        self.page.get_by_label("E-mail").fill(f"{username}@example.com")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.main.get_by_role("button", name="Sign up").click()


class AccountPage(SitePage):
    path = "/account/"

    def __init__(self, page):
        super().__init__(page)
        self.themes = self.main.get_by_role("radio")
        self.language = self.main.get_by_role("combobox")
        # Its word is in the language that one is about to leave.
        self.save = page.locator("form[action$='/preferences/'] button")

    def sign_out_everywhere(self):
        self.main.get_by_role("button", name="Sign out everywhere else").click()

    def delete(self, password=PASSWORD):
        """Go to the page that says what will be lost, and delete the account."""
        self.main.get_by_role("link", name="Delete my account").click()
        self.page.get_by_label("Your password").fill(password)
        self.main.get_by_role("button", name="Delete my account").click()
