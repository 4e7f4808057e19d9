"""What a sign-in goes through besides allauth's own stages."""

from allauth.account.stages import LoginStage
from django.shortcuts import redirect


class UnchangedStage(LoginStage):
    """The last one: a sign-in that waited for a code is as good as a session.

    A new password and "sign out everywhere" end what was begun before them.
    """

    key = "unchanged"

    def __init__(self, controller, request, login):
        super().__init__(controller, request, login)
        if login.user:
            # Kept from the first look at the stages, which is when the password was right.
            self.state.setdefault("hash", login.user.get_session_auth_hash())

    def handle(self):
        user = self.login.user  # None: the account went meanwhile
        if user and self.state["hash"] == user.get_session_auth_hash():
            return None, True
        return redirect("account_login"), False
