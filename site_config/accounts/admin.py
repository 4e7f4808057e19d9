from allauth.account.admin import EmailAddressAdmin
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    AdminUserCreationForm,
    UserChangeForm,
)
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from site_config.accounts.forms import NameRules
from site_config.accounts.models import Invitation
from site_config.accounts.services import AccountService, InvitationService, LastSuperuser

# allauth lets whoever may see addresses call them verified.
EmailAddressAdmin.make_verified.allowed_permissions = ("change",)

LAST_OWNER = _("This is the only active owner of the site. Make another one first.")


class PersonCreationForm(NameRules, AdminUserCreationForm):
    class Meta(AdminUserCreationForm.Meta):
        model = get_user_model()
        fields = ["username", "email"]


class PersonChangeForm(NameRules, UserChangeForm):
    class Meta(UserChangeForm.Meta):
        model = get_user_model()

    def clean(self):
        data = super().clean()
        if not all(data.get(field, True) for field in ("is_active", "is_superuser")):
            try:
                AccountService.spare_a_superuser([self.instance])
            except LastSuperuser as error:
                raise ValidationError(LAST_OWNER, code="last") from error
        return data


class PersonPasswordForm(AdminPasswordChangeForm):
    def set_password_and_save(self, user, commit=True, **kwargs):
        super().set_password_and_save(user, commit=False, **kwargs)
        if commit:
            user.save(update_fields=["password"])
        return user


@admin.register(get_user_model())
class PersonAdmin(UserAdmin):
    form = PersonChangeForm
    add_form = PersonCreationForm
    change_password_form = PersonPasswordForm
    list_display = ["username", "email", "is_active", "is_staff", "is_superuser", "date_joined"]
    search_fields = ["username", "email"]
    readonly_fields = ["date_joined"]  # tells an account from another of the same id
    fieldsets = [
        (None, {"fields": ["username", "email", "password"]}),
        (
            _("Permissions"),
            {"fields": ["is_active", "is_staff", "is_superuser", "groups", "user_permissions"]},
        ),
        (_("Important dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "email", "usable_password", "password1", "password2"]})
    ]

    def save_model(self, request, obj, form, change):
        # Of a person who is here only what was changed: they may be at the same row.
        columns = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=columns.intersection(form.changed_data) if change else None)

    def get_deleted_objects(self, objs, request):
        """Say what would go with them, and what forbids it: nobody would own the site."""
        deleted, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        try:
            with transaction.atomic():
                AccountService.spare_a_superuser(objs)
        except LastSuperuser:
            protected = [*protected, LAST_OWNER]
        return deleted, counts, perms_needed, protected

    def delete_model(self, request, obj):
        self.delete_queryset(request, [obj])

    @transaction.atomic
    def delete_queryset(self, request, queryset):
        try:
            for person in queryset:
                AccountService.delete(person)
        except LastSuperuser as error:  # the other one went since the question was asked
            raise PermissionDenied from error


class NoChangeMixin:
    def has_change_permission(self, request, obj=None):
        return False


# allauth's show what is nobody's but the person's: secrets, addresses, browsers.
admin.site.unregister([Authenticator, UserSession])


@admin.register(Authenticator)
class AuthenticatorAdmin(NoChangeMixin, admin.ModelAdmin):
    """To let somebody in again who lost their phone: the row is deleted, and never shown."""

    list_display = ["id", "user", "type", "created_at", "last_used_at"]
    list_select_related = ["user"]
    fields = ["user", "type", "created_at", "last_used_at"]
    search_fields = ["user__username"]

    def has_add_permission(self, request):
        return False

    def log_deletions(self, request, queryset):
        # A passkey is called what its person likes: that is nobody's to keep.
        super().log_deletions(request, queryset)
        kind = ContentType.objects.get_for_model(Authenticator)
        gone = [str(row.pk) for row in queryset]
        LogEntry.objects.filter(content_type=kind, object_id__in=gone).update(object_repr="")

    def lookup_allowed(self, lookup, value, request=None):
        return lookup.split("__")[0] != "data" and super().lookup_allowed(lookup, value, request)


class InvitationForm(forms.ModelForm):
    days = forms.IntegerField(
        label=_("Good for how many days"), initial=7, min_value=1, max_value=365
    )

    class Meta:
        model = Invitation
        fields = ["email"]


@admin.register(Invitation)
class InvitationAdmin(NoChangeMixin, admin.ModelAdmin):
    """To invite somebody, and to take it back: that is to delete it."""

    form = InvitationForm
    list_display = ["__str__", "email", "created_at", "expires_at", "created_by"]
    fields = ["email", "days"]

    def save_model(self, request, obj, form, change):
        invitation, token = InvitationService.invite(
            email=obj.email, days=form.cleaned_data["days"], created_by=request.user
        )
        obj.pk = invitation.pk
        link = request.build_absolute_uri(InvitationService.path(token))
        messages.warning(request, _("Copy this link: nobody can be shown it again. %s") % link)
