"""What a page says to those who listen to it.

A thread is a plain list, each reply with its level and whom it answers in words, which only they
hear. An ARIA tree would be quicker to walk through, but screen readers don't read what stands in
one: its rows are names to choose from, and no links, text or forms.
"""

import pytest
from playwright.sync_api import expect

from e2e.pages import ComposePage, InboxPage, NotificationPage, ThreadPage


@pytest.fixture
def letters(write, alice, bob):
    first = write(alice, bob, "Which film?")
    second = write(bob, alice, "The one with the trains.", parent=first)
    return first, second, write(alice, bob, "Both of them?", parent=second)


def test_the_inbox(sign_in, letters, alice, bob):
    page = InboxPage(sign_in(alice)).open().page
    expect(page.locator("body")).to_match_aria_snapshot(f"""
      - link "Skip to the content"
      - banner:
        - navigation "Main":
          - link "Inbox 1 unread"
          - link "All messages"
          - link "New message"
          - link "Notifications 1 new"
          - button "Account menu"
      - main:
        - region "Inbox":
          - heading "Inbox" [level=1]
          - navigation "Which messages":
            - link "Unread"
            - link "All"
            - link "Sent"
          - region "Threads":
            - list:
              - listitem:
                - link /{bob.username} .* You. Both of them. 1 unread/
    """)


def test_a_thread_as_a_tree(sign_in, letters, alice, bob):
    thread = ThreadPage(sign_in(alice)).open(letters[0])
    expect(thread.main).to_match_aria_snapshot(f"""
      - region "Thread":
        - heading "{bob.username}" [level=1]
        - button "Show in time order"
        - region "Messages":
          - list:
            - listitem:
              - article "{alice.username} you":
                - heading "{alice.username} you" [level=2]
                - paragraph: Which film?
                - paragraph:
                  - link "Reply"
                  - link "Edit"
                  - link "Delete"
              - button "Replies" [expanded]
            - listitem:
              - paragraph: Reply to {alice.username}, level 1
              - article "{bob.username} New":
                - paragraph: The one with the trains.
                - paragraph:
                  - link "Reply"
            - listitem:
              - paragraph: Reply to {bob.username}, level 2
              - article "{alice.username} you":
                - paragraph: Both of them?
        - textbox "Write to {bob.username}"
        - button "Send"
      - complementary "Inbox":
        - heading "Inbox" [level=2]
    """)


def test_a_thread_in_time_order(sign_in, letters, alice, bob):
    thread = ThreadPage(sign_in(alice)).open(letters[0])
    thread.switch_view()
    expect(thread.main).to_match_aria_snapshot(f"""
      - region "Thread":
        - heading "{bob.username}" [level=1]
        - button "Show as a tree"
        - region "Messages":
          - list:
            - listitem:
              - article "{alice.username} you":
                - paragraph: Which film?
            - listitem:
              - paragraph:
                - link /In reply to {alice.username}, .+/
              - article "{bob.username}":
                - paragraph: The one with the trains.
            - listitem:
              - paragraph:
                - link /In reply to {bob.username}, .+/
              - article "{alice.username} you":
                - paragraph: Both of them?
    """)


def test_writing_and_the_bell(sign_in, letters, alice, bob):
    page = sign_in(alice)
    ComposePage(page).open()
    expect(page.get_by_role("main")).to_match_aria_snapshot("""
      - heading "New message" [level=1]
      - combobox "To"
      - textbox "Message"
      - button "Send"
    """)
    NotificationPage(page).open()
    expect(page.get_by_role("main")).to_match_aria_snapshot(f"""
      - region "Notifications":
        - heading "Notifications" [level=1]
        - button "Mark all as read"
        - list:
          - listitem:
            - link /{bob.username} wrote to you.*, new The one with the trains/
            - button /Mark as read. {bob.username}/
    """)


def test_the_focus_goes_to_the_first_reply_that_was_folded_away(sign_in, write, alice, bob):
    deepest = first = write(alice, bob, "Once upon a time")
    for number in range(1, 5):
        deepest = write(alice, bob, f"and then number {number}", parent=deepest)
    thread = ThreadPage(sign_in(alice)).open(first)
    link = thread.list.get_by_role("link", name="more repl")
    link.focus()
    thread.page.keyboard.press("Enter")
    expect(thread.message("and then number 4")).to_be_focused()
