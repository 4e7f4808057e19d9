"""Django's admin, with one word less that it can't answer."""

from functools import wraps

from django.contrib.admin.apps import AdminConfig
from django.contrib.admin.exceptions import DisallowedModelAdminToField
from django.contrib.admin.options import TO_FIELD_VAR
from django.contrib.admin.sites import AdminSite


class ParleyAdminConfig(AdminConfig):
    default_site = "site_config.admin_site.ParleyAdminSite"


class ParleyAdminSite(AdminSite):
    def admin_view(self, view, cacheable=False):
        """Refuse a field without a name, as any other that no object is found by.

        Django looks for it only where there is a name, and then asks the model for it all the same.
        """

        @wraps(view)
        def check_field(request, *args, **kwargs):
            if "" in (request.GET.get(TO_FIELD_VAR), request.POST.get(TO_FIELD_VAR)):
                raise DisallowedModelAdminToField("A field without a name")
            return view(request, *args, **kwargs)

        return super().admin_view(check_field, cacheable)
