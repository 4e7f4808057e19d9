"""Every write, and the rule that guards it."""

from .check import CheckService
from .cleanup import UserCleanupService
from .epoch import CacheEpochService
from .history import MessageHistoryService
from .mailboxes import MailboxService
from .messages import (
    EditConflict,
    MessageService,
    ParentDeleted,
    ReceiverUnavailable,
    TokenReused,
    TooManyRevisions,
)
from .notifications import NotificationService
from .threads import ThreadService

__all__ = [
    "CacheEpochService",
    "CheckService",
    "EditConflict",
    "MailboxService",
    "MessageHistoryService",
    "MessageService",
    "NotificationService",
    "ParentDeleted",
    "ReceiverUnavailable",
    "ThreadService",
    "TokenReused",
    "TooManyRevisions",
    "UserCleanupService",
]
