"""What every page of a signed-in person has."""

from playwright.sync_api import expect

POLL = """
() => new Promise((resolve) => {
  const lists = [...document.querySelectorAll("[data-poll]")];
  const asking = lists.filter((list) => list.checkVisibility());
  const waiting = new Set(asking.map(({ id }) => id));
  document.addEventListener("htmx:finally:request", function answered({ detail }) {
    waiting.delete(detail.ctx.sourceElement.id);
    if (waiting.size) return;
    document.removeEventListener("htmx:finally:request", answered);
    resolve(); // htmx says so when the answer is swapped in
  });
  document.dispatchEvent(new Event("visibilitychange"));
})
"""


class SitePage:
    """A page of the site. Locators are by role and label; verbs are what a person does."""

    path = "/"

    def __init__(self, page):
        self.page = page
        self.unread = page.locator("#nav-unread")
        self.bell = page.locator("#nav-bell")
        self.offline = page.locator("#offline")
        self.toasts = page.locator("#toasts")
        self.main = page.get_by_role("main")

    def open(self):
        self.page.goto(self.path)
        return self

    def poll(self):
        """Ask the server now, as the page does whenever its tab is shown again."""
        self.page.evaluate(POLL)

    def look_again(self):
        """Come back to the tab: the page asks, and nobody waits for the answer."""
        self.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    def tab_to(self, target, at_most=60):
        """Reach an element as somebody without a mouse does."""
        expect(target).to_be_visible()
        for _ in range(at_most):
            if target.evaluate("(element) => element === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"{target} can't be reached with the keyboard")

    def press(self, keys):
        for key in keys.split():
            self.page.keyboard.press(key)

    def type_into(self, target, text):
        """Come to a field by Tab, and write over what it says."""
        self.tab_to(target)
        self.press("Control+a")
        self.page.keyboard.type(text)

    def sign_out(self):
        self.page.get_by_role("button", name="Account menu").click()
        self.page.get_by_role("button", name="Sign out").click()
