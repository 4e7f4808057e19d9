from django.urls import path

from site_config.accounts import views

urlpatterns = [
    path("", views.AccountView.as_view(), name="account"),
    path("preferences/", views.PreferencesView.as_view(), name="account-preferences"),
    path("delete/", views.AccountDeleteView.as_view(), name="account-delete"),
    path("export/", views.AccountExportView.as_view(), name="account-export"),
    path("sessions/", views.SessionListView.as_view(), name="account-sessions"),
    path("sessions/<int:pk>/end/", views.SessionEndView.as_view(), name="account-session-end"),
    path(
        "sign-out-everywhere/",
        views.SignOutEverywhereView.as_view(),
        name="account-sign-out-everywhere",
    ),
]
