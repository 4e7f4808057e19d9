from allauth.account.forms import AddEmailForm, ResetPasswordForm
from allauth.account.internal.flows.manage_email import email_already_exists
from allauth.account.models import EmailAddress
from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _


class NameRules:
    """For forms of a person: the rules of names, told at the field."""

    def clean_username(self):
        name = self.cleaned_data["username"]
        self.instance.check_name(name)
        return name


class NameForm(NameRules, forms.ModelForm):
    class Meta:
        model = get_user_model()
        fields = ["username"]
        labels = {"username": _("Your name")}
        help_texts = {
            "username": _(
                "Others see it, and you sign in with it. Nobody else gets your last three names."
            )
        }

    def save(self, commit=True):
        self.instance.save(update_fields=self.Meta.fields)
        return self.instance


class PreferencesForm(forms.ModelForm):
    """How the site looks to one person."""

    language = forms.ChoiceField(
        label=_("Language"),
        required=False,
        choices=[("", _("As the browser asks for")), *settings.LANGUAGES],
        widget=forms.Select({"class": "field__input"}),
    )

    class Meta:
        model = get_user_model()
        fields = ["theme", "language"]
        labels = {"theme": _("Look")}
        widgets = {"theme": forms.RadioSelect}

    def save(self, commit=True):
        self.instance.save(update_fields=self.Meta.fields)
        return self.instance


class PasswordForm(forms.Form):
    """Ask for the password of `user` before something that can't be undone."""

    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self):
        password = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise forms.ValidationError(_("This is not your password."), code="wrong")
        return password


class AddressForm(AddEmailForm):
    def clean_email(self):
        """Refuse the address of another, if who signs up is told of it as well."""
        email, _already_exists = email_already_exists(super().clean_email(), user=self.user)
        return email


class ResetForm(ResetPasswordForm):
    def clean_email(self):
        """Keep of who has this address those whose first it is, or who have confirmed it."""
        email = super().clean_email()
        rows = EmailAddress.objects.filter(email=email.lower(), verified=True)
        confirmed = set(rows.values_list("user_id", flat=True))
        self.users = [
            user
            for user in self.users
            if user.pk in confirmed or user.email.lower() == email.lower()
        ]
        return email
