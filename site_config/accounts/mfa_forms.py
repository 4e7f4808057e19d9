"""allauth's forms of the second factor, where this site is stricter than they are."""

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from site_config.accounts import sealing

OPEN_FOR = 60 * 60  # seconds that a page with a new secret may be open
LONGEST_NAME = 50
# What fido2 raises for an answer that no browser gives.
BROKEN = AttributeError, KeyError, TypeError, ValueError


def use_up(app, code):
    """Say whether `code` of this authenticator app is later than all that were used before.

    allauth asks the cache, which is of one process or may be away: here it is the database.
    """
    with transaction.atomic():
        app = Authenticator.objects.select_for_update().get(pk=app.pk)
        step = _step(app, code)
        if step is None or step <= app.data.get("last_step", -1):
            return False
        app.data["last_step"] = step
        app.save(update_fields=["data"])
    return True


def _step(app, code):
    secret = get_adapter().decrypt(app.data["secret"])
    for step in totp.yield_hotp_counters_from_time():
        expected = totp.format_hotp_value(totp.hotp_value(secret, step))
        if compare_user_code(actual=code, expected=expected):
            return step
    return None


class CodeForm(AuthenticateForm):
    def clean_code(self):
        code = super().clean_code()
        is_app = self.authenticator.type == Authenticator.Type.TOTP
        if is_app and not use_up(self.authenticator, code):
            raise get_adapter().validation_error("incorrect_code")
        return code


class ActivateAppForm(ActivateTOTPForm):
    """Ask for a first code of a new secret.

    The page carries the secret, sealed and for its person alone; allauth would write it into the
    session for whoever only looks.
    """

    def __init__(self, *args, user, **kwargs):
        self.user = user
        forms.Form.__init__(self, *args, **kwargs)
        carried = self._carried()
        self.secret = carried or totp.generate_totp_secret()
        self.is_stale = self.is_bound and not carried

    @property
    def secret_parts(self):
        """The secret as it is easiest to type."""
        return [self.secret[start : start + 4] for start in range(0, len(self.secret), 4)]

    @property
    def sealed_secret(self):
        return sealing.seal(f"{self.user.pk} {self.secret}")

    def clean_code(self):
        if self.is_stale:
            raise forms.ValidationError(_("This page was open for too long: here is a new key."))
        return super().clean_code()

    def _carried(self):
        try:
            person, secret = sealing.unseal(self.data.get("secret", ""), OPEN_FOR).split()
        except sealing.Unreadable:
            return None
        return secret if person == str(self.user.pk) else None


class SoundMixin:
    """Answer what is no credential at all as one that is wrong."""

    def clean(self):
        try:
            return super().clean()
        except BROKEN as error:
            raise get_adapter().validation_error("incorrect_code") from error

    def clean_credential(self):
        try:
            return super().clean_credential()
        except BROKEN as error:
            raise get_adapter().validation_error("incorrect_code") from error


class AddPasskeyForm(SoundMixin, webauthn.AddWebAuthnForm):
    passwordless = None  # each is one: nobody has to know the difference
    name = forms.CharField(label=_("Name"), max_length=LONGEST_NAME, required=False)

    def clean_credential(self):
        return self.cleaned_data["credential"]


class PasskeyForm(SoundMixin, webauthn.AuthenticateWebAuthnForm):
    pass


class PasskeyLoginForm(SoundMixin, webauthn.LoginWebAuthnForm):
    pass
