from allauth.account.admin import EmailAddressAdmin
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from site_config.accounts.forms import NameRules
from site_config.accounts.services import AccountService, LastSuperuser

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


@admin.register(get_user_model())
class PersonAdmin(UserAdmin):
    form = PersonChangeForm
    add_form = PersonCreationForm
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
