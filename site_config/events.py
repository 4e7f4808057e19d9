"""What a person who guards the site wants to hear of: one line each, of the logger parley.security.

Ids, routes and words of our own; no name, no address, no text. The `id` is that of the line of the
request. A 404 of a page that exists for others ("hidden") looks like any other 404 from outside.
"""

import logging

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model, signals
from django.db.models.signals import post_delete, post_save

logger = logging.getLogger("parley.security")

REFUSALS = {403: "refused", 404: "hidden", 429: "throttled"}
CSRF_REASONS = ("origin", "referer", "cookie", "token")


def line(**words):
    """Return the words as one line that no word can end."""
    text = " ".join(f"{name}={'-' if word is None else word}" for name, word in words.items())
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def route(request):
    match = request.resolver_match
    return match and match.view_name


def tell(event, request=None, user=None, **words):
    """Write the line of an event; `user` is the person it happened to, or who did it."""
    user = user or getattr(request, "_cached_user", None)
    words = {
        "event": event,
        "id": getattr(request, "log_id", None),
        "user": user and user.pk,
    } | words
    logger.info(line(**words))


def tell_refusal(request, response):
    # Without a route there is no such page for anybody: machines ask for those all day.
    if (event := REFUSALS.get(response.status_code)) and route(request):
        tell(event, request, route=route(request))


def tell_csrf_failure(request, reason):
    kind = next((word for word in CSRF_REASONS if word in reason.lower()), None)
    tell("csrf_failed", request, reason=kind)


def _listen(signal, event, **words):
    def receive(sender, request=None, user=None, **kwargs):
        tell(event, request, user, **words)

    signal.connect(receive, weak=False, dispatch_uid=f"events.{event}")


_listen(signals.user_logged_in, "signed_in")
_listen(signals.user_logged_out, "signed_out")
_listen(signals.user_login_failed, "sign_in_failed", reason="credentials")
_listen(account.user_signed_up, "signed_up")
_listen(account.password_changed, "password_changed")
_listen(account.password_set, "password_set")
_listen(account.password_reset, "password_reset")
_listen(account.email_changed, "email_changed")
_listen(mfa.authenticator_added, "second_factor_added")
_listen(mfa.authenticator_removed, "second_factor_removed")
_listen(mfa.authenticator_reset, "recovery_codes_made")
_listen(mfa.authentication_failed, "second_factor_failed")


def tell_deletion(sender, instance, **kwargs):
    logger.info(line(event="account_deleted", user=instance.pk))


def tell_admin(sender, instance, created, raw, **kwargs):
    if created and not raw:
        logger.info(
            line(
                event="admin",
                user=instance.user_id,
                action=instance.get_action_flag_display().lower(),
                model=instance.content_type and instance.content_type.model,
                object=instance.object_id,
            )
        )


post_delete.connect(tell_deletion, get_user_model(), dispatch_uid="events.account_deleted")
post_save.connect(tell_admin, LogEntry, dispatch_uid="events.admin")
