"""What every page of a signed-in person has."""

POLLS = """
(times) => new Promise((resolve) => {
  let left = times;
  const again = () => document.dispatchEvent(new Event("visibilitychange"));
  document.addEventListener("htmx:finally:request", function asked({ detail }) {
    if (!detail.ctx.sourceElement.matches("[data-poll]")) return;
    left -= 1;
    if (left > 0) return setTimeout(again);
    document.removeEventListener("htmx:finally:request", asked);
    setTimeout(resolve, 50); // the swap comes after the answer
  });
  again();
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

    def poll(self, times=1):
        """Ask the server now, as the page does whenever its tab is shown again."""
        self.page.evaluate(POLLS, times)

    def look_again(self):
        """Come back to the tab: the page asks, and nobody waits for the answer."""
        self.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    def sign_out(self):
        self.page.get_by_role("button", name="Account menu").click()
        self.page.get_by_role("button", name="Sign out").click()
