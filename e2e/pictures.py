"""`make pictures`: the screenshots and the tour of the README, of the demo as it is seeded.

They land in e2e/pictures/, which is committed: look at them before you commit them.
"""

import io
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from e2e.browser import launch_options
from e2e.pages import InboxPage, LoginPage, ThreadPage
from e2e.server import Server

PICTURES = Path(__file__).parent / "pictures"
DEMO_PASSWORD = "parley-demo"
SCREENS = {"desktop": (1280, 800), "phone": (390, 844)}
EDITED = """
    SELECT message.id FROM messaging_message AS message
    JOIN messaging_thread AS thread ON thread.id = message.thread_id
    JOIN accounts_user AS person ON person.id = message.sender_id OR person.id = message.receiver_id
    WHERE message.edited AND message.depth > 0 AND person.username = 'alice'
    ORDER BY thread.message_count DESC LIMIT 1
"""
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
    thread = open_thread(inbox, server)
    if screen == "desktop":
        open_history(thread)
    save(picture(inbox.page), f"thread-{screen}-{scheme}")
    inbox.page.context.close()


def open_thread(inbox, server):
    """Open the longest thread in which a reply was edited, at that reply."""
    with closing(sqlite3.connect(server.database)) as connection:
        [pk] = connection.execute(EDITED).fetchone()
    inbox.page.goto(f"/messages/{pk}/")
    thread = ThreadPage(inbox.page)
    thread.list.wait_for()
    return thread


def open_history(thread):
    thread.page.locator(".message--target").get_by_role("button", name="edited").click()
    thread.history_popover.locator("ins, del").first.wait_for()


def take_tour(browser, server):
    """Read, look at an edit, answer: a few pictures one after the other."""
    inbox = open_inbox(browser, server, "desktop", color_scheme="light")
    page, thread, frames = inbox.page, ThreadPage(inbox.page), []

    def show(milliseconds=900):
        frames.append((picture(page), milliseconds))

    page.goto("/inbox/?show=all")
    show(1600)
    open_thread(inbox, server)
    show(1600)
    open_history(thread)
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
