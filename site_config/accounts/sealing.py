"""What has to be read again and yet may stand nowhere as it is: sealed with a key of SECRET_KEY."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


class Unreadable(Exception):
    """It is too old, or was sealed with a key that this site doesn't have any more."""


def seal(text):
    return _box().encrypt(text.encode()).decode()


def unseal(sealed, seconds=None):
    """Return the text, if it was sealed here, and in the last so many `seconds`."""
    try:
        return _box().decrypt(sealed.encode(), ttl=seconds).decode()
    except InvalidToken as error:
        raise Unreadable from error


def _box():
    """Seal with the key of today, open with the former ones as well."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return MultiFernet([Fernet(_derive(key)) for key in keys])


def _derive(key):
    digest = salted_hmac(__name__, "", secret=key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest)
