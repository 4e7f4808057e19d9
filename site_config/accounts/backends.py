from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth import get_user_model

User = get_user_model()


class MailboxBackend(AuthenticationBackend):
    """Sign in by name or e-mail; load a person together with the mailbox, in one query."""

    def get_user(self, user_id):
        try:
            user = User.objects.select_related("mailbox").get(pk=user_id)
        except User.DoesNotExist:
            return None
        return user if self.user_can_authenticate(user) else None

    def _authenticate_by_username(self, username, password):
        # allauth compares by iexact, which on SQLite folds ASCII only: "änna" has to find "Änna".
        try:
            user = User.objects.get_by_natural_key(username)
        except User.DoesNotExist:
            return None
        return self._check_password(user, password)
