"""Every write, and the rule that guards it."""

from .access import AccessService
from .blocks import Blocked, BlockService, ReceiverUnavailable
from .check import CheckService
from .cleanup import UserCleanupService
from .epoch import CacheEpochService
from .history import MessageHistoryService
from .mailboxes import MailboxService
from .messages import (
    EditConflict,
    MessageService,
    ParentDeleted,
    TokenReused,
    TooManyRevisions,
)
from .notifications import NotificationService
from .threads import ThreadService

__all__ = [
    "AccessService",
    "BlockService",
    "Blocked",
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
