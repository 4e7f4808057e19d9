"""`make pictures`: the screenshots and the tour of the README, of the demo as it is seeded.

They land in e2e/pictures/, which is committed: look at them before you commit them.
"""

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from e2e.browser import launch_options
from e2e.pages import InboxPage, LoginPage, ThreadPage
from e2e.server import Server

PICTURES = Path(__file__).parent / "pictures"
DEMO_PASSWORD = "parley-demo"
SCREENS = {"desktop": (1280, 800), "phone": (390, 844)}
SHOWN = "bike"  # words of the thread to show
TOUR_WIDTH = 960


def main():
    options = launch_options()
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        server = Server(Path(directory))
        server.prepare()
        server.manage("seed_demo", "--verbosity", "0")
        server.start()
        browser = playwright.chromium.launch(**options)
        try:
            for scheme in ("light", "dark"):
                for screen in SCREENS:
                    take_pictures(browser, server, screen, scheme)
            take_tour(browser, server)
        finally:
            browser.close()
            server.stop()


def open_inbox(browser, server, screen, **context):
    width, height = SCREENS[screen]
    page = browser.new_context(
        base_url=server.url,
        viewport={"width": width, "height": height},
        timezone_id="Europe/Berlin",
        **context,
    ).new_page()
    LoginPage(page).open().fill("alice", DEMO_PASSWORD)
    page.wait_for_url("**/inbox/**")
    return InboxPage(page)


def take_pictures(browser, server, screen, scheme):
    inbox = open_inbox(browser, server, screen, color_scheme=scheme, device_scale_factor=1.5)
    inbox.page.goto("/inbox/?show=all")
    save(picture(inbox.page), f"inbox-{screen}-{scheme}")
    inbox.list.get_by_role("link").filter(has_text=SHOWN).first.click()
    thread = ThreadPage(inbox.page)
    thread.list.wait_for()
    mark = inbox.page.get_by_role("button", name="edited").first
    if screen == "desktop" and mark.count():
        mark.click()
        thread.history_popover.locator("ins, del").first.wait_for()
    save(picture(inbox.page), f"thread-{screen}-{scheme}")
    inbox.page.context.close()


def take_tour(browser, server):
    """Read, look at an edit, answer: a few pictures one after the other."""
    inbox = open_inbox(browser, server, "desktop", color_scheme="light")
    page, thread, frames = inbox.page, ThreadPage(inbox.page), []

    def show(milliseconds=900):
        frames.append((picture(page), milliseconds))

    page.goto("/inbox/?show=all")
    show(1600)
    inbox.list.get_by_role("link").filter(has_text=SHOWN).first.click()
    thread.list.wait_for()
    show(1600)
    page.get_by_role("button", name="edited").first.click()
    thread.history_popover.locator("ins, del").first.wait_for()
    show(2400)
    page.keyboard.press("Escape")
    article = thread.list.get_by_role("article").last
    box = thread.start_reply(article)
    show()
    for words in ("Saturday", " at ten,", " then.", " I bring the coffee."):
        box.press_sequentially(words)
        show(350)
    thread.send()
    thread.message("I bring the coffee.").wait_for()
    show(2600)
    images = [image.resize(_scaled(image), Image.Resampling.LANCZOS) for image, _ in frames]
    images[0].save(
        PICTURES / "tour.webp",
        save_all=True,
        append_images=images[1:],
        duration=[milliseconds for _, milliseconds in frames],
        loop=0,
        quality=80,
        method=6,
    )


def picture(page):
    page.wait_for_load_state("networkidle")
    return Image.open(io.BytesIO(page.screenshot(animations="disabled"))).convert("RGB")


def save(image, name):
    image.save(PICTURES / f"{name}.webp", quality=85, method=6)


def _scaled(image):
    return TOUR_WIDTH, round(image.height * TOUR_WIDTH / image.width)


if __name__ == "__main__":
    main()
