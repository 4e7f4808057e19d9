from e2e.pages.site import SitePage


class ConversationPage(SitePage):
    path = "/conversation/"

    def __init__(self, page):
        super().__init__(page)
        self.articles = page.locator("#conversation").get_by_role("article")

    def open(self, person=None):
        """Open all messages, or those with one person."""
        self.page.goto(f"{self.path}{person.username}/" if person else self.path)
        return self
