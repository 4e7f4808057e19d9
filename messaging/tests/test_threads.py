"""The page of a thread, its polls, and what expands in it."""

import re

import pytest

from messaging.models import Message
from messaging.services import MessageService, ThreadService

from .factories import reply, write
from .pages import poll_path, ptag, shown, state_fields, targets
from .trees import Shape, grow
from .world import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def letter(alice, bob):
    """alice has written to bob."""
    return write(alice, bob, "Is the ferry running?")


def path(message, part=""):
    return f"/messages/{message.pk}/{part}"


def level_of(text, message):
    row = text[: text.index(f'id="message-{message.pk}"')].rindex("thread__row--level-")
    return int(text[row:].split("level-")[1][0])


def links(text):
    """Return what expands in place: the addresses of "more"."""
    found = re.findall(r'class="thread__more" href="([^"]+)" hx-get="([^"]+)"', text)
    assert all(href == get for href, get in found)
    return [href.replace("&amp;", "&") for href, _ in found]


# --- The page ---


def test_both_people_see_the_thread(alice, bob, letter, signed_in):
    for person, other in [(alice, "bob"), (bob, "alice")]:
        text = signed_in(person).get(path(letter)).text
        assert "Is the ferry running?" in text
        assert f'<a href="/conversation/{other}/"><bdi>{other}</bdi></a>' in text
        assert "<title>" in text


def test_replies_stand_below_and_a_level_deeper(alice, letter, signed_in):
    answer = reply(letter)
    deeper = reply(answer)
    other = reply(letter)
    text = signed_in(alice).get(path(letter)).text
    assert shown(text) == [letter.pk, answer.pk, deeper.pk, other.pk]
    assert [level_of(text, m) for m in (letter, answer, deeper, other)] == [0, 1, 2, 1]


def test_any_message_leads_to_its_thread_and_is_marked(alice, letter, signed_in):
    answer = reply(letter)
    text = signed_in(alice).get(path(answer)).text
    assert shown(text) == [letter.pk, answer.pk]
    assert re.findall(r'id="message-(\d+)"[^>]*aria-current="true"', text) == [str(answer.pk)]


def test_one_may_edit_and_delete_ones_own_words_only(alice, bob, letter, signed_in):
    answer = reply(letter)
    text = signed_in(alice).get(path(letter)).text
    for action in ("edit", "delete"):
        assert f'href="/messages/{letter.pk}/{action}/"' in text
        assert f"/messages/{answer.pk}/{action}/" not in text
    assert text.count(">Reply</a>") == 2


def test_every_action_is_a_link_that_works_without_htmx(alice, letter, signed_in):
    text = signed_in(alice).get(path(letter)).text
    for tag in re.findall(r'<a class="message__action"[^>]*>', text):
        assert re.search(r'href="([^"]+)"', tag)[1] == re.search(r'hx-get="([^"]+)"', tag)[1]


def test_what_is_new_is_marked_so_to_its_reader_alone(alice, bob, letter, signed_in):
    assert 'class="message__new"' in signed_in(bob).get(path(letter)).text
    assert 'class="message__new"' not in signed_in(alice).get(path(letter)).text


def test_the_page_marks_itself_read_by_a_form(bob, letter, signed_in):
    later = write(letter.sender, bob, "Hello?", parent_message=letter)
    text = signed_in(bob).get(path(letter)).text
    form = re.search(r'<form class="read-marker"[^>]*>', text)[0]
    assert f'action="/messages/{later.pk}/read/"' in form
    assert "data-when-visible" in form
    assert "<noscript><button" in text
    letter.refresh_from_db()
    assert not letter.read


def test_where_nothing_is_new_no_form_marks_it(alice, letter, signed_in):
    assert 'class="read-marker"' not in signed_in(alice).get(path(letter)).text


def test_a_deleted_message_leaves_its_place(alice, bob, letter, signed_in):
    answer = reply(letter)
    letter.delete()
    text = signed_in(bob).get(path(answer)).text
    assert "Is the ferry running?" not in text
    assert "This message was deleted." in text
    assert shown(text) == [letter.pk, answer.pk]
    assert f"/messages/{letter.pk}/reply/" not in text


def test_the_permalink_of_a_deleted_message_stays(bob, letter, signed_in):
    reply(letter)
    letter.delete()
    assert "This message was deleted." in signed_in(bob).get(path(letter)).text


def test_a_person_who_left_is_called_so(alice, bob, letter, signed_in):
    Message.objects.filter(pk=letter.pk).update(sender=None)
    text = signed_in(bob).get(path(letter)).text
    assert "Deleted user" in text
    assert "alice" not in text
    assert 'id="composer"' not in text


def test_the_form_at_the_foot_answers_the_first_message(bob, letter, signed_in):
    reply(letter)
    text = signed_in(bob).get(path(letter)).text
    form = text[text.index('id="composer"') :]
    assert f'action="/messages/{letter.pk}/reply/"' in form
    assert f'hx-post="/messages/{letter.pk}/reply/"' in form


def test_words_are_shown_and_never_obeyed(alice, bob, signed_in):
    words = '<script>x()</script> <img src=x onerror=x()> <b hx-get="/inbox/">{{ 7*7 }}{% now %}'
    message = write(alice, bob, words)
    text = signed_in(bob).get(path(message)).text
    assert "&lt;script&gt;x()&lt;/script&gt;" in text
    assert "<img" not in text
    assert "<b hx-get" not in text
    assert "{{ 7*7 }}{% now %}" in text


def test_a_name_in_the_title_counts_what_is_unread(bob, letter, signed_in):
    assert re.search(
        r"<title>\(1\)\s+alice · Parley</title>", signed_in(bob).get(path(letter)).text
    )


# --- Polling ---


def poll(client, text, changed=True):
    """Ask again as the page does."""
    response = client.get(poll_path(text), headers=HTMX | {"HX-PTag": ptag(text)})
    assert response.status_code == (200 if changed else 304)
    return response


def test_an_unchanged_poll_is_empty(alice, letter, signed_in):
    client = signed_in(alice)
    text = client.get(path(letter)).text
    response = poll(client, text, changed=False)
    assert response.content == b""


def test_the_second_poll_is_as_empty_as_the_first(alice, letter, signed_in):
    client = signed_in(alice)
    text = client.get(path(letter)).text
    reply(letter)
    text = poll(client, text).text
    assert poll(client, text, changed=False).content == b""


def test_a_reply_arrives_with_the_numbers_and_the_title(alice, letter, signed_in):
    client = signed_in(alice)
    text = client.get(path(letter)).text
    answer = reply(letter, "Every hour.")
    response = poll(client, text)
    assert response.text.lstrip().startswith('<section class="thread-section" id="thread"')
    assert "<html" not in response.text
    assert shown(response.text) == [letter.pk, answer.pk]
    assert targets(response.text) == ["#nav-unread", "#nav-bell"]
    assert re.search(r"<title>\(1\)\s+bob · Parley</title>", response.text)
    assert response["HX-PTag"] == ptag(response.text)


@pytest.mark.parametrize("change", ["edit", "delete", "read", "rename"])
def test_a_poll_notices(alice, bob, letter, signed_in, change):
    answer = reply(letter)
    client = signed_in(alice)
    text = client.get(path(letter)).text
    if change == "edit":
        MessageService.edit(answer, content="Better words.", revision=1)
    elif change == "delete":
        answer.delete()
    elif change == "read":
        ThreadService.mark_read(alice, message=answer)
    else:
        bob.username = "robert"
        bob.save()
    poll(client, text)


def test_a_message_that_was_read_stays_marked_new_while_the_page_is_open(bob, letter, signed_in):
    client = signed_in(bob)
    text = client.get(path(letter)).text
    ThreadService.mark_read(bob, message=letter)
    assert 'class="message__new"' in poll(client, text).text
    assert 'class="message__new"' not in client.get(path(letter)).text


def test_the_page_of_a_reply_goes_on_to_mark_that_reply(alice, letter, signed_in):
    answer, client = reply(letter), signed_in(alice)
    text = client.get(path(answer)).text
    reply(letter)
    assert f'id="message-{answer.pk}"' in poll(client, text).text
    assert poll_path(text).startswith(path(answer))


def test_a_hundred_and_fifty_new_messages_can_be_polled_and_answered(alice, bob, signed_in):
    message_list = grow(alice, bob, [Shape(), *(Shape(0, is_read=False) for _ in range(150))])
    client = signed_in(alice)
    text = client.get(path(message_list[0])).text
    assert text.count('class="message__new"') == 150
    MessageService.send(bob, receiver=alice, content="More", parent=message_list[0])
    text = poll(client, text).text
    fields = state_fields(text)
    assert len(fields) < 10
    data = {"content": "Stop!", "client_token": "0" * 32, **dict(fields)}
    response = client.post(path(message_list[0], "reply/"), data, headers=HTMX)
    assert response.status_code == 200


def test_a_page_lives_on_where_the_message_it_was_opened_at_went(alice, letter, signed_in):
    answer = reply(letter)
    client = signed_in(alice)
    text = client.get(path(answer)).text
    news = reply(letter, "Better so.")
    answer.delete()
    response = poll(client, text)
    assert shown(response.text) == [letter.pk, news.pk]
    assert targets(response.text) == [".thread-head", "#nav-unread", "#nav-bell"]
    assert f'action="/messages/{letter.pk}/view/"' in response.text
    assert response["HX-Replace-Url"] == path(letter)
    assert poll_path(response.text).startswith(path(letter))
    assert poll(client, response.text, changed=False).content == b""


def test_so_does_one_in_the_order_of_time(alice, letter, signed_in):
    answer, later = reply(letter), reply(letter)
    ThreadService.choose_view(alice, message=letter, is_flat=True)
    client = signed_in(alice)
    text = client.get(path(later)).text
    later.delete()
    assert shown(poll(client, text).text) == [letter.pk, answer.pk]


def test_a_page_far_down_stays_there(alice, bob, signed_in):
    message_list = grow(alice, bob, [Shape(n - 1 if n else None) for n in range(14)])
    client = signed_in(alice)
    text = client.get(path(message_list[-1])).text
    assert shown(text)[:-1] == [message.pk for message in message_list[9:13]]
    message_list[-1].delete()
    text = poll(client, text).text
    assert shown(text)[-4:] == [message.pk for message in message_list[9:13]]


def test_no_thread_of_others_is_shown_instead(alice, bob, mallory, letter, signed_in):
    answer, client = reply(letter), signed_in(mallory)
    gone = write(mallory, bob)
    text = client.get(path(gone)).text
    gone.delete()
    others = poll_path(text).replace(f"thread={gone.thread_id}", f"thread={letter.thread_id}")
    assert others != poll_path(text)
    assert client.get(others, headers=HTMX).status_code == 404
    assert client.get(path(answer) + f"?thread={letter.thread_id}").status_code == 404


def test_a_thread_that_went_is_a_404_to_its_page(alice, bob, letter, signed_in):
    client = signed_in(bob)
    text = client.get(path(letter)).text
    letter.delete()
    response = client.get(poll_path(text), headers=HTMX | {"HX-PTag": ptag(text)})
    assert response.status_code == 404


@pytest.mark.parametrize("address", ["/inbox/", "/conversation/", "/notifications/"])
def test_a_page_of_somebody_else_is_told_to_load_anew(bob, letter, signed_in, address):
    client = signed_in(bob)
    headers = HTMX | {"Parley-Person": str(bob.pk)}
    assert f'"Parley-Person": "{bob.pk}"' in client.get(address).text
    assert "HX-Refresh" not in client.get(address, headers=headers).headers
    for other in (address, path(letter), path(letter, "?at=1&thread=1")):
        response = client.get(other, headers=headers | {"Parley-Person": str(bob.pk + 1)})
        assert (response.status_code, response["HX-Refresh"]) == (200, "true")
        assert response.content == b""


# --- Expanding ---


def test_more_replies_come_in_place(alice, bob, signed_in):
    message_list = grow(alice, bob, [Shape(n - 1 if n else None) for n in range(6)])
    client = signed_in(alice)
    text = client.get(path(message_list[0])).text
    (link,) = links(text)
    assert "1 more reply" in text
    assert f'id="message-{message_list[3].pk}-replies"' in text
    rows = client.get(link, headers=HTMX).text
    assert rows.lstrip().startswith("<li ")
    assert "<html" not in rows
    assert shown(rows) == [message_list[4].pk]
    assert level_of(rows, message_list[4]) == 4
    assert links(rows) == [f"/messages/{message_list[4].pk}/replies/?level=4"]


def test_without_htmx_a_branch_is_a_page_of_its_own(alice, bob, signed_in):
    message_list = grow(alice, bob, [Shape(n - 1 if n else None) for n in range(6)])
    text = signed_in(alice).get(path(message_list[3], "replies/")).text
    assert "<html" in text
    assert shown(text) == [message_list[3].pk, message_list[4].pk]
    assert f'href="/messages/{message_list[2].pk}/"' in text  # further up
    assert f'action="/messages/{message_list[3].pk}/reply/"' in text


def test_what_was_expanded_stays_through_polls(alice, bob, signed_in):
    message_list = grow(alice, bob, [Shape(n - 1 if n else None) for n in range(6)])
    client = signed_in(alice)
    text = client.get(path(message_list[0])).text
    rows = client.get(links(text)[0], headers=HTMX).text
    text = text.replace("</ol>", rows + "</ol>", 1)
    MessageService.send(bob, receiver=alice, content="News", parent=message_list[0])
    assert message_list[4].pk in shown(poll(client, text).text)


def test_fifty_replies_come_at_a_time(alice, bob, signed_in):
    chain = [Shape(n - 1 if n else None) for n in range(4)]
    message_list = grow(alice, bob, [*chain, *(Shape(3) for _ in range(120))])
    client = signed_in(alice)
    text, seen, sizes = client.get(path(message_list[0])).text, [], []
    assert "120 more replies" in text
    while addresses := links(text):
        text = client.get(addresses[-1], headers=HTMX).text
        sizes.append(len(shown(text)))
        seen += shown(text)
    assert sizes == [50, 50, 20]
    assert seen == [message.pk for message in message_list[4:]]


@pytest.mark.parametrize(
    "query", ["after=x", "before=-1", "after=" + "9" * 400, "level=99", "level=%00&after=٣", "z"]
)
def test_a_broken_place_in_the_replies_is_the_beginning(alice, letter, signed_in, query):
    answer = reply(letter)
    response = signed_in(alice).get(path(letter, f"replies/?{query}"), headers=HTMX)
    assert response.status_code == 200
    assert shown(response.text) in ([answer.pk], [])


def test_an_expansion_behind_the_last_reply_is_empty(alice, letter, signed_in):
    answer = reply(letter)
    response = signed_in(alice).get(path(letter, f"replies/?after={answer.pk}"), headers=HTMX)
    assert response.text.strip() == ""


# --- One message ---


def test_a_message_alone_is_a_fragment(alice, letter, signed_in):
    response = signed_in(alice).get(path(letter, "message/"), headers=HTMX)
    assert response.text.lstrip().startswith('<article class="message')
    assert shown(response.text) == [letter.pk]


def test_a_message_opened_directly_leads_to_its_thread(alice, letter, signed_in):
    response = signed_in(alice).get(path(letter, "message/"))
    assert (response.status_code, response["Location"]) == (302, path(letter))


# --- What it costs ---


@pytest.mark.parametrize(
    "shapes",
    [
        [Shape(0 if n else None, is_read=n % 2 == 0) for n in range(10)],
        [Shape(0 if n else None, is_read=n % 2 == 0) for n in range(1000)],
        [Shape(n - 1 if n else None) for n in range(50)],
    ],
    ids=["10 rows", "1000 rows", "depth 50"],
)
def test_a_page_costs_eight_queries_at_most(
    alice, bob, shapes, signed_in, django_assert_max_num_queries
):
    message_list = grow(alice, bob, shapes)
    client = signed_in(alice)
    client.get("/account/")  # not of this page: the epoch, read once a process
    for message in (message_list[0], message_list[-1]):
        with django_assert_max_num_queries(8):
            response = client.get(path(message))
        assert response.status_code == 200
        with django_assert_max_num_queries(4):
            client.get(path(message))


@pytest.mark.parametrize("number", [60, 1000])
def test_an_expansion_costs_the_same_of_few_and_of_many(
    alice, bob, number, signed_in, django_assert_num_queries
):
    message_list = grow(alice, bob, [Shape(), *(Shape(0) for _ in range(number))])
    client = signed_in(alice)
    client.get("/account/")
    with django_assert_num_queries(5):  # session, person, message, replies, their texts
        response = client.get(path(message_list[0], "replies/"), headers=HTMX)
    assert len(shown(response.text)) == 50
