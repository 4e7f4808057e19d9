"""Messages between two people, the threads they form, and what each person has read."""

from .access import AccessNotice, AccessRecord
from .block import Block, Standing
from .epoch import CacheEpoch
from .history import MessageHistory
from .mailbox import Mailbox
from .message import Message, MessageQuerySet, UnreadManager
from .notification import Notification
from .thread import Participation, Thread
from .throttle import ThrottleCount

__all__ = [
    "AccessNotice",
    "AccessRecord",
    "Block",
    "CacheEpoch",
    "Mailbox",
    "Message",
    "MessageHistory",
    "MessageQuerySet",
    "Notification",
    "Participation",
    "Standing",
    "Thread",
    "ThrottleCount",
    "UnreadManager",
]
