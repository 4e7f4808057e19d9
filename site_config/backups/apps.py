from django.apps import AppConfig


class BackupsConfig(AppConfig):
    name = "site_config.backups"
