from e2e.pages.site import SitePage


class PeoplePage(SitePage):
    path = "/people/"

    def look_up(self, letters):
        self.page.get_by_label("Name").fill(letters)
        self.main.get_by_role("button", name="Look up").click()


class BlockedPage(SitePage):
    """Whom one has blocked."""

    path = "/people/blocked/"

    def __init__(self, page):
        super().__init__(page)
        self.people = self.main.get_by_role("listitem")
        self.block = self.main.get_by_role("button", name="Block", exact=True)
        self.unblock = self.main.get_by_role("button", name="Unblock")
        self.link = self.main.get_by_role("link", name="Blocked people")
