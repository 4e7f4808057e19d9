from e2e.pages.site import SitePage

PASSWORD = "correct horse battery"


class LoginPage(SitePage):
    path = "/accounts/login/"

    def __init__(self, page):
        super().__init__(page)
        self.name = page.get_by_label("Name or e-mail")
        self.password = page.get_by_label("Password")

    def sign_in(self, person):
        """Sign in with the name and the password that the whole cast shares."""
        self.fill(person.get_username(), PASSWORD)
        self.page.wait_for_url("**/inbox/**")

    def fill(self, name, password):
        self.name.fill(name)
        self.password.fill(password)
        self.main.get_by_role("button", name="Sign in", exact=True).click()

    def use_passkey(self):
        self.main.get_by_role("button", name="Sign in with a passkey").click()
