"""The site's own settings, but for the price of a password: journeys sign in a hundred times."""

from site_config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
