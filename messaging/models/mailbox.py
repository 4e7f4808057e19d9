from itertools import chain

from django.conf import settings
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from messaging.composed import Composed

LARGER = {"sqlite": "MAX", "postgresql": "GREATEST"}  # of two numbers


class MailboxQuerySet(models.QuerySet):
    def lock(self, *user_ids):
        """Hold the mailboxes of these people until the transaction ends; make the missing ones.

        Every write takes this lock first, of both people, in ascending user id. So two writes that
        touch the same pair never overlap, and no two ever wait for each other in a ring. (SQLite
        has no row locks: there, the whole write transaction is the lock.)
        """
        wanted = sorted({user_id for user_id in user_ids if user_id is not None})
        if len(_hold(wanted)) < len(wanted):
            self._make_missing(wanted)
            _hold(wanted)

    def lock_existing(self, *user_ids):
        """Like `lock`, but make none: some of these people may just have been deleted."""
        _hold(sorted(set(user_ids)))

    def _make_missing(self, user_ids):
        # Only for people who are there: one of them may have left a moment ago.
        people = self.model._meta.get_field("user").related_model._base_manager
        people = people.filter(pk__in=user_ids).values_list("pk", flat=True)
        self.bulk_create([Mailbox(user_id=pk, version=1) for pk in people], ignore_conflicts=True)

    def move(self, user_ids, unread):
        """Move the versions of these people's mailboxes; return how many mailboxes there are.

        `unread` maps a user id to the number that its unread total changes by. In plain SQL, for
        every write does this, and to have it composed takes five times as long.
        """
        changes, values = ["version = version + 1"], []
        if unread:
            total = f"{LARGER[connection.vendor]}(unread_count + %s, 0)"
            cases = f" WHEN %s THEN {total}" * len(unread)
            changes.append(f"unread_count = CASE user_id{cases} ELSE unread_count END")
            values += chain.from_iterable(unread.items())
        table = connection.ops.quote_name(self.model._meta.db_table)
        people = ", ".join(["%s"] * len(user_ids))
        sql = f"UPDATE {table} SET {', '.join(changes)} WHERE user_id IN ({people})"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(sql, [*values, *user_ids])
            return cursor.rowcount


def _hold(user_ids):
    return _held(*user_ids) if user_ids else []


_held = Composed(
    lambda *user_ids: (
        Mailbox.objects.filter(user_id__in=user_ids)
        .order_by("user_id")
        .select_for_update()
        .values_list("user_id", flat=True)
    )
)


class Mailbox(models.Model):
    """One person's row that counts: `version` moves with every change the person could see."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="mailbox",
        primary_key=True,
        verbose_name=_("user"),
    )
    version = models.PositiveBigIntegerField(_("version"), default=0)
    unread_count = models.PositiveIntegerField(_("unread messages"), default=0)

    objects = MailboxQuerySet.as_manager()

    class Meta:
        verbose_name = _("mailbox")
        verbose_name_plural = _("mailboxes")

    def __str__(self):
        return f"Mailbox {self.pk}"

    @classmethod
    def of(cls, user):
        """Return the mailbox of `user`; without a row, an unsaved one at version 0.

        Costs no query when the person was loaded with it (`select_related("mailbox")`).
        """
        try:
            return user.mailbox
        except cls.DoesNotExist:
            return cls(user_id=user.pk)
