"""A composed query finds what its queryset finds, and leaves nothing behind of who asked before."""

import pytest

from messaging.composed import MOST, STAND_IN, Composed
from messaging.models import Message

from .factories import write

pytestmark = pytest.mark.django_db

find = Composed(
    lambda sender, *pks: (
        Message.objects.filter(sender_id=sender, pk__in=pks)
        .select_related("receiver")
        .order_by("pk")
    )
)


def test_it_finds_what_its_queryset_finds(alice, bob, mallory):
    sent = [write(alice, bob, f"Number {number}.") for number in range(3)]
    other = write(mallory, bob)
    for pks in ([sent[0].pk], [message.pk for message in sent], [other.pk, sent[2].pk]):
        for person in (alice, mallory, bob):
            expected = list(Message.objects.filter(sender=person, pk__in=pks).order_by("pk"))
            assert find(person.pk, *pks) == expected


def test_it_loads_whole_messages_in_one_query(alice, bob, django_assert_num_queries):
    sent = write(alice, bob, "Déjà vu.")
    find(alice.pk, sent.pk)
    with django_assert_num_queries(1):
        [found] = find(alice.pk, sent.pk)
        assert found.receiver == bob
    sent.refresh_from_db()
    for field in Message._meta.concrete_fields:
        assert getattr(found, field.attname) == getattr(sent, field.attname)


def test_of_many_ids_none_is_forgotten_and_nothing_kept(alice, bob):
    sent = [write(alice, bob).pk for _ in range(MOST)]
    assert [message.pk for message in find(alice.pk, *sent)] == sent
    assert max(find._known, default=0) <= MOST


@pytest.mark.parametrize("pk", [STAND_IN, 2**63, 10**30])
def test_an_id_that_no_row_can_have_finds_nothing(alice, pk):
    assert find(alice.pk, pk) == []
