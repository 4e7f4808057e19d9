from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth import get_user_model
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


class AccountAdapter(DefaultAccountAdapter):
    """What allauth asks about this site: open to all, in our words, in HTML only."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": _("This account is switched off."),
        "email_password_mismatch": _("That e-mail address and password don’t go together."),
        "email_taken": _("Someone here has this e-mail address already."),
        "enter_current_password": _("This is not your current password."),
        "incorrect_password": _("This is not your password."),
        "rate_limited": _("That was too often. Please wait a few minutes and try again."),
        "too_many_login_attempts": _("Too many failed tries. Please wait a few minutes."),
        "username_password_mismatch": _("That name and password don’t go together."),
        "username_taken": _("This name, or one like it, is taken."),
    }

    def is_ajax(self, request):
        return False  # allauth would answer such a request in JSON

    def clean_username(self, username, shallow=False):
        get_user_model()().check_name(username)
        return username

    def save_user(self, request, user, form, commit=True):
        # The slow hash of the password is made first, outside the transaction.
        user = super().save_user(request, user, form, commit=False)
        if commit:
            with transaction.atomic():
                user.save()
        return user

    def get_password_change_redirect_url(self, request):
        return reverse("account")
