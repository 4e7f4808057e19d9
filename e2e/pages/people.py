from e2e.pages.site import SitePage


class PeoplePage(SitePage):
    path = "/people/"

    def look_up(self, letters):
        self.page.get_by_label("Name").fill(letters)
        self.main.get_by_role("button", name="Look up").click()
