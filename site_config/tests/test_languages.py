"""Which language a page speaks."""

from datetime import UTC, datetime

import pytest
from django.utils import translation

from messaging.models import Message
from messaging.services import MessageService

pytestmark = pytest.mark.django_db
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


def language(response):
    return response.content.decode().partition('<html lang="')[2][:2]


def test_a_visitor_is_spoken_to_as_their_browser_asks(client):
    assert language(client.get("/", headers=GERMAN)) == "de"


def test_a_language_that_nobody_translated_is_answered_in_english(client):
    assert language(client.get("/", headers={"Accept-Language": "tlh"})) == "en"


def test_a_person_is_spoken_to_in_the_language_they_chose(signed_in, alice):
    browser = signed_in(alice)
    response = browser.post(
        "/account/preferences/", {"theme": "system", "language": "fr"}, headers=GERMAN
    )
    assert (response.status_code, response["Location"]) == (302, "/account/")
    assert language(browser.get("/inbox/", headers=GERMAN)) == "fr"
    browser.post("/account/preferences/", {"theme": "system", "language": ""})
    assert language(browser.get("/inbox/", headers=GERMAN)) == "de"


def test_a_language_that_is_not_there_is_refused(signed_in, alice):
    response = signed_in(alice).post("/account/preferences/", {"theme": "system", "language": "xx"})
    alice.refresh_from_db()
    assert (response.status_code, alice.language) == (422, "")


def test_to_choose_a_language_changes_nothing_else(signed_in, alice):
    browser = signed_in(alice)
    before = type(alice).objects.filter(pk=alice.pk).values().get()
    browser.post("/account/preferences/", {"theme": "dark", "language": "ar", "is_staff": "on"})
    after = type(alice).objects.filter(pk=alice.pk).values().get()
    assert after == before | {"theme": "dark", "language": "ar"}


def test_no_list_in_one_language_is_kept_for_another(signed_in, alice, bob):
    message = MessageService.send(bob, receiver=alice, content="One text, in any language.")
    browser = signed_in(alice)
    for path in ("/inbox/", f"/messages/{message.pk}/"):
        english, german = (browser.get(path, headers=h) for h in ({}, GERMAN))
        assert (language(english), language(german)) == ("en", "de")
        assert english["HX-PTag"] != german["HX-PTag"]


DATES = {
    "en": ("5 Mar 2020, 14:07", "5 Mar 2020<", "5 March 2020<"),
    "de": ("05.03.2020 14:07", "05.03.2020<", "5. März 2020<"),
    "fr": ("05/03/2020 14:07", "05/03/2020<", "5 mars 2020<"),
    "ar": ("5 مارس 2020، 14:07", "5 مارس 2020<", "5 مارس 2020<"),
}


@pytest.mark.parametrize("code", DATES)
def test_dates_are_written_as_in_the_language_of_the_page(signed_in, alice, bob, code):
    moment = datetime(2020, 3, 5, 14, 7, tzinfo=UTC)
    letter = Message.objects.create(sender=bob, receiver=alice, content="Hi", timestamp=moment)
    MessageService.edit(letter, content="Hello", revision=1)
    browser = signed_in(alice)

    def read(path):
        return browser.get(path, headers={"Accept-Language": code}).text

    stamp, day, day_alone = DATES[code]
    assert f"{stamp} UTC</time>" in read(f"/messages/{letter.pk}/")
    assert f"{stamp} UTC</time>" in read(f"/messages/{letter.pk}/history/")
    assert f"{day}/time>" in read("/inbox/?show=all")
    assert f"{day_alone}/time>" in read("/conversation/")


def test_arabic_is_written_from_right_to_left(client):
    html = client.get("/", headers={"Accept-Language": "ar"}).content.decode()
    assert '<html lang="ar" dir="rtl">' in html
    assert translation.get_language() == "en"
