from django.db.models.signals import post_delete, pre_delete, pre_save
from django.dispatch import receiver

from site_config.accounts import erasures
from site_config.accounts.models import User
from site_config.accounts.services import AccountService


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
