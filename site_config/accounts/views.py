"""The pages under /account/: what a person can do about their own account."""

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import get_user_model, logout, update_session_auth_hash
from django.contrib.messages.views import SuccessMessageMixin
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse_lazy
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.generic import FormView, TemplateView, UpdateView

from messaging.export import export
from messaging.services import UserCleanupService
from messaging.services.cleanup import keeps_words_of_others
from messaging.throttles import EXPORT, count_look
from site_config.accounts import throttles
from site_config.accounts.forms import NameForm, PasswordForm, PreferencesForm
from site_config.accounts.mixins import ClearSiteDataMixin, FormPageMixin, ThrottledMixin
from site_config.accounts.services import AccountService, LastSuperuser, SessionService


class AccountView(ThrottledMixin, FormPageMixin, SuccessMessageMixin, UpdateView):
    throttles = {throttles.NAME: throttles.person}  # everybody they know is told
    form_class = NameForm
    template_name = "accounts/account.html"
    context_object_name = "person"  # `user`, the default, is who is signed in
    success_url = reverse_lazy("account")
    success_message = gettext_lazy("Your name is %(username)s now.")

    def get_object(self, queryset=None):
        # Not request.user: a form writes a refused name onto its object, and the page shows it.
        return get_user_model().objects.get(pk=self.request.user.pk)

    def get_context_data(self, **kwargs):
        preferences = PreferencesForm(instance=self.object)
        return super().get_context_data(preferences=preferences, **kwargs)

    def form_valid(self, form):
        try:
            return super().form_valid(form)
        except (IntegrityError, ValidationError):
            # Someone took the name since the form was checked: check it again.
            self.object = self.get_object()
            form = self.get_form()
            if form.is_valid():
                raise
            return self.form_invalid(form)


class PreferencesView(FormPageMixin, UpdateView):
    form_class = PreferencesForm
    template_name = "accounts/preferences.html"
    context_object_name = "person"
    success_url = reverse_lazy("account")

    def get_object(self, queryset=None):
        return get_user_model().objects.get(pk=self.request.user.pk)

    def form_valid(self, form):
        response = super().form_valid(form)
        browsers = translation.get_language_from_request(self.request)
        with translation.override(self.object.language or browsers):  # the next page's
            messages.success(self.request, _("Your preferences are saved."))
        return response


class SignOutEverywhereView(View):
    http_method_names = ["post"]

    def post(self, request):
        AccountService.sign_out_everywhere(request.user)
        update_session_auth_hash(request, request.user)
        UserSession.objects.create_from_request(request)
        messages.success(request, _("You are signed out everywhere but here."))
        return redirect("account")


class AccountExportView(View):
    """All that the person can read here, in one file; sent while it is read."""

    http_method_names = ["get", "head"]

    def head(self, request):
        return self._answer([])

    def get(self, request):
        count_look(EXPORT, request.user.pk)
        user, now = request.user, timezone.now()
        return self._answer(
            export(
                user,
                name=user.username,
                email=user.email,
                joined_at=user.date_joined.isoformat(timespec="seconds"),
                exported_at=now.isoformat(timespec="seconds"),
            )
        )

    def _answer(self, content):
        name = f"parley-{timezone.now():%Y-%m-%d}.json"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(content, content_type="application/json", headers=headers)


class SessionListView(TemplateView):
    template_name = "accounts/sessions.html"
    http_method_names = ["get", "head"]

    def get_context_data(self, **kwargs):
        sessions = SessionService.alive(self.request.user)
        return super().get_context_data(session_list=sessions, **kwargs)


class SessionEndView(View):
    http_method_names = ["post"]

    def post(self, request, pk):
        own = UserSession.objects.filter(user=request.user)
        others = own.exclude(session_key=request.session.session_key)  # this one has "Sign out"
        SessionService.end([get_object_or_404(others, pk=pk)])
        messages.success(request, _("That session is over."))
        return redirect("account-sessions")


class AccountDeleteView(ClearSiteDataMixin, ThrottledMixin, FormPageMixin, FormView):
    throttles = {throttles.PASSWORD: throttles.person}  # asked for here as it is at the log-in
    form_class = PasswordForm
    template_name = "accounts/account_confirm_delete.html"
    success_url = reverse_lazy("home")

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"user": self.request.user}

    def get_context_data(self, **kwargs):
        counts = UserCleanupService.counts(self.request.user)
        keeps = keeps_words_of_others()
        return super().get_context_data(counts=counts, keeps_words_of_others=keeps, **kwargs)

    def form_valid(self, form):
        try:
            AccountService.delete(self.request.user)
        except LastSuperuser:
            form.add_error(None, _("You are the only owner of this site. Make another one first."))
            return self.form_invalid(form)
        logout(self.request)
        messages.success(self.request, _("Your account and all that you wrote are gone."))
        return super().form_valid(form)
