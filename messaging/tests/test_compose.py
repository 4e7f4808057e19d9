import re
import uuid

import pytest

from messaging.models import Message, Notification

HTMX = {"HX-Request": "true"}
PATH = "/messages/new/"


def compose(client, to="bob", content="Hello", token=None, headers=None, **more):
    data = {"to": to, "content": content, "client_token": token or str(uuid.uuid4())} | more
    return client.post(PATH, data, headers=headers)


def html_of(response):
    return response.content.decode()


def test_a_message_is_sent_and_shown_in_its_place(alice, bob, signed_in):
    response = compose(signed_in(alice), content="Shall we?\r\nToday?")
    message = Message.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/messages/{message.pk}/")
    assert (message.sender, message.receiver) == (alice, bob)
    assert message.content == "Shall we?\nToday?"
    assert Notification.objects.get().user == bob


def test_htmx_is_sent_there_by_a_header(alice, bob, signed_in):
    response = compose(signed_in(alice), headers=HTMX)
    assert response.status_code == 200
    assert response["HX-Redirect"] == f"/messages/{Message.objects.get().pk}/"


def test_the_address_fills_in_the_name(alice, bob, signed_in):
    html = html_of(signed_in(alice).get(PATH, {"to": 'bob"><b>'}))
    assert 'value="bob&quot;&gt;&lt;b&gt;"' in html


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "This field is required."),
        (" \r\n ", "This field is required."),
        ("\u200b\u2060", "This field is required."),
        ("\u3164", "This field is required."),
        ("a\0b", "Null characters are not allowed."),
        ("a" * 5001, "at most 5000 characters"),
    ],
)
def test_a_wrong_text_is_named_and_nothing_is_sent(alice, bob, signed_in, content, words):
    response = compose(signed_in(alice), content=content)
    assert response.status_code == 422
    assert words in html_of(response)
    assert not Message.objects.exists()


@pytest.mark.parametrize("content", ["🎉" * 5000, "ab\r\n" * 1666])
def test_5000_characters_are_sent(alice, bob, signed_in, content):
    assert compose(signed_in(alice), content=content).status_code == 302


def test_what_was_typed_is_kept(alice, bob, signed_in):
    html = html_of(compose(signed_in(alice), to="nobody", content="Do <not> lose me."))
    assert 'value="nobody"' in html
    assert "Do &lt;not&gt; lose me." in html


@pytest.mark.parametrize("to", ["nobody", "alice", "ALICE", "", "\0", "bob,mallory", "x" * 5000])
def test_a_wrong_receiver_is_named_and_nothing_is_sent(alice, bob, signed_in, to):
    response = compose(signed_in(alice), to=to)
    assert response.status_code == 422
    assert 'id="id_to_error"' in html_of(response)
    assert not Message.objects.exists()


def test_unknown_inactive_and_erased_receivers_get_the_same_words(alice, bob, mallory, signed_in):
    bob.is_active = False
    bob.save()
    mallory.delete()
    answers = {
        html_of(compose(signed_in(alice), to=to, headers=HTMX)).count(
            "There is nobody here by that name."
        )
        for to in ("bob", "mallory", "nobody")
    }
    assert answers == {1}


@pytest.mark.parametrize("token", ["x" * 100, "1"])
def test_a_broken_token_is_refused_and_replaced(alice, bob, signed_in, token):
    response = compose(signed_in(alice), token=token, content="Kept.")
    assert response.status_code == 422
    assert "Kept." in html_of(response)
    assert f'value="{token}"' not in html_of(response)


def test_a_missing_token_is_refused(alice, bob, signed_in):
    assert signed_in(alice).post(PATH, {"to": "bob", "content": "Hi"}).status_code == 422


def test_the_same_words_twice_under_one_token_are_one_message(alice, bob, signed_in):
    client, token = signed_in(alice), str(uuid.uuid4())
    first, second = (compose(client, token=token) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Message.objects.count() == Notification.objects.count() == 1


def test_other_words_under_a_used_token_are_a_conflict(alice, bob, signed_in):
    client, token = signed_in(alice), str(uuid.uuid4())
    compose(client, token=token)
    response = compose(client, token=token, content="Other words.")
    assert response.status_code == 409
    assert "Other words." in html_of(response)
    assert token not in html_of(response)
    assert Message.objects.count() == 1


def test_two_people_may_hit_upon_one_token(alice, bob, signed_in):
    token = str(uuid.uuid4())
    assert compose(signed_in(alice), token=token).status_code == 302
    assert compose(signed_in(bob), to="alice", token=token).status_code == 302


def test_nothing_else_can_be_slipped_in(alice, bob, mallory, signed_in):
    extra = {"sender": mallory.pk, "receiver": mallory.pk, "read": "on", "edited": "on", "id": 77}
    compose(signed_in(alice), timestamp="2000-01-01", parent_message=1, **extra)
    message = Message.objects.get()
    assert (message.sender, message.receiver) == (alice, bob)
    assert not message.read
    assert not message.edited
    assert message.pk != 77
    assert message.timestamp.year != 2000
    assert message.parent_message is None


def test_of_two_receivers_the_last_one_counts(alice, bob, mallory, signed_in):
    compose(signed_in(alice), to=["mallory", "bob"])
    assert Message.objects.get().receiver == bob


def test_a_refusal_is_a_fragment_to_htmx_and_a_page_without(alice, bob, signed_in):
    client = signed_in(alice)
    assert html_of(compose(client, content="", headers=HTMX)).startswith("<form")
    assert "<html" in html_of(compose(client, content=""))


def test_the_caret_goes_to_what_is_wrong(alice, bob, signed_in):
    html = html_of(compose(signed_in(alice), content="", headers=HTMX))
    assert "autofocus" in html[html.index("<textarea") : html.index("</textarea>")]


def test_json_is_a_form_with_nothing_in_it(alice, signed_in):
    response = signed_in(alice).post(PATH, '{"to": "bob"}', content_type="application/json")
    assert response.status_code == 422


def test_looking_writes_nothing(alice, bob, signed_in, django_assert_max_num_queries):
    client = signed_in(alice)
    client.get("/account/")
    with django_assert_max_num_queries(3):
        assert client.get(PATH).status_code == 200


def test_signed_out_goes_to_log_in(client, db):
    assert client.get(PATH)["Location"].startswith("/accounts/login/")
    assert client.post(PATH, headers=HTMX).status_code == 401


@pytest.mark.parametrize("verb", ["put", "delete", "patch", "options", "trace"])
def test_a_wrong_verb_is_refused(alice, signed_in, verb):
    assert getattr(signed_in(alice), verb)(PATH).status_code == 405


def test_both_answers_vary_on_htmx(alice, signed_in):
    for headers in ({}, HTMX):
        assert "HX-Request" in signed_in(alice).get(PATH, headers=headers)["Vary"]


@pytest.mark.parametrize(("to", "field"), [("", "to"), ("bob", "content")])
def test_the_caret_starts_where_something_is_missing(alice, signed_in, to, field):
    html = html_of(signed_in(alice).get(PATH, {"to": to}))
    assert html.count("autofocus") == 1
    assert re.search(rf'<[^>]*name="{field}"[^>]*autofocus', html)
