from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .mailbox import Mailbox
from .thread import Thread

CONTENT_MAX_LENGTH = 5000  # characters


class MessageQuerySet(models.QuerySet):
    def for_user(self, user):
        """What `user` sent or received: the door through which every view comes."""
        if user.pk is None:  # signed out; in the rows, null is a person who left
            return self.none()
        return self.filter(Q(sender_id=user.pk) | Q(receiver_id=user.pk))

    visible_to = for_user

    def between(self, user, other):
        if user.pk is None or other.pk is None:
            return self.none()
        return self.filter(
            Q(sender_id=user.pk, receiver_id=other.pk) | Q(sender_id=other.pk, receiver_id=user.pk)
        )

    def received_by(self, user):
        return self.none() if user.pk is None else self.filter(receiver_id=user.pk)

    def sent_by(self, user):
        return self.none() if user.pk is None else self.filter(sender_id=user.pk)

    def unread(self):
        return self.filter(read=False)

    def not_deleted(self):
        return self.filter(deleted_at__isnull=True)

    def bare_tombstones(self):
        """Messages that were deleted, and that nothing hangs on any more."""
        replies = Message._base_manager.filter(parent_message=models.OuterRef("pk"))
        return self.filter(deleted_at__isnull=False).exclude(models.Exists(replies))

    def with_people(self):
        return self.select_related("sender", "receiver")

    def in_time_order(self):
        return self.order_by("timestamp", "pk")

    def up_to(self, message):
        """Not later than `message`, which counts itself."""
        return self.filter(
            Q(timestamp__lt=message.timestamp) | Q(timestamp=message.timestamp, pk__lte=message.pk)
        )

    def onward_from(self, message):
        """Not earlier than `message`, which counts itself."""
        return self.filter(
            Q(timestamp__gt=message.timestamp) | Q(timestamp=message.timestamp, pk__gte=message.pk)
        )

    def bulk_create(self, objs, *args, **kwargs):
        """As Django's: rows alone, without threads, counts, versions or notifications."""
        message_list = super().bulk_create(objs, *args, **kwargs)
        for message in message_list:
            message._remember(message.WRITABLE)
        return message_list

    def delete(self):
        """Delete each as `Message.delete` does, all or none.

        Return the number of rows removed or emptied, and the same by model, as Django does.
        """
        with transaction.atomic():
            found = list(self)
            people = [pk for message in found for pk in (message.sender_id, message.receiver_id)]
            Mailbox.objects.lock(*people)
            total = sum(message.delete()[0] for message in found)
        return total, ({self.model._meta.label: total} if total else {})

    delete.alters_data = True
    delete.queryset_only = True


class UnreadManager(models.Manager.from_queryset(MessageQuerySet)):
    """`Message.unread`: messages that nobody has read yet."""

    def get_queryset(self):
        return super().get_queryset().filter(read=False, deleted_at__isnull=True)

    def for_user(self, user):
        """Return exactly the unread messages that `user` received.

        Joined to the sender and reduced to the columns that an inbox shows: using what it shows
        costs no further query.
        """
        name = f"sender__{self.model._meta.get_field('sender').related_model.USERNAME_FIELD}"
        return (
            self.get_queryset()
            .received_by(user)
            .select_related("sender")
            .only("sender", name, "receiver", "thread", "content", "timestamp", "read", "revision")
        )


class Message(models.Model):
    """What one person wrote to another.

    A bare `Message.objects.create(sender=…, receiver=…, content=…)` does everything: the thread is
    found or made here, and the signal handlers move counts and versions and notify the receiver.
    """

    sender = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,  # services.cleanup does it in bulk; null: a person who left
        null=True,
        related_name="sent_messages",
        db_index=False,
        verbose_name=_("sender"),
    )
    receiver = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="received_messages",
        db_index=False,
        verbose_name=_("receiver"),
    )
    content = models.TextField(_("content"), validators=[MaxLengthValidator(CONTENT_MAX_LENGTH)])
    timestamp = models.DateTimeField(_("sent at"), default=timezone.now)
    read = models.BooleanField(_("read"), default=False)
    edited = models.BooleanField(_("edited"), default=False)
    parent_message = models.ForeignKey(
        "self",
        on_delete=models.DO_NOTHING,  # a message with replies leaves a tombstone instead
        null=True,
        blank=True,
        related_name="replies",
        db_index=False,
        verbose_name=_("in reply to"),
    )

    thread = models.ForeignKey(
        Thread,
        on_delete=models.PROTECT,
        related_name="message_set",
        db_index=False,
        editable=False,
        verbose_name=_("thread"),
    )
    depth = models.PositiveIntegerField(_("depth"), default=0, editable=False)
    reply_count = models.PositiveIntegerField(_("direct replies"), default=0, editable=False)
    revision = models.PositiveIntegerField(_("revision"), default=1, editable=False)
    edited_at = models.DateTimeField(_("edited at"), null=True, editable=False)
    read_at = models.DateTimeField(_("read at"), null=True, editable=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, editable=False)
    client_token = models.UUIDField(_("client token"), null=True, editable=False)

    objects = MessageQuerySet.as_manager()
    unread = UnreadManager()

    # What a save of an existing message takes from memory; all else is the database's.
    WRITABLE = ("content", "read")
    is_held = False  # whoever saves it holds the mailboxes of both already
    is_arriving = False  # while it is saved for the first time: nothing hangs on it yet
    _known = {}  # the writable fields as they were when last loaded or saved

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        permissions = [("view_message_text", _("Can read the text of messages"))]
        constraints = [
            models.CheckConstraint(
                condition=~Q(sender=F("receiver")), name="message_to_someone_else"
            ),
            models.CheckConstraint(
                condition=Q(sender__isnull=False) | Q(receiver__isnull=False),
                name="message_of_someone",
            ),
            models.CheckConstraint(
                condition=(
                    Q(deleted_at__isnull=True)
                    & Q(GreaterThanOrEqual(Length("content"), 1))
                    & Q(LessThanOrEqual(Length("content"), CONTENT_MAX_LENGTH))
                )
                | Q(deleted_at__isnull=False, content=""),
                name="message_content_length",
            ),
            models.UniqueConstraint(fields=["sender", "client_token"], name="client_token_once"),
        ]
        indexes = [
            models.Index(fields=["thread", "depth", "id"], name="message_levels"),
            models.Index(fields=["thread", "timestamp", "id"], name="message_in_thread"),
            models.Index(fields=["parent_message", "id"], name="message_replies"),
            models.Index(fields=["sender", "timestamp", "id"], name="message_sent"),
            models.Index(fields=["receiver", "timestamp", "id"], name="message_received"),
            models.Index(fields=["sender", "receiver", "timestamp", "id"], name="message_between"),
            models.Index(
                fields=["receiver", "thread", "timestamp", "id"],
                condition=Q(read=False, deleted_at__isnull=True),
                name="message_unread",
            ),
        ]

    def __str__(self):
        return f"Message {self.pk}"

    @property
    def is_deleted(self):
        return self.deleted_at is not None

    def other_person(self, user):
        """Return the person whom `user` shares this message with; None if that one left."""
        return self.receiver if self.sender_id == user.pk else self.sender

    def clean(self):
        if self._state.adding and self.parent_message is not None:
            self._check_parent(self.parent_message)

    # --- Saving ---

    @classmethod
    def from_db(cls, db, field_names, values):
        message = super().from_db(db, field_names, values)
        message._remember(cls.WRITABLE)
        return message

    def refresh_from_db(self, using=None, fields=None, from_queryset=None):
        super().refresh_from_db(using, fields, from_queryset)
        self._remember(self.WRITABLE if fields is None else fields)

    def save(self, *args, update_fields=None, **kwargs):
        """Save together with everything the signal handlers do, or not at all.

        Of an existing message only `content` and `read` are taken from memory, and only if they
        changed there: a stale copy never undoes what somebody else wrote meanwhile.
        """
        with transaction.atomic():
            if not self.is_held:
                Mailbox.objects.lock(self.sender_id, self.receiver_id)
            if self._state.adding:
                self._arrive(*args, **kwargs)
            else:
                super().save(update_fields=self._take_changes(update_fields))
        self._remember(self.WRITABLE)

    def _remember(self, names):
        loaded = self.__dict__
        self._known = self._known | {
            name: loaded[name] for name in self.WRITABLE if name in names and name in loaded
        }

    def _is_changed(self, name):
        return name not in self._known or self._known[name] != self.__dict__[name]

    def _arrive(self, *args, **kwargs):
        self._join_thread()
        self.is_arriving = True
        try:
            super().save(*args, **kwargs)
        finally:
            self.is_arriving = False

    def _join_thread(self):
        if self.parent_message_id is None:
            self.thread, self.depth = Thread.objects.create(), 0
            return
        # Read anew: the parent may have changed before the lock was ours.
        parent = Message.objects.get(pk=self.parent_message_id)
        self._check_parent(parent)
        self.thread_id, self.depth = parent.thread_id, parent.depth + 1

    def _check_parent(self, parent):
        if {parent.sender_id, parent.receiver_id} != {self.sender_id, self.receiver_id}:
            raise ValidationError(_("A reply goes to the person who shares the message."))
        if parent.is_deleted:
            raise ValidationError(_("This message has been deleted."), code="deleted")

    def _take_changes(self, update_fields):
        """Bring this copy up to date but for what was changed in it; return what to write."""
        mine = {
            name: self.__dict__[name]
            for name in (self.WRITABLE if update_fields is None else update_fields)
            if name in self.WRITABLE and name in self.__dict__ and self._is_changed(name)
        }
        self.refresh_from_db()
        if self.is_deleted:
            mine.pop("read", None)  # a tombstone is in no count any more
        changed = [name for name, value in mine.items() if getattr(self, name) != value]
        for name in changed:
            setattr(self, name, mine[name])
        if "read" in changed:
            self.read_at = timezone.now() if self.read else None
            changed.append("read_at")
        return changed

    # --- Deleting ---

    def delete(self, *args, **kwargs):
        """Remove the message, or leave a tombstone if replies hang on it.

        Ancestors that were only tombstones go with it, and so does a thread that is empty then;
        nobody's words ever do. Return what Django's `delete` returns; (0, {}) if it was gone.
        """
        with transaction.atomic():
            Mailbox.objects.lock(self.sender_id, self.receiver_id)
            try:
                self.refresh_from_db()
            except Message.DoesNotExist:
                return 0, {}
            if self.is_deleted:
                return 0, {}
            if self.replies.exists():
                self._entomb()
                return 1, {self._meta.label: 1}
            return self._remove()

    def _entomb(self):
        self.history.all().delete()
        self.notifications.all().delete()
        self.content, self.edited, self.deleted_at = "", False, timezone.now()
        super().save(update_fields=["content", "edited", "deleted_at"])

    def _remove(self):
        message, removed = self, None
        while message is not None:
            parent = message.parent_message
            count = super(Message, message).delete()
            removed = removed or count
            is_bare = parent is not None and parent.is_deleted and not parent.replies.exists()
            message = parent if is_bare else None
        return removed
