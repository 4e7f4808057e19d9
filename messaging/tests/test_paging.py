import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from messaging.paging import Page, PageKey

MOMENT = datetime(2026, 11, 1, 10, 0, 0, 123456, tzinfo=UTC)


def test_a_key_survives_the_address_bar():
    key = PageKey(MOMENT, 2**40)
    assert PageKey.parse(str(key)) == key


BROKEN = [
    None,
    "",
    "-",
    "abc",
    "1",
    "1-",
    "-1",
    "1-1-1",
    "g-1",
    "٣-٣",
    "1-1\n",
    "1-1\0",
    "<script>",
]


@pytest.mark.parametrize("word", [*BROKEN, "1" * 9999, "1-" + "f" * 16])
def test_a_broken_key_is_the_first_page(word):
    assert PageKey.parse(word) is None


def test_a_page_loads_nothing_until_it_is_asked():
    Page(pytest.fail, "moment", size=2)


@pytest.mark.parametrize(("stored", "has_next"), [(0, False), (2, False), (3, True)])
def test_a_page_knows_whether_another_one_follows(stored, has_next):
    class Row:
        pk, moment = 7, MOMENT

    page = Page(lambda limit: [Row] * min(stored, limit), "moment", size=2)
    assert len(page.row_list) == min(stored, 2)
    assert page.next_key == (str(PageKey(MOMENT, 7)) if has_next else None)


def test_a_page_that_loads_slowly_holds_up_no_other():
    """`functools.cached_property` has one lock for all objects of a class, in Python 3.11."""
    is_loading, other_is_there = threading.Event(), threading.Event()

    def load_slowly(limit):
        is_loading.set()
        assert other_is_there.wait(timeout=10)
        return []

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lambda: Page(load_slowly, "timestamp", size=1).row_list)
        assert is_loading.wait(timeout=10)
        other = threading.Thread(
            target=lambda: Page(lambda limit: [], "timestamp", size=1).row_list, daemon=True
        )
        other.start()
        other.join(timeout=5)
        is_held_up = other.is_alive()
        other_is_there.set()
        assert slow.result(timeout=10) == []
    assert not is_held_up
