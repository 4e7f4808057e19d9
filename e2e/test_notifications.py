"""The bell."""

from playwright.sync_api import expect

from e2e.pages import InboxPage, NotificationPage, ThreadPage


def test_the_bell_rings_by_polling_and_reading_silences_it(sign_in, write, alice, bob):
    inbox = InboxPage(sign_in(alice)).open()
    expect(inbox.bell).to_be_hidden()
    letter = write(bob, alice, "Ding dong.")
    inbox.poll()
    expect(inbox.bell).to_contain_text("1")
    thread = ThreadPage(inbox.page).open(letter)
    expect(thread.bell).to_be_hidden()


def test_all_notifications_are_marked_read_at_once(sign_in, write, alice, bob, javascript):
    write(bob, alice, "Ding.")
    write(bob, alice, "Dong.")
    notifications = NotificationPage(sign_in(alice, java_script_enabled=javascript)).open()
    expect(notifications.row(bob.username)).to_have_count(2)
    notifications.mark_all_read()
    expect(notifications.bell).to_be_hidden()


def test_a_notification_leads_to_its_message(sign_in, write, alice, bob, javascript):
    letter = write(bob, alice, "Ding dong.")
    notifications = NotificationPage(sign_in(alice, java_script_enabled=javascript)).open()
    notifications.row(bob.username).get_by_role("link").first.click()
    expect(ThreadPage(notifications.page).article(letter)).to_be_visible()
