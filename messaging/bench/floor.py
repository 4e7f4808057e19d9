"""The floor: a page that does nothing, behind all that stands before any page."""

from importlib import import_module

from django.conf import settings
from django.http import HttpResponse
from django.urls import clear_url_caches, path

ADDRESS = "/bench/floor/"


def floor(request):
    return HttpResponse(request.user.get_username())


def install():
    """Let the site answer at ADDRESS, in this process."""
    patterns = import_module(settings.ROOT_URLCONF).urlpatterns
    if all(getattr(pattern, "name", "") != "bench-floor" for pattern in patterns):
        patterns.append(path(ADDRESS[1:], floor, name="bench-floor"))
        clear_url_caches()
