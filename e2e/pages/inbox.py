from e2e.pages.site import SitePage


class InboxPage(SitePage):
    path = "/inbox/"

    def __init__(self, page):
        super().__init__(page)
        self.list = page.locator("#inbox")

    def show(self, tab):
        self.main.get_by_role("link", name=tab).click()

    def row(self, text):
        """Return the row that shows `text`, a name or first words."""
        return self.list.get_by_role("listitem").filter(has_text=text)

    def enter(self, text):
        """Open the thread whose row shows `text`."""
        self.row(text).get_by_role("link").first.click()
