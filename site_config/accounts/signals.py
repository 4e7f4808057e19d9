from allauth.account.models import EmailAddress
from allauth.account.signals import (
    password_changed,
    password_reset,
    password_set,
    user_logged_in,
)
from allauth.usersessions.signals import on_user_logged_in
from django.contrib.sessions.models import Session
from django.db.models.signals import post_delete, pre_delete, pre_save
from django.dispatch import receiver

from site_config.accounts import erasures
from site_config.accounts.models import User
from site_config.accounts.services import AccountService, SessionService, unname_in_log


@receiver(pre_save, sender=User, dispatch_uid="accounts.fill_username_key")
def fill_username_key(sender, instance, update_fields, **kwargs):
    # Fixtures (`raw`) too: this is the one door that every name goes through.
    is_saved = update_fields is None or "username" in update_fields
    if is_saved and "username" not in instance.get_deferred_fields():
        instance.fill_username_key()


@receiver(pre_delete, sender=User, dispatch_uid="accounts.intend_erasure")
def intend_erasure(sender, instance, **kwargs):
    erasures.intend(instance)


@receiver(post_delete, sender=User, dispatch_uid="accounts.record_erasure")
def record_erasure(sender, instance, **kwargs):
    erasures.record(instance)


@receiver(post_delete, sender=User, dispatch_uid="accounts.forget_person")
def forget_person(sender, instance, **kwargs):
    AccountService.forget(instance)


@receiver(post_delete, sender=EmailAddress, dispatch_uid="accounts.forget_address")
def forget_address(sender, instance, **kwargs):
    unname_in_log(instance)  # with its person, or before


# allauth's would load every session of the person, one by one, at each sign-in.
user_logged_in.disconnect(on_user_logged_in)


@receiver(user_logged_in, dispatch_uid="accounts.record_session")
def record_session(sender, request, **kwargs):
    SessionService.record(request)


@receiver(post_delete, sender=Session, dispatch_uid="accounts.forget_session")
def forget_session(sender, instance, **kwargs):
    SessionService.forget(instance.pk)


@receiver(
    [password_changed, password_set, password_reset], dispatch_uid="accounts.end_other_sessions"
)
def end_other_sessions(sender, request, user, **kwargs):
    # A new password makes them worthless anyhow; this forgets where they were.
    SessionService.end_others(user, request.session.session_key)
