from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from messaging.throttles import Throttled, count, prune
from site_config import events
from site_config.accounts import sealing, throttles
from site_config.accounts.models import Invitation, invitation_token
from site_config.accounts.services import InvitationService


class AccountAdapter(DefaultAccountAdapter):
    """What allauth asks about this site: who may sign up, in our words, in HTML only."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": _("This account is switched off."),
        "email_password_mismatch": _("That e-mail address and password don’t go together."),
        "email_taken": _("Someone here has this e-mail address already."),
        "enter_current_password": _("This is not your current password."),
        "incorrect_password": _("This is not your password."),
        "username_password_mismatch": _("That name and password don’t go together."),
        "username_taken": _("This name, or one like it, is taken."),
    }

    def is_open_for_signup(self, request):
        if settings.ACCOUNT_SIGNUP == "invitation":
            return Invitation.objects.find(invitation_token(request)) is not None
        return settings.ACCOUNT_SIGNUP == "open"

    def get_reauthentication_methods(self, user):
        # The password alone: who has the browser of somebody has their phone as well, at times.
        if not (user.is_authenticated and user.has_usable_password()):
            return []
        address = reverse("account_reauthenticate")
        return [{"id": "reauthenticate", "description": _("Your password"), "url": address}]

    def is_ajax(self, request):
        return False  # allauth would answer such a request in JSON

    def clean_username(self, username, shallow=False):
        get_user_model()().check_name(username)
        return username

    def authenticate(self, request, **credentials):
        login = credentials.get("username") or credentials.get("email", "")
        this = throttles.count_login(request, login)
        user = super().authenticate(request, **credentials)
        if user:
            this.give_back(*throttles.FAILED)
        return user

    def get_login_stages(self):
        return [*super().get_login_stages(), "site_config.accounts.stages.UnchangedStage"]

    def authentication_failed(self, request, **credentials):
        prune()  # here, where most of what is counted comes from

    def send_mail(self, template_prefix, email, context):
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:  # those of smtplib are of this kind
            # Who is told of it learns that there was a mail to send: that somebody has the address.
            events.tell("mail_failed", self.request, reason=type(error).__name__)

    def send_confirmation_mail(self, request, emailconfirmation, signup):
        email = emailconfirmation.email_address.email
        try:
            count({throttles.CONFIRMATION: email.casefold()})
        except Throttled:
            return  # the link of the mail before is good
        super().send_confirmation_mail(request, emailconfirmation, signup)

    def save_user(self, request, user, form, commit=True):
        # The slow hash of the password is made first, outside the transaction.
        user = super().save_user(request, user, form, commit=False)
        if commit:
            with transaction.atomic():
                if settings.ACCOUNT_SIGNUP == "invitation":
                    InvitationService.use(invitation_token(request))
                user.save()
        return user

    def set_password(self, user, password):
        user.set_password(password)
        user.save(update_fields=["password"])  # the rest of the row is as it was read

    def get_password_change_redirect_url(self, request):
        return reverse("account")


class MFAAdapter(DefaultMFAAdapter):
    """What allauth asks about the second factor: in our words, with no secret left lying open."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("That wasn’t right, or was used before."),
    }

    def encrypt(self, text):
        return sealing.seal(text)

    def decrypt(self, encrypted_text):
        try:
            return sealing.unseal(encrypted_text)
        except sealing.Unreadable as error:
            raise self.validation_error("incorrect_code") from error

    def generate_authenticator_name(self, user, type):
        return gettext("Passkey")

    def _get_user_identifier(self, user):
        return user.get_username()
