"""No answer may tell a person the words of two others: watched in every test of the suite.

`secret(alice, bob)` is a text that names the two who may read it. Whatever a test client gets is
searched for such texts, headers and all; one that is told to anybody else fails the test.
"""

import re
import uuid

import pytest
from django.contrib.auth.models import Permission
from django.db.models import Q
from django.test import Client
from whitenoise.middleware import WhiteNoiseFileResponse

SECRET = re.compile(rb"secret-(\d+)-(\d+)-[0-9a-f]{12}")


class Leak(AssertionError):
    pass


def secret(*pair):
    """Return a text that no one but these two may ever see."""
    first, second = sorted(person.pk for person in pair)
    return f"secret-{first}-{second}-{uuid.uuid4().hex[:12]}"


def secrets_in(response):
    """Return the secrets that a response tells, each with the two who may see it."""
    if isinstance(response, WhiteNoiseFileResponse):
        return {}
    content = response.getvalue()
    if response.streaming:  # it can be read once: here; and again by the test
        response.streaming_content = [content]
    told = response.serialize_headers() + b"\n" + content
    return {found[0].decode(): (int(found[1]), int(found[2])) for found in SECRET.finditer(told)}


def check(response):
    for text, pair in secrets_in(response).items():
        user = response.wsgi_request.user
        if user.pk not in pair and not _is_for_staff(response.wsgi_request):
            raise Leak(f"{response.wsgi_request.get_full_path()} told {user} {text}")


def _is_for_staff(request):
    """Whether this is the one place where staff may see text: by a POST, with the permission."""
    if request.method != "POST" or not request.path.startswith("/admin/messaging/message/"):
        return False
    holds = Q(user=request.user) | Q(group__user=request.user)
    return Permission.objects.filter(holds, codename="view_message_text").exists()


@pytest.fixture(autouse=True)
def no_leaks(monkeypatch):
    """Check each answer that any test client gets, each step of a redirect too."""
    request = Client.request

    def watched(self, **environ):
        response = request(self, **environ)
        check(response)
        return response

    monkeypatch.setattr(Client, "request", watched)
