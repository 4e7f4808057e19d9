"""Times are told on the reader's clock."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from e2e.pages import InboxPage, ThreadPage
from messaging.models import Message

NOW = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)
TOLD = [
    (datetime(2026, 5, 12, 8, 42, tzinfo=UTC), "10:42", "10:42"),
    (datetime(2026, 5, 11, 22, 30, tzinfo=UTC), "00:30", "00:30"),  # past midnight, where she is
    (datetime(2026, 5, 11, 20, 30, tzinfo=UTC), "Yesterday", "Yesterday 22:30"),
    (datetime(2026, 2, 3, 12, 0, tzinfo=UTC), "3 Feb", "3 Feb, 13:00"),
    (datetime(2024, 2, 3, 12, 0, tzinfo=UTC), "3 Feb 2024", "3 Feb 2024, 13:00"),
]


@pytest.mark.parametrize(("moment", "short", "long"), TOLD)
def test_a_time_is_as_short_as_it_may_be(sign_in, alice, bob, moment, short, long):
    letter = Message.objects.create(sender=bob, receiver=alice, content="Hi", timestamp=moment)
    page = sign_in(alice, timezone_id="Europe/Berlin", locale="en-GB")
    page.clock.set_fixed_time(NOW)
    inbox = InboxPage(page).open()
    expect(inbox.page.locator(".thread-row__when")).to_have_text(short)
    thread = ThreadPage(page).open(letter)
    stamp = thread.article(letter).locator("time")
    expect(stamp).to_have_text(long)
    assert str(moment.year) in stamp.get_attribute("title")
