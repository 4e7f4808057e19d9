"""allauth's pages, with this site's answers: 422 for a wrong form, 405 for a wrong verb."""

from allauth.account import views
from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from site_config.accounts import throttles
from site_config.accounts.mixins import ClearSiteDataMixin, FormPageMixin, ThrottledMixin
from site_config.accounts.models import Invitation, invitation_token
from site_config.accounts.services import InvitationGone

# Django marks views as public on `dispatch`, which a subclass with a dispatch of its own loses.
public = method_decorator(login_not_required, name="dispatch")

NEW_PASSWORD_LABELS = {"password1": _("New password"), "password2": _("New password, once more")}


@public
class LoginView(FormPageMixin, views.LoginView):
    labels = {"login": _("Name or e-mail"), "password": _("Password")}

    def _redirect_to_pending_stage(self, request, stage):
        return None  # who is asked for a code may begin anew, as somebody else


@public
class SignupView(ThrottledMixin, FormPageMixin, views.SignupView):
    throttles = {
        throttles.SIGN_UP: throttles.address,
        throttles.SIGN_UP_TRY: throttles.address,
    }
    labels = {"username": _("Name"), "email": _("E-mail"), "password1": _("Password")}
    help_texts = {
        "username": _("3 to 32 letters, digits, dots, hyphens or underscores. Others see it."),
        "email": _("Others don’t see it."),
    }

    def get_initial(self):
        initial = super().get_initial()
        return initial | {"email": self.invited_address} if self.invited_address else initial

    @cached_property
    def invited_address(self):
        """Whose address the invitation is for; empty if anyone's, or if it takes none."""
        invitation = Invitation.objects.find(invitation_token(self.request))
        return invitation.email if invitation else ""

    def get_context_data(self, **kwargs):
        return super().get_context_data(invitation=invitation_token(self.request), **kwargs)

    def closed(self):
        if self.request.method == "POST":
            self.counted.give_back(throttles.SIGN_UP)
        return super().closed()

    def form_valid(self, form):
        address = self.invited_address
        if address and form.cleaned_data["email"].casefold() != address.casefold():
            form.add_error("email", _("You were invited with another address."))
            return self.form_invalid(form)
        try:
            return super().form_valid(form)
        except InvitationGone:  # somebody else was faster
            return self.closed()
        except (IntegrityError, ValidationError):
            # Someone took the name or the address since the form was checked: check it again.
            del self._cached_form
            form = self.get_form()
            if form.is_valid():
                raise
            return self.form_invalid(form)

    def form_invalid(self, form):
        self.counted.give_back(throttles.SIGN_UP)  # nobody signed up
        return super().form_invalid(form)


@public  # a second click on "Sign out" leads home, not to a log-in that would sign out again
class LogoutView(ClearSiteDataMixin, views.LogoutView):
    http_method_names = ["get", "head", "post"]


class PasswordChangeView(ThrottledMixin, FormPageMixin, views.PasswordChangeView):
    throttles = {throttles.PASSWORD: throttles.person}
    labels = NEW_PASSWORD_LABELS | {"oldpassword": _("Current password")}


class PasswordSetView(FormPageMixin, views.PasswordSetView):
    labels = NEW_PASSWORD_LABELS


@public
class PasswordResetView(ThrottledMixin, FormPageMixin, views.PasswordResetView):
    throttles = {throttles.RESET: throttles.address, throttles.RESET_OF: throttles.email}
    labels = {"email": _("E-mail")}


@public
class PasswordResetFromKeyView(ThrottledMixin, FormPageMixin, views.PasswordResetFromKeyView):
    throttles = {throttles.RESET: throttles.address}
    labels = NEW_PASSWORD_LABELS

    def form_valid(self, form):
        try:
            return super().form_valid(form)
        except DatabaseError:
            if get_user_model().objects.filter(pk=self.reset_user.pk).exists():
                raise
            # The account went since the link was looked at: it is nobody's now.
            return self.render_to_response(self.get_context_data(token_fail=True))


class ReauthenticateView(ThrottledMixin, FormPageMixin, views.ReauthenticateView):
    throttles = {throttles.PASSWORD: throttles.person}


class EmailView(ThrottledMixin, FormPageMixin, views.EmailView):
    throttles = {throttles.EMAIL: throttles.person}
    labels = {"email": _("Another address")}

    def dispatch(self, request, *args, **kwargs):
        if request.method == "POST":
            return super().dispatch(request, *args, **kwargs)
        # allauth's dispatch writes a missing address row; a GET only reads.
        self._did_send_verification_email = False
        return super(views.EmailView, self).dispatch(request, *args, **kwargs)

    def _action_primary(self, request):
        try:
            with transaction.atomic():
                return super()._action_primary(request)
        except IntegrityError:
            # It is the first of somebody else. The page has no form for this but the one below.
            form = self.get_form()
            form.errors.clear()
            form.add_error("email", get_adapter().validation_error("email_taken"))
            return self.form_invalid(form)


@public
class ConfirmEmailView(views.ConfirmEmailView):
    http_method_names = ["get", "head", "post"]

    def post(self, request, *args, **kwargs):
        try:
            with transaction.atomic():
                return super().post(request, *args, **kwargs)
        except IntegrityError:  # it would be the first of this person, and is that of another
            email = self.object.email_address.email
            refusal = "account/messages/email_confirmation_failed.txt"
            get_adapter().add_message(request, messages.ERROR, refusal, {"email": email})
            return self.respond(False)

    def logout_other_user(self, confirmation):
        # Somebody else's link may be opened here; only its button signs this person out.
        if self.request.method == "POST":
            super().logout_other_user(confirmation)
