"""allauth's addresses under allauth's names; ours come first, so they are the ones that answer."""

from django.urls import include, path, re_path

from site_config.accounts import allauth_views as views
from site_config.accounts import mfa_views as mfa

urlpatterns = [
    path("login/", views.LoginView.as_view(), name="account_login"),
    path("signup/", views.SignupView.as_view(), name="account_signup"),
    path("logout/", views.LogoutView.as_view(), name="account_logout"),
    path("email/", views.EmailView.as_view(), name="account_email"),
    re_path(
        r"^confirm-email/(?P<key>[-:\w]+)/$",
        views.ConfirmEmailView.as_view(),
        name="account_confirm_email",
    ),
    path("password/change/", views.PasswordChangeView.as_view(), name="account_change_password"),
    path("password/set/", views.PasswordSetView.as_view(), name="account_set_password"),
    path("password/reset/", views.PasswordResetView.as_view(), name="account_reset_password"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.PasswordResetFromKeyView.as_view(),
        name="account_reset_password_from_key",
    ),
    path("reauthenticate/", views.ReauthenticateView.as_view(), name="account_reauthenticate"),
    path("passkey/", mfa.LoginWebAuthnView.as_view(), name="mfa_login_webauthn"),
    path("2fa/", mfa.IndexView.as_view(), name="mfa_index"),
    path("2fa/authenticate/", mfa.AuthenticateView.as_view(), name="mfa_authenticate"),
    path("2fa/app/add/", mfa.ActivateTOTPView.as_view(), name="mfa_activate_totp"),
    path("2fa/app/remove/", mfa.DeactivateTOTPView.as_view(), name="mfa_deactivate_totp"),
    path("2fa/passkeys/add/", mfa.AddWebAuthnView.as_view(), name="mfa_add_webauthn"),
    path(
        "2fa/passkeys/<int:pk>/remove/",
        mfa.RemoveWebAuthnView.as_view(),
        name="mfa_remove_webauthn",
    ),
    path(
        "2fa/recovery-codes/",
        mfa.ViewRecoveryCodesView.as_view(),
        name="mfa_view_recovery_codes",
    ),
    path(
        "2fa/recovery-codes/new/",
        mfa.GenerateRecoveryCodesView.as_view(),
        name="mfa_generate_recovery_codes",
    ),
    path("", include("allauth.account.urls")),
]
