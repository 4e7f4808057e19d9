from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "site_config.accounts"
    label = "accounts"
    verbose_name = _("people")

    def ready(self):
        from site_config import checks, events  # noqa: F401
        from site_config.accounts import signals  # noqa: F401
