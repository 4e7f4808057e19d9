from e2e.pages.site import SitePage


class ComposePage(SitePage):
    path = "/messages/new/"

    def __init__(self, page):
        super().__init__(page)
        self.to = page.get_by_label("To", exact=True)
        self.content = page.get_by_label("Message", exact=True)
        self.suggestions = page.get_by_role("listbox")

    def open_to(self, person):
        """Begin a message that says already who it is to."""
        self.page.goto(f"{self.path}?to={person.username}")

    def write(self, to, content):
        """Write to `to`, a name, and send."""
        self.to.fill(to)
        self.content.fill(content)
        self.send()

    def send(self):
        self.main.get_by_role("button", name="Send").click()
