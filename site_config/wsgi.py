"""The WSGI door: what a server loads as `site_config.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import reverse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_config.settings")
application = get_wsgi_application()
reverse("home")  # reads every address with its view now, and not while the first visitor waits
