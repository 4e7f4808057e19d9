from e2e.pages.site import SitePage
from messaging.ids import dom_id


class ThreadPage(SitePage):
    """A thread; a message in it is found by its text, or by its id while it is edited."""

    def __init__(self, page):
        super().__init__(page)
        self.list = page.locator("#thread")
        self.history_popover = page.locator("[popover]:popover-open")

    def open(self, message):
        self.page.goto(f"/messages/{message.pk}/")
        return self

    def message(self, text):
        return self.page.get_by_role("article").filter(has_text=text)

    def article(self, message):
        return self.page.locator(f"#{dom_id('message', message.pk)}")

    def row(self, text):
        """Return the list item around a message: it carries the level of nesting."""
        return self.list.get_by_role("listitem").filter(has=self.message(text))

    # --- Replying ---

    def start_reply(self, article):
        article.get_by_role("link", name="Reply").click()
        return self.reply_box

    @property
    def reply_box(self):
        return self.main.get_by_role("textbox", name="Reply")

    def reply(self, article, text):
        self.start_reply(article).fill(text)
        self.send()

    def send(self):
        self.main.get_by_role("button", name="Send").click()

    def expand(self):
        """Show the replies that the page folds away, all of them."""
        self.list.get_by_role("link", name="more").first.click()

    # --- Editing ---

    def start_edit(self, article):
        article.get_by_role("link", name="Edit").click()
        return self.editor

    @property
    def editor(self):
        return self.main.get_by_role("textbox", name="Edit")

    def edit(self, article, text):
        self.start_edit(article).fill(text)
        self.save()

    def save(self):
        self.main.get_by_role("button", name="Save").click()

    def cancel(self):
        self.main.get_by_role("link", name="Cancel").click()

    # --- Looking back, taking back ---

    def edited_mark(self, article):
        return article.get_by_text("edited", exact=True)

    def delete(self, article):
        article.get_by_role("link", name="Delete").click()
        self.main.get_by_role("button", name="Delete").click()
