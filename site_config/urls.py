"""Every address of the site; the ones about messages are in `messaging.urls`."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from site_config import installing, views

admin.site.login = secure_admin_login(admin.site.login)  # one door, with its throttles, for all

urlpatterns = [
    path("", views.HomeView.as_view(), name="home"),
    path("", include("messaging.urls")),
    path("account/", include("site_config.accounts.urls")),
    path("accounts/", include("site_config.accounts.allauth_urls")),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", views.show_metrics, name="metrics"),
    path("manifest.webmanifest", installing.manifest, name="manifest"),
    path("worker.js", installing.worker, name="worker"),
    path("offline/", installing.offline, name="offline"),
    path("admin/", admin.site.urls),
]

handler400 = "site_config.views.bad_request"
handler403 = "site_config.views.permission_denied"
handler404 = "site_config.views.page_not_found"
handler500 = "site_config.views.server_error"

if settings.DEBUG and "debug_toolbar" in settings.INSTALLED_APPS:
    from debug_toolbar.toolbar import debug_toolbar_urls

    urlpatterns += debug_toolbar_urls()
