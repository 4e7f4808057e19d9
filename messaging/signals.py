"""What follows by itself from a write: each receiver is named for its deed and calls one service.

They run inside the transaction of the write (`Message.save` and `Message.delete` open one), so a
message and its consequences commit together or not at all. Fixtures (`raw`) trigger nothing.
"""

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.backends.signals import connection_created
from django.db.models.signals import post_delete, post_migrate, post_save, pre_delete, pre_save
from django.dispatch import receiver

from . import fragments
from .models import Mailbox, Message, Notification
from .services import (
    CacheEpochService,
    MailboxService,
    MessageHistoryService,
    NotificationService,
    ThreadService,
    UserCleanupService,
)

User = get_user_model()


@receiver(pre_save, sender=Message, dispatch_uid="messaging.log_edit")
def log_edit(sender, instance, raw, update_fields, **kwargs):
    if not raw and update_fields and "content" in update_fields and not instance.is_deleted:
        old_content = Message.objects.values_list("content", flat=True).get(pk=instance.pk)
        MessageHistoryService.log_edit(instance, old_content)


@receiver(post_save, sender=Message, dispatch_uid="messaging.notify_receiver")
def notify_receiver(sender, instance, created, raw, **kwargs):
    if created and not raw:
        NotificationService.create_notification(instance)


@receiver(post_save, sender=Message, dispatch_uid="messaging.count_saved")
def count_saved(sender, instance, created, raw, update_fields, **kwargs):
    """Move the counts and versions that cached fragments hang on."""
    if raw:
        return
    if created:
        ThreadService.add(instance)
    elif "deleted_at" in update_fields:
        ThreadService.remove(instance)
    else:
        if "read" in update_fields:
            ThreadService.count_read(instance)
        if "content" in update_fields:
            ThreadService.touch(instance)


@receiver(post_delete, sender=Message, dispatch_uid="messaging.count_deleted")
def count_deleted(sender, instance, **kwargs):
    if not instance.is_deleted:  # a tombstone was taken out of the counts when it became one
        ThreadService.remove(instance)
    ThreadService.remove_if_empty(instance.thread_id)


@receiver([post_save, post_delete], sender=Notification, dispatch_uid="messaging.refresh_bell")
def refresh_bell(sender, instance, raw=False, **kwargs):
    message = instance._state.fields_cache.get("message")
    # Of a message that is arriving, `count_saved` moves the same version in the same transaction.
    if not raw and not (message and message.is_arriving):
        MailboxService.bump([instance.user_id])


@receiver(post_save, sender=User, dispatch_uid="messaging.make_mailbox")
def make_mailbox(sender, instance, created, raw, **kwargs):
    if created and not raw:
        Mailbox.objects.get_or_create(user=instance)


@receiver(pre_save, sender=User, dispatch_uid="messaging.note_old_name")
def note_old_name(sender, instance, raw, update_fields, **kwargs):
    name = sender.USERNAME_FIELD
    if raw or instance._state.adding or (update_fields is not None and name not in update_fields):
        return
    names = sender._default_manager.filter(pk=instance.pk).values_list(name, flat=True)
    old_name = names.first()
    if old_name != instance.get_username():
        instance._old_name = old_name
        # Before the row of the person is written, in the order in which every write takes locks.
        MailboxService.lock_around(instance)


@receiver(post_save, sender=User, dispatch_uid="messaging.follow_rename")
def follow_rename(sender, instance, **kwargs):
    # After the write: were the versions moved first, a reader in between could store the old name
    # under the new version.
    if instance.__dict__.pop("_old_name", None) is not None:
        MailboxService.rename(instance)


@receiver(pre_delete, sender=User, dispatch_uid="messaging.hold_mailboxes")
def hold_mailboxes(sender, instance, **kwargs):
    # The mailbox of this person goes before `clean_up_user` comes: to lock the others' only then
    # would be out of order, and a deadlock with anyone who is just writing to this person.
    MailboxService.lock_around(instance)


@receiver(post_delete, sender=User, dispatch_uid="messaging.clean_up_user")
def clean_up_user(sender, instance, **kwargs):
    UserCleanupService.cleanup_user_data(instance)


@receiver(post_migrate, dispatch_uid="messaging.make_cache_epoch")
def make_cache_epoch(sender, apps=apps, **kwargs):
    if sender.label == "messaging" and "cacheepoch" in apps.all_models["messaging"]:
        CacheEpochService.make_missing()


@receiver(connection_created, dispatch_uid="messaging.ask_for_epoch")
def ask_for_epoch(sender, **kwargs):
    # A backup is restored while nobody is connected: who connects again may find another epoch.
    fragments.forget_epoch()
