from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth import get_user_model


class MailboxBackend(AuthenticationBackend):
    """Sign in by name or e-mail; load a person together with the mailbox, in one query."""

    def get_user(self, user_id):
        people = get_user_model().objects.select_related("mailbox")
        user = people.filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
