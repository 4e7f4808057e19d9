from e2e.pages.site import SitePage


class NotificationPage(SitePage):
    path = "/notifications/"

    def __init__(self, page):
        super().__init__(page)
        self.list = page.locator("#notifications")

    def row(self, text):
        return self.list.get_by_role("listitem").filter(has_text=text)

    def mark_all_read(self):
        self.main.get_by_role("button", name="Mark all").click()
