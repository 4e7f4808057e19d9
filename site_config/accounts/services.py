import logging
import time

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import F

from site_config.accounts.models import ReservedName

logger = logging.getLogger(__name__)


class LastSuperuser(Exception):
    """The site would be left without anyone who can look after it."""


class AccountService:
    @staticmethod
    def sign_out_everywhere(user):
        """End every session of `user`; the caller may keep theirs (update_session_auth_hash)."""
        get_user_model().objects.filter(pk=user.pk).update(session_version=F("session_version") + 1)
        user.refresh_from_db(fields=["session_version"])

    @staticmethod
    @transaction.atomic
    def delete(user):
        """Delete the account with everything that belongs to it, or raise LastSuperuser."""
        if user.is_superuser:
            AccountService.spare_a_superuser([user])
        user.delete()

    @staticmethod
    def spare_a_superuser(leaving):
        """Raise LastSuperuser if nobody can look after the site without these people.

        To be called inside the transaction that changes them.
        """
        superusers = get_user_model().objects.filter(is_superuser=True, is_active=True)
        # All of them are locked, so that the last two can't leave at the same moment.
        superusers = superusers.order_by("pk").select_for_update().values_list("pk", flat=True)
        if (held := set(superusers)) and held <= {user.pk for user in leaving}:
            raise LastSuperuser

    @staticmethod
    def forget(user):
        """Keep the name of a deleted person from others, and remove it from where it still stands.

        A session holds the name it was opened with; the admin's log spells the names of people.
        """
        ReservedName.objects.reserve(user.username_key)
        Session.objects.filter(pk__in=list(_session_keys(user.pk))).delete()
        LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(user), object_id=str(user.pk)
        ).update(object_repr="")
        transaction.on_commit(empty_write_ahead_log, robust=True)


def empty_write_ahead_log():
    """Leave no deleted word in SQLite's log: what is in there goes into the database, and it ends.

    Others write on meanwhile: this waits for them a moment, several times, and never long enough
    for anybody to notice.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        try:
            cursor.execute(f"PRAGMA busy_timeout={SHORT_WAIT}")
            for _attempt in range(ATTEMPTS):
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                if not cursor.fetchone()[0]:
                    return
                time.sleep(SHORT_WAIT / 1000)
            logger.warning("The write-ahead log was in use: it is emptied by a later erasure.")
        finally:
            cursor.execute(f"PRAGMA busy_timeout={1000 * settings.LOCK_TIMEOUT}")


SHORT_WAIT, ATTEMPTS = 50, 10  # milliseconds


def _session_keys(user_id):
    for session in Session.objects.iterator():
        if session.get_decoded().get(SESSION_KEY) == str(user_id):
            yield session.pk
