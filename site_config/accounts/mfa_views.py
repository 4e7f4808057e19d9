"""allauth's pages of the second factor, with this site's answers; to look at one writes nothing."""

from allauth.account.internal.flows.reauthentication import (
    is_reauthentication_required,
    raise_if_reauthentication_required,
)
from allauth.account.internal.stagekit import get_pending_stage
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.mfa.base import views as base
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.mfa.webauthn.internal import auth, flows
from django.core.exceptions import ValidationError
from django.http import JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from site_config.accounts import throttles
from site_config.accounts.allauth_views import public
from site_config.accounts.mfa_forms import use_up
from site_config.accounts.mixins import FormPageMixin, ThrottledMixin, VerbsMixin

Type = Authenticator.Type


def pending(request):
    """Return who has still to show a second factor; where nobody has, from where it is asked."""
    stage = get_pending_stage(request)
    return stage.login.user.pk if stage else throttles.address(request)


class ChallengeMixin:
    """A form for a passkey. Sent without one, it is answered with a challenge, for the script.

    allauth makes one for each page that is looked at, and keeps it in the session.
    """

    def post(self, request, *args, **kwargs):
        if self.is_unanswered(request):
            self.counted.give_back(throttles.SECOND_FACTOR, throttles.PASSKEY)  # nothing was tried
            return JsonResponse(self.make_challenge())
        return super().post(request, *args, **kwargs)

    def is_unanswered(self, request):
        return not request.POST.get("credential")


# --- Signing in ---


@public
class AuthenticateView(ThrottledMixin, ChallengeMixin, FormPageMixin, base.AuthenticateView):
    throttles = {throttles.SECOND_FACTOR: pending}

    def is_unanswered(self, request):
        return "code" not in request.POST and super().is_unanswered(request)

    def make_challenge(self):
        return auth.begin_authentication(self.stage.login.user)

    def _build_forms(self):
        posted = super()._build_forms()
        self._dress("code", self.auth_form.fields["code"])
        return posted

    def form_valid(self, form):
        self.counted.give_back(throttles.SECOND_FACTOR)
        return super().form_valid(form)

    def get_context_data(self, **kwargs):
        types = Authenticator.objects.filter(user=self.stage.login.user).values_list("type")
        return super(base.AuthenticateView, self).get_context_data(
            form=self.auth_form,
            webauthn_form=self.webauthn_form,
            types={kind for (kind,) in types},
            **kwargs,
        )


@public
class LoginWebAuthnView(ThrottledMixin, ChallengeMixin, VerbsMixin, webauthn.LoginWebAuthnView):
    throttles = {throttles.LOGIN: throttles.address}
    http_method_names = ["post"]

    def make_challenge(self):
        return auth.begin_authentication(None)

    def form_valid(self, form):
        passkey = form.cleaned_data["credential"]
        login = Login(user=passkey.user, redirect_url=get_next_redirect_url(self.request))
        return flows.perform_passwordless_login(self.request, passkey, login)


# --- What one has ---


class IndexView(base.IndexView):
    http_method_names = ["get", "head"]


class ActivateTOTPView(ThrottledMixin, FormPageMixin, totp.ActivateTOTPView):
    throttles = {throttles.SECOND_FACTOR: throttles.person}
    labels = {"code": _("Code")}
    help_texts = {"code": _("Six digits that the app shows, new every half minute.")}

    def form_valid(self, form):
        response = super().form_valid(form)
        use_up(_one_of(self.request.user, Type.TOTP), form.cleaned_data["code"])
        self.counted.give_back(throttles.SECOND_FACTOR)
        return response


class DeactivateTOTPView(FormPageMixin, totp.DeactivateTOTPView):
    pass


class ViewRecoveryCodesView(TemplateView):
    """allauth writes down that they were seen; here one may look as often as one likes."""

    template_name = "mfa/recovery_codes/index.html"
    http_method_names = ["get", "head"]

    def get_context_data(self, **kwargs):
        codes = _one_of(self.request.user, Type.RECOVERY_CODES)
        raise_if_reauthentication_required(self.request, app="allauth.mfa")
        try:
            unused = codes.wrap().get_unused_codes()
        except ValidationError:  # sealed with a key that is gone: as good as used
            unused = []
        return super().get_context_data(unused_codes=unused, **kwargs)


class GenerateRecoveryCodesView(FormPageMixin, recovery_codes.GenerateRecoveryCodesView):
    def get_context_data(self, **kwargs):
        return super(recovery_codes.GenerateRecoveryCodesView, self).get_context_data(**kwargs)


class AddWebAuthnView(ThrottledMixin, ChallengeMixin, FormPageMixin, webauthn.AddWebAuthnView):
    throttles = {throttles.PASSKEY: throttles.person}

    def dispatch(self, request, *args, **kwargs):
        # Without the password allauth would carry on later, with a challenge for an answer.
        if request.method == "POST" and is_reauthentication_required(request, app="allauth.mfa"):
            return redirect("mfa_add_webauthn")
        return super().dispatch(request, *args, **kwargs)

    def make_challenge(self):
        return auth.begin_registration(self.request.user, passwordless=True)

    def get_context_data(self, **kwargs):
        return super(webauthn.AddWebAuthnView, self).get_context_data(**kwargs)


class OwnPasskeyMixin:
    def dispatch(self, request, *args, **kwargs):
        get_object_or_404(self.get_queryset(), pk=kwargs["pk"])  # before the password is asked for
        return super().dispatch(request, *args, **kwargs)


class RemoveWebAuthnView(FormPageMixin, OwnPasskeyMixin, webauthn.RemoveWebAuthnView):
    success_url = reverse_lazy("mfa_index")


def _one_of(user, kind):
    return get_object_or_404(Authenticator, user=user, type=kind)
