"""The only module that spells a cache key.

A cached fragment is a pure function of its key, and its key carries the version of what it shows,
read from the database before the load. So a lost, late or reordered cache operation can cost a
miss, never a stale page or somebody else's.
"""

import functools
import hashlib
from datetime import UTC
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.cache import InvalidCacheBackendError, caches
from django.template import engines
from django.utils.safestring import mark_safe
from django.utils.translation import get_language

from .composed import Composed
from .ids import dom_id, thread_url
from .models import CacheEpoch, Mailbox, Message
from .skeletons import Skeleton
from .text import is_emoji, render_text, write_iso, write_moment

LIFETIME = 600  # seconds

User = get_user_model()


def cache():
    """Return the cache of fragments: the one that `{% cache %}` uses."""
    try:
        return caches["template_fragments"]
    except InvalidCacheBackendError:
        return caches["default"]


def key(name, *versions):
    """Return the key of a fragment; `versions` are integers, or words of our own choosing."""
    parts = (epoch(), markup_version(), get_language(), name, *versions)
    return ":".join(str(part) for part in parts)


def mailbox_key(name, user, *versions):
    """Return the key of what one person sees of all their threads."""
    return key(name, user.pk, Mailbox.of(user).version, *versions)


def thread_key(name, user, thread, *versions):
    """Return the key of what one person sees of one thread."""
    return key(name, user.pk, thread.pk, thread.version, *versions)


def keys(name, stamps):
    """Return a key for each stamp, of what `digest` takes; what they begin with is made once."""
    beginning = key(name)
    return [f"{beginning}:{digest(*stamp)}" for stamp in stamps]


def digest(*words):
    """Return a short word for `words` that nobody can choose so as to meet another's key.

    Words are strings, numbers, None, and tuples of them: what `repr` spells in one way only.
    """
    return hashlib.sha256(repr(words).encode()).hexdigest()[:24]


def remember(fragment_key, build):
    """Return what is stored under the key; built and stored now if there is nothing."""
    found = cache().get(fragment_key)
    if found is None:
        found = build()
        cache().set(fragment_key, found, LIFETIME)
    return found


def remember_many(fragment_keys, wanted, build):
    """Return what is stored under each key, in order: one look-up, and one store of the missing.

    `wanted` says what belongs to each key; `build(list)` makes those that are missing, all at once.
    """
    found = cache().get_many(fragment_keys)
    missing = {k: want for k, want in zip(fragment_keys, wanted, strict=True) if k not in found}
    if missing:
        built = dict(zip(missing, build(list(missing.values())), strict=True))
        cache().set_many(built, LIFETIME)
        found |= built
    return [found[k] for k in fragment_keys]


def message_fragments(stamps, viewer):
    """Return the inner HTML of messages by primary key, in one look-up.

    `stamps` are (pk, revision, is_deleted, is_mine). What is missing is loaded, rendered and stored
    in one go each. A message that went meanwhile is missing from the answer.
    """
    make_key = _message_keys()
    keys = {pk: make_key(pk, *versions) for pk, *versions in stamps}
    found = cache().get_many(keys.values())
    fragments = {pk: mark_safe(found[k]) for pk, k in keys.items() if k in found}  # noqa: S308
    if missing := [pk for pk in keys if pk not in fragments]:
        fragments |= _render_messages(missing, viewer)
    return fragments


def _message_keys():
    """Return what makes the keys of many messages: the beginning is the same for all."""
    beginning = key("message")
    return lambda pk, revision, is_deleted, is_mine: (
        f"{beginning}:{pk}:{revision}:{int(is_deleted)}:{int(is_mine)}"
    )


def _render_messages(pks, viewer):
    fragments, entries, make_key = {}, {}, _message_keys()
    for message in find_messages(viewer.pk, *pks):
        html = _render_message(message, viewer)
        fragments[message.pk] = html
        # Under the revision of this very row: it may be newer than the one that was asked for.
        is_mine = message.sender_id == viewer.pk
        entries[make_key(message.pk, message.revision, message.is_deleted, is_mine)] = html
    cache().set_many(entries, LIFETIME)
    return fragments


find_messages = Composed(
    lambda viewer, *pks: Message.objects.visible_to(User(viewer)).filter(pk__in=pks)
)


def _render_message(message, viewer):
    sent_at = message.timestamp.astimezone(UTC)
    shape = {
        "is_deleted": message.is_deleted,
        "is_edited": message.edited,
        "is_mine": message.sender_id == viewer.pk,
        "is_emoji": is_emoji(message.content),
    }
    words = {
        "id": dom_id("message", message.pk),
        "revision": str(message.revision),
        "url": thread_url(message.pk),
        "sent_iso": write_iso(sent_at),
        "sent_at": write_moment(sent_at),
        "text": render_text(message.content),
    }
    return MESSAGE.fill(shape, words)


MESSAGE = Skeleton("messaging/_message.html#message-fragment")


_epoch = None


def epoch():
    """Return the first part of every key: read from the database once a process."""
    global _epoch
    if _epoch is None:
        _epoch = CacheEpoch.objects.values_list("value", flat=True).first() or "none"
    return _epoch


def forget_epoch():
    """Let this process read it once more."""
    global _epoch
    _epoch = None


@functools.cache
def markup_version():
    """Return a word that changes when the code or a template of messages does."""
    files = list(Path(__file__).parent.rglob("*.py"))
    for directory in engines["django"].template_dirs:
        files += Path(directory).glob("messaging/*.html")
    content = b"".join(path.read_bytes() for path in sorted(files))
    return hashlib.sha256(content).hexdigest()[:12]
