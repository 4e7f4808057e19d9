"""Whether the database holds what it says, and how what doesn't is mended."""

from collections.abc import Callable
from dataclasses import dataclass

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from messaging.models import (
    AccessNotice,
    Mailbox,
    Message,
    MessageHistory,
    Notification,
    Participation,
    Thread,
)

from .epoch import CacheEpochService
from .recount import derive, wrong

ROUNDS = 5  # one fault may hide behind another, but not behind five


@dataclass(frozen=True)
class Rule:
    """`find` returns the rows that break it, as a queryset; `mend` takes such rows and mends them.

    `words` say of a row what is wrong with it.
    """

    words: str
    find: Callable
    mend: Callable


class CheckService:
    """Finds what breaks a rule that every write keeps: after SQL by hand, or a bug."""

    @staticmethod
    def find():
        """Yield a sentence for every row that breaks a rule; nothing if all is well."""
        for rule in rules():
            for row in rule.find().iterator(chunk_size=1000):
                yield f"{row} {rule.words}"

    @staticmethod
    @transaction.atomic
    def repair():
        """Mend all that is broken; return sentences that say what was.

        Nobody's words are removed. Nobody can write meanwhile. What is cached is not valid any
        more; web processes have to be restarted to know it.
        """
        _hold_all_mailboxes()
        told = []
        for _round in range(ROUNDS):
            found = list(CheckService.find())
            if not found:
                break
            told += found
            for rule in rules():
                rule.mend(rule.find())
        if told:
            Thread.objects.update(version=F("version") + 1)
            Mailbox.objects.update(version=F("version") + 1)
            CacheEpochService.renew()
        return told


def rules():
    """Return every rule, in an order in which one can be mended after the other."""
    return [*_reference_rules(), *TREE_RULES, *TEXT_RULES, *BELL_RULES, *PLACE_RULES]


def _hold_all_mailboxes():
    Mailbox.objects.lock_existing(*Mailbox.objects.values_list("pk", flat=True))


# --- What points to nothing ----------------------------------------------------------------------


def _reference_rules():
    """Return a rule for each foreign key: a database that was asked not to look may break it."""
    for model in apps.get_app_config("messaging").get_models():
        for field in model._meta.concrete_fields:
            if field.is_relation:
                yield _reference_rule(model, field)


def _reference_rule(model, field):
    def find():
        there = field.related_model._base_manager.filter(pk=OuterRef(field.attname))
        return model._base_manager.exclude(**{field.attname: None}).exclude(Exists(there))

    def mend(rows):
        if not field.null:
            _delete(rows)
        elif model is Message and field.related_model is get_user_model():
            other = "receiver" if field.name == "sender" else "sender"
            _delete(rows.filter(**{f"{other}_id": None}))
            rows.update(**{field.name: None})
        else:
            rows.update(**{field.name: None})

    return Rule(f"has a {field.name} that is not there", find, mend)


def _delete(rows):
    # In one statement: no signals, no tombstones. Through the ids, for a join can't be deleted.
    found = rows.model._base_manager.filter(pk__in=rows.values("pk"))
    return found._raw_delete(found.db)


# --- The tree ------------------------------------------------------------------------------------


def _of_other_people():
    same = Q(parent_message__sender=F("sender")) | _both_null("sender", "sender")
    same &= Q(parent_message__receiver=F("receiver")) | _both_null("receiver", "receiver")
    crossed = Q(parent_message__sender=F("receiver")) | _both_null("sender", "receiver")
    crossed &= Q(parent_message__receiver=F("sender")) | _both_null("receiver", "sender")
    return Message.objects.filter(parent_message__isnull=False).exclude(same | crossed)


def _both_null(of_parent, of_reply):
    return Q(**{f"parent_message__{of_parent}__isnull": True, f"{of_reply}__isnull": True})


def _out_of_place():
    return Message.objects.filter(parent_message__isnull=False).exclude(
        thread=F("parent_message__thread"), depth=F("parent_message__depth") + 1
    )


def _in_a_circle():
    """Return the oldest message of each circle; in a circle no depth is right."""
    return Message.objects.filter(pk__in=_find_circles())


def _find_circles():
    parents = _load_parents(_out_of_place().values_list("pk", flat=True))
    circles, seen = set(), set()
    for pk in parents:
        way = []
        while pk in parents and pk not in seen:
            seen.add(pk)
            way.append(pk)
            pk = parents[pk]
        if pk in way:
            circles.add(min(way[way.index(pk) :]))
    return circles


def _load_parents(pks):
    """Return the parents of these messages and of all above them, by id."""
    parents, wanted = {}, set(pks)
    while wanted:
        some = [wanted.pop() for _ in range(min(BATCH, len(wanted)))]
        found = dict(Message.objects.filter(pk__in=some).values_list("pk", "parent_message"))
        parents |= found
        wanted |= set(found.values()) - parents.keys() - {None}
    return parents


def _beginnings():
    return Message.objects.filter(parent_message=None)


def _second_beginnings():
    """Return messages that begin a thread which another, earlier one begins already."""
    several = _beginnings().order_by().values("thread").annotate(number=Count("pk"))
    several = several.filter(number__gt=1)
    first = several.annotate(first=Min("pk")).values("first")
    return _beginnings().filter(thread__in=several.values("thread")).exclude(pk__in=first)


def _deep_beginnings():
    return _beginnings().exclude(depth=0)


def _detach(rows):
    """Let each of these messages begin a thread of its own."""
    for pk in list(rows.values_list("pk", flat=True)):
        thread = Thread.objects.create()
        Message.objects.filter(pk=pk).update(parent_message=None, thread=thread, depth=0)


def _put_in_place(rows):
    """Bring thread and depth down from the messages that begin a thread, level by level."""
    parent = Message.objects.filter(pk=OuterRef("parent_message"))
    while Message.objects.filter(pk__in=list(rows.values_list("pk", flat=True)[:BATCH])).update(
        thread=Subquery(parent.values("thread")),
        depth=Subquery(parent.values("depth")) + Value(1),
    ):
        pass


BATCH = 500


def _remove_bare(rows):
    Thread.objects.filter(last_message__in=rows).update(last_message=None)
    while _delete(rows):
        pass


def _empty_threads():
    return Thread.objects.exclude(Exists(Message.objects.filter(thread=OuterRef("pk"))))


def _remove_threads(rows):
    _delete(Participation.objects.filter(thread__in=rows))
    _delete(rows)


TREE_RULES = [
    Rule("answers a message of other people", _of_other_people, _detach),
    Rule("is an answer to itself, by a circle of answers", _in_a_circle, _detach),
    Rule("begins a thread that has a beginning already", _second_beginnings, _detach),
    Rule(
        "begins a thread, and says it is deeper in it",
        _deep_beginnings,
        lambda rows: rows.update(depth=0),
    ),
    Rule("is in another place than below what it answers", _out_of_place, _put_in_place),
    Rule(
        "is a deleted message that nothing hangs on", Message.objects.bare_tombstones, _remove_bare
    ),
    Rule("has no message", _empty_threads, _remove_threads),
]


# --- Texts ---------------------------------------------------------------------------------------


def _history_of_deleted():
    return MessageHistory.objects.filter(message__deleted_at__isnull=False)


def _earlier_texts():
    return MessageHistory.objects.filter(message=OuterRef("pk"))


def _wrongly_numbered():
    """Return messages whose earlier texts are not numbered from 1 to the one before the latest."""
    rows = _earlier_texts().order_by().values("message")
    number = Coalesce(Subquery(rows.annotate(n=Count("*")).values("n")), 0)
    last = Coalesce(Subquery(rows.annotate(n=Max("revision")).values("n")), 0)
    live = Message.objects.not_deleted()
    return live.exclude(revision=number + Value(1), revision__gt=last)


def _number_anew(rows):
    for message in rows.iterator(chunk_size=BATCH):
        found = list(MessageHistory.objects.filter(message=message).order_by("revision"))
        for number, row in enumerate(found, start=1):
            MessageHistory.objects.filter(pk=row.pk).update(revision=number)
        Message.objects.filter(pk=message.pk).update(revision=len(found) + 1)


def _wrongly_marked():
    return Message.objects.filter(
        Q(deleted_at__isnull=True, edited=False, revision__gt=1)
        | Q(edited=True, revision=1)
        | Q(deleted_at__isnull=False, edited=True)
    )


def _mark_anew(rows):
    is_edited = Q(deleted_at__isnull=True, revision__gt=1)
    rows.update(edited=models.Case(models.When(is_edited, then=True), default=False))


TEXT_RULES = [
    Rule("is an earlier text of a message that was deleted", _history_of_deleted, _delete),
    Rule("counts its earlier texts wrong", _wrongly_numbered, _number_anew),
    Rule("says wrongly whether it was edited", _wrongly_marked, _mark_anew),
]


# --- The bell ------------------------------------------------------------------------------------


def _mistaken_bells():
    return Notification.objects.exclude(
        message__receiver=F("user"), message__deleted_at__isnull=True
    )


def _missing_bells():
    bell = Notification.objects.filter(message=OuterRef("pk"), user=OuterRef("receiver"))
    return Message.objects.not_deleted().filter(receiver__isnull=False).exclude(Exists(bell))


def _ring(rows):
    for message in rows.iterator(chunk_size=BATCH):
        Notification.objects.create(
            user_id=message.receiver_id,
            message=message,
            created_at=message.timestamp,
            is_read=message.read,
        )


def _late_bells():
    return Notification.objects.filter(is_read=False, message__read=True)


def _mistaken_notices():
    is_party = Q(record__message__sender=F("user")) | Q(record__message__receiver=F("user"))
    # Not `exclude`: a message that somebody left has a null there, which is equal to nothing.
    parties = AccessNotice.objects.filter(is_party)
    return AccessNotice.objects.exclude(pk__in=parties.values("pk"))


BELL_RULES = [
    Rule("rings for the wrong person, or for nothing", _mistaken_bells, _delete),
    Rule("rang for nobody", _missing_bells, _ring),
    Rule(
        "rings for a message that was read",
        _late_bells,
        lambda rows: Notification.objects.filter(pk__in=rows.values("pk")).update(is_read=True),
    ),
    Rule("tells somebody of a look at a message of others", _mistaken_notices, _delete),
]


# --- Places in threads, and what is counted ------------------------------------------------------


def _people_of(thread, user):
    return Message.objects.filter(thread=OuterRef(thread)).filter(
        Q(sender=OuterRef(user)) | Q(receiver=OuterRef(user))
    )


def _foreign_places():
    return Participation.objects.exclude(Exists(_people_of("thread", "user")))


def _places_missing(role):
    def find():
        place = Participation.objects.filter(thread=OuterRef("thread"), user=OuterRef(role))
        someone = Message.objects.filter(**{f"{role}__isnull": False})
        first = someone.exclude(Exists(place)).order_by().values("thread", role)
        return Message.objects.filter(pk__in=first.annotate(first=Min("pk")).values("first"))

    def mend(rows):
        for thread_id, user_id, moment in list(rows.values_list("thread", role, "timestamp")):
            Participation.objects.create(thread_id=thread_id, user_id=user_id, last_activity=moment)

    return Rule(f"has a {role} without a place in its thread", find, mend)


def _people_without_mailbox():
    mailbox = Mailbox.objects.filter(user=OuterRef("pk"))
    place = Participation.objects.filter(user=OuterRef("pk"))
    return get_user_model()._base_manager.filter(Exists(place)).exclude(Exists(mailbox))


def _give_mailboxes(rows):
    Mailbox.objects.bulk_create(Mailbox(user=person, version=1) for person in rows)


def _count_rule(model, words):
    def mend(rows):
        derive(model.objects.filter(pk__in=rows.values("pk")))

    return Rule(words, lambda: wrong(model.objects.all()), mend)


PLACE_RULES = [
    Rule("is the place of somebody who isn't in the thread", _foreign_places, _delete),
    _places_missing("sender"),
    _places_missing("receiver"),
    Rule("has messages and no mailbox", _people_without_mailbox, _give_mailboxes),
    _count_rule(Message, "counts its replies wrong"),
    _count_rule(Thread, "counts its messages wrong, or tells another for the last"),
    _count_rule(Participation, "counts what is unread wrong, or tells a wrong time"),
    _count_rule(Mailbox, "counts what is unread wrong"),
]
