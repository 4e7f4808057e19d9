from e2e.pages.site import SitePage

PASSWORD = "correct horse battery"


class LoginPage(SitePage):
    path = "/accounts/login/"

    def sign_in(self, person):
        """Sign in with the name and the password that the whole cast shares."""
        self.page.get_by_label("Name or e-mail").fill(person.get_username())
        self.page.get_by_label("Password").fill(PASSWORD)
        self.main.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/inbox/**")
