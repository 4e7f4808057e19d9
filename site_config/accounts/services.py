import logging
import time
from datetime import timedelta
from secrets import token_urlsafe

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from site_config.accounts.models import Invitation, ReservedName

logger = logging.getLogger(__name__)


class LastSuperuser(Exception):
    """The site would be left without anyone who can look after it."""


class AccountService:
    @staticmethod
    def sign_out_everywhere(user):
        """End every session of `user`; the caller may keep theirs (update_session_auth_hash)."""
        get_user_model().objects.filter(pk=user.pk).update(session_version=F("session_version") + 1)
        user.refresh_from_db(fields=["session_version"])
        SessionService.end_others(user)

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
        _forget_sessions(user.pk)
        if user.email:
            Invitation.objects.filter(email__iexact=user.email).delete()
        unname_in_log(user)
        transaction.on_commit(empty_write_ahead_log, robust=True)


def unname_in_log(row):
    """Leave what staff did to this row in the admin's log, and not what it was called."""
    kind = ContentType.objects.get_for_model(row)
    LogEntry.objects.filter(content_type=kind, object_id=str(row.pk)).update(object_repr="")


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


class SessionService:
    """The sessions that a person can see: each with where it was opened, and with what."""

    MOST = 50  # of a person: nobody looks through more, and no page has to
    MOST_PRUNED = 20  # at once: whoever signs in waits for it

    @staticmethod
    def record(request):
        """Write down the session that has just been opened; end the oldest beyond the most."""
        UserSession.objects.create_from_request(request)
        own = UserSession.objects.filter(user=request.user).order_by("-created_at", "-pk")
        if old := list(own[SessionService.MOST :]):
            SessionService.end(old)
        SessionService.prune()

    @staticmethod
    @transaction.atomic
    def prune():
        """Delete some of those that are over: most people never sign out."""
        over = Session.objects.filter(expire_date__lt=timezone.now()).order_by("expire_date")
        if connection.features.has_select_for_update_skip_locked:
            over = over.select_for_update(skip_locked=True)
        SessionService.end(over[: SessionService.MOST_PRUNED])

    @staticmethod
    def alive(user):
        """Return those that are good for something, the newest first."""
        sessions = list(UserSession.objects.filter(user=user).order_by("-created_at", "-pk"))
        rows = Session.objects.filter(expire_date__gt=timezone.now())
        rows = rows.filter(pk__in=[session.session_key for session in sessions])
        hashes = {user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()}
        good = {row.pk for row in rows if row.get_decoded().get(HASH_SESSION_KEY) in hashes}
        return [session for session in sessions if session.session_key in good]

    @staticmethod
    @transaction.atomic
    def end(sessions):
        """End these, on every machine, at their next request."""
        keys = [session.session_key for session in sessions]
        Session.objects.filter(pk__in=keys).delete()
        UserSession.objects.filter(session_key__in=keys).delete()

    @staticmethod
    def end_others(user, key=None):
        """End all that can be seen but the one with this key."""
        SessionService.end(UserSession.objects.filter(user=user).exclude(session_key=key or ""))

    @staticmethod
    def forget(key):
        """Forget from where a session was opened that is no more."""
        UserSession.objects.filter(session_key=key).delete()


class InvitationGone(Exception):
    """It was used, taken back or too old, or there never was one."""


class InvitationService:
    @staticmethod
    def invite(*, email="", days=7, created_by=None):
        """Return a new invitation, and the secret that nobody can be told again."""
        token = token_urlsafe(32)
        Invitation.objects.filter(expires_at__lte=timezone.now()).delete()
        invitation = Invitation.objects.create(
            digest=Invitation.make_digest(token),
            email=email,
            expires_at=timezone.now() + timedelta(days=days),
            created_by=created_by,
        )
        return invitation, token

    @staticmethod
    def use(token):
        """Use an invitation up, or raise InvitationGone; in the transaction of who signs up."""
        invitation = Invitation.objects.open().filter(digest=Invitation.make_digest(token))
        if not invitation.delete()[0]:
            raise InvitationGone

    @staticmethod
    def path(token):
        """Return what its link says after the name of the site."""
        return f"{reverse('account_signup')}?{urlencode({'invitation': token})}"


# A session knows a person who is in, and one who has shown the password and no second factor.
PERSON_KEYS = SESSION_KEY, "account_authentication_methods_user"


def _forget_sessions(user_id):
    """Delete the sessions of a person who left, and is on no list of sessions any more.

    Those on a list are of others. Of those on none, what is over goes as well, whosever it was.
    """
    listed = UserSession.objects.filter(session_key=OuterRef("pk"))
    unlisted = Session.objects.filter(~Exists(listed))
    over = unlisted.filter(expire_date__lt=timezone.now())
    over._raw_delete(over.db)  # there is nothing more to forget of them, and may be many
    keys = [session.pk for session in unlisted.iterator() if _is_of(session, user_id)]
    Session.objects.filter(pk__in=keys).delete()


def _is_of(session, user_id):
    data = session.get_decoded()
    return any(data.get(key) == str(user_id) for key in PERSON_KEYS)
