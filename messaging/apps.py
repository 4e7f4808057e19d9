from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = _("Messaging")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from . import checks, fragments, signals  # noqa: F401

        # Now, while the files are those that this process runs: after a deployment, and before it
        # is started anew, they would be others.
        fragments.markup_version()
