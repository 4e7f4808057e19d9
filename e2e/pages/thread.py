from e2e.pages.site import SitePage
from messaging.ids import dom_id


class ThreadPage(SitePage):
    """A thread; a message in it is found by its text, or by its id while it is edited."""

    def __init__(self, page):
        super().__init__(page)
        self.list = page.locator("#thread")
        # A reply is written below its message, or without JavaScript on a page of its own.
        self.reply_form = page.locator(".message__reply form, .card form")
        self.reply_box = self.reply_form.get_by_role("textbox")
        self.edit_form = page.get_by_role("article", name="Edit message")
        self.editor = self.edit_form.get_by_role("textbox")
        self.history_popover = page.locator("[popover]:popover-open")
        self.arrivals = page.locator("#arrivals")
        self.news = page.locator("#news")
        self.sending = page.locator(".message--sending")
        self.unsent = page.locator(".message--unsent")

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

    @property
    def block(self):
        return self.page.locator(".thread-head").get_by_role("link", name="Block")

    def switch_view(self):
        self.page.locator(".thread-head__view").get_by_role("button").click()

    # --- Replying ---

    @property
    def foot(self):
        """The box at the foot of the thread, to write to the other person."""
        return self.page.locator("#composer").get_by_role("textbox")

    def start_reply(self, article):
        article.get_by_role("link", name="Reply").click()
        return self.reply_box

    def reply(self, article, text):
        self.start_reply(article).fill(text)
        self.send()
        # It is there at once; with an id, the server has it.
        self.page.locator("article[id]").filter(has_text=text).wait_for()

    def send(self):
        self.reply_form.get_by_role("button", name="Send").click()

    def expand(self):
        """Show the replies that the page folds away, all of them."""
        self.list.get_by_role("link", name="more repl").first.click()

    # --- Editing ---

    def start_edit(self, article):
        article.get_by_role("link", name="Edit").click()
        return self.editor

    def edit(self, article, text):
        self.start_edit(article).fill(text)
        self.save()

    def save(self):
        self.edit_form.get_by_role("button", name="Save").click()

    def cancel(self):
        self.edit_form.get_by_role("link", name="Cancel").click()

    # --- Looking back, taking back ---

    def edited_mark(self, article):
        return article.get_by_role("button", name="edited")

    def delete(self, article):
        """Delete for good: close the offer to undo it, or without JavaScript say yes."""
        article.get_by_role("link", name="Delete").click()
        confirmation = self.page.get_by_role("article", name="Delete message")
        yes = confirmation.get_by_role("button", name="Delete")
        yes.or_(self.toasts.get_by_role("button", name="Close").last).click()

    def undo(self):
        self.toasts.get_by_role("button", name="Undo").last.click()
