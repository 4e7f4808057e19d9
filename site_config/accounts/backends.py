from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.userkit import filter_users_by_email
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

    def _authenticate(self, request, **credentials):
        # One look and one hash, whoever is meant: allauth would look for an address twice, and the
        # time it takes would tell whether somebody has it.
        login = credentials.get("username") or credentials.get("email", "")
        by = self._authenticate_by_email if "@" in login else self._authenticate_by_username
        return by(login, credentials["password"])

    def _authenticate_by_email(self, email, password):
        users = filter_users_by_email(email, prefer_verified=True, for_login=True)
        users.sort(key=lambda user: user.email.lower() != email.lower())  # their first one wins
        return self._check_password(users[0] if users else None, password)

    def _authenticate_by_username(self, username, password):
        # allauth compares by iexact, which on SQLite folds ASCII only: "änna" has to find "Änna".
        try:
            user = User.objects.get_by_natural_key(username)
        except User.DoesNotExist:
            return None
        return self._check_password(user, password)
