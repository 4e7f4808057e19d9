from django.db import transaction
from django.db.models import Case, F, OuterRef, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce, Greatest

from messaging.models import Mailbox, Participation, Thread


class MailboxService:
    """Moves the versions that say "what this person could see has changed".

    A version moves inside the transaction of the write that it tells of, never after it: so a page
    stored under a version can't miss a write that was committed with that version.
    """

    @staticmethod
    @transaction.atomic(savepoint=False)
    def bump(user_ids, *, unread=None):
        """Move the version of these people's mailboxes, which the caller has locked if several.

        `unread` maps a user id to the number that its unread total changes by.
        """
        people = {pk for pk in user_ids if pk is not None}
        changes = {"version": F("version") + 1}
        if unread := {pk: number for pk, number in (unread or {}).items() if number}:
            cases = [When(user_id=pk, then=Value(number)) for pk, number in unread.items()]
            total = F("unread_count") + Case(*cases, default=Value(0))
            changes["unread_count"] = Greatest(total, Value(0))
        if Mailbox.objects.filter(user_id__in=people).update(**changes) < len(people):
            Mailbox.objects.lock(*people)  # makes the missing, a version ahead of none

    @staticmethod
    @transaction.atomic(savepoint=False)
    def recount(user_ids):
        """Count the unread total of these people anew from their threads; move their versions."""
        total = (
            Participation.objects.unread()
            .filter(user_id=OuterRef("user_id"))
            .order_by()
            .values("user_id")
            .annotate(total=Sum("unread_count"))
            .values("total")
        )
        Mailbox.objects.lock_existing(*user_ids)
        Mailbox.objects.filter(user_id__in=user_ids).update(
            version=F("version") + 1, unread_count=Coalesce(Subquery(total), 0)
        )

    @staticmethod
    @transaction.atomic(savepoint=False)
    def rename(user):
        """Tell everybody who shares a thread with `user` that the name has changed."""
        threads = Participation.objects.for_user(user).values("thread_id")
        people = set(
            Participation.objects.filter(thread_id__in=threads).values_list("user_id", flat=True)
        )
        people.add(user.pk)
        Mailbox.objects.lock(*people)
        MailboxService.bump(people)
        Thread.objects.filter(pk__in=threads).update(version=F("version") + 1)
