from django.db import transaction
from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from messaging.models import Mailbox, Message, Participation, Thread


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
        unread = {pk: number for pk, number in (unread or {}).items() if number}
        if people and Mailbox.objects.move(people, unread) < len(people):
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
        MailboxService.bump(MailboxService.lock_around(user))
        threads = Participation.objects.for_user(user).values("thread_id")
        Thread.objects.filter(pk__in=threads).update(version=F("version") + 1)

    @staticmethod
    @transaction.atomic(savepoint=False)
    def lock_around(user):
        """Hold the mailboxes of `user` and of everybody they share a message with.

        Return the ids of all these people, `user` among them. Nobody can join them any more before
        the transaction ends.
        """
        while True:
            people = _people_around(user)
            with transaction.atomic():
                Mailbox.objects.lock_existing(*people)
                if people == _people_around(user):
                    return people
                # Somebody new wrote meanwhile: let go of all, to take them in order again.
                transaction.set_rollback(True)


def _people_around(user):
    pairs = Message.objects.for_user(user).order_by().values_list("sender_id", "receiver_id")
    return {pk for pair in pairs.distinct() for pk in pair if pk is not None} | {user.pk}
