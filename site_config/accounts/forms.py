from django import forms
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
        help_texts = {"username": _("Others see it, and you sign in with it.")}


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
