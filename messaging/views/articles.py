from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext

from messaging import fragments
from messaging.skeletons import Skeleton

ARTICLE = Skeleton("messaging/_message.html", lambda article: {"article": article})


@dataclass(slots=True)
class Article:
    """What `_message.html` shows: a message as its reader sees it, around the cached fragment."""

    pk: str  # a string: an integer would be localised again in every row
    author: str
    initial: str
    tint: str
    is_mine: bool
    is_deleted: bool
    is_unread: bool
    is_accessed: bool
    is_target: bool
    access_url: str
    fragment: str

    @property
    def shape(self):
        return {
            "is_mine": self.is_mine,
            "is_deleted": self.is_deleted,
            "is_unread": self.is_unread,
            "is_accessed": self.is_accessed,
            "is_target": self.is_target,
        }

    @property
    def words(self):
        return {
            "pk": self.pk,
            "author": self.author,
            "initial": self.initial,
            "tint": self.tint,
            "access_url": self.access_url,
            "fragment": self.fragment,
        }

    @property
    def html(self):
        return ARTICLE.fill(self.shape, self.words)


def make_articles(nodes, viewer, names, *, unread=(), accessed=(), target=None):
    """Return the articles for `nodes` by primary key, their fragments found in one look-up.

    A node is anything with `pk`, `sender_id`, `revision` and `is_deleted`. `names` are those of the
    people who may have sent them, by id; whoever is not among them has left. `unread` are the ids
    to be shown as new, `accessed` those that the staff has read; `target` is the id of the one
    message that the page was opened at.
    """
    viewer_pk = viewer.pk  # once: a lazy user takes its time
    stamps = [(n.pk, n.revision, n.is_deleted, n.sender_id == viewer_pk) for n in nodes]
    found = fragments.message_fragments(stamps, viewer)
    articles = {}
    for node in nodes:
        if node.pk not in found:  # deleted since the list was read
            continue
        name = names.get(node.sender_id) or ""
        articles[node.pk] = Article(
            pk=str(node.pk),
            author=name or gettext("Deleted user"),
            initial=name[:1].upper(),
            tint=str((node.sender_id or 0) % 8),
            is_mine=node.sender_id == viewer_pk,
            is_deleted=node.is_deleted,
            is_unread=node.pk in unread,
            is_accessed=node.pk in accessed,
            is_target=node.pk == target,
            access_url=reverse("messaging:access", args=[node.pk]) if node.pk in accessed else "",
            fragment=found[node.pk],
        )
    return articles
