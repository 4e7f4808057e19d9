"""What a user name may be, and when two of them look alike.

A name is 3 to 32 characters, starts with a letter, and is made of the letters of one script, the
digits 0-9 and . _ - alone. Its `key` is what it looks like: names with one key are one name, to
sign in with and to sign up with.
"""

import unicodedata
from functools import cache

from confusable_homoglyphs import categories, confusables
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

SHORTEST, LONGEST = 3, 32
MOST_READ = 320  # characters of what is typed for a name: an e-mail address has no more
DIGITS = frozenset("0123456789")
SIGNS = frozenset("._-")

# Letters by their category, and yet nothing to see: the Hangul fillers.
INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0")

# Writing systems of more than one script (UTS 39, augmented script sets).
SCRIPT_MIXES = [
    {"HAN", "HIRAGANA", "KATAKANA"},
    {"HAN", "HANGUL"},
    {"HAN", "BOPOMOFO"},
]

# Addresses of the site, and names that would speak for it. Only a superuser may have one.
RESERVED_WORDS = """
abuse account accounts admin administrator all anonymous api conversation deleted deleted.user
everyone guest healthz help home hostmaster inbox info login logout me message messages mod
moderator new nobody noreply no-reply none notification notifications null official operator
owner parley people postmaster readyz root search security settings sign-in sign-out sign-up
signin signout signup staff static superuser support system undefined unknown user webmaster you
"""
RESERVED = frozenset(RESERVED_WORDS.split())

# Names ignore case: a capital I, which looks like an l, has become an i where keys are made.
STROKES = str.maketrans(dict.fromkeys("i1|", "l"))


def check_shape(name):
    """Raise ValidationError unless `name` is one that a person can have."""
    if not SHORTEST <= len(name) <= LONGEST:
        raise ValidationError(
            _("A name has %(shortest)d to %(longest)d characters."),
            code="length",
            params={"shortest": SHORTEST, "longest": LONGEST},
        )
    if name != unicodedata.normalize("NFKC", name) or not all(map(_is_allowed, name)):
        raise ValidationError(
            _("A name is made of letters, the digits 0-9, dots, hyphens and underscores."),
            code="characters",
        )
    if not name[0].isalpha():
        raise ValidationError(_("A name starts with a letter."), code="start")
    if not _is_one_script(name):
        raise ValidationError(
            _("Please use the letters of one alphabet: across two, they look alike."),
            code="script",
        )


def check_not_reserved(name, *, is_superuser=False):
    """Raise ValidationError if `name` is, or looks like, one that the site keeps for itself."""
    if is_superuser and name.casefold() in RESERVED:
        return
    if key(name) in _reserved_keys():
        raise ValidationError(_("This name is reserved. Please choose another."), code="reserved")


def key(name):
    """Return what `name` looks like: the same for two names that a reader could mistake."""
    # The time that `normalize` takes grows with the square of a row of accents.
    folded = unicodedata.normalize("NFKC", name[:MOST_READ].casefold())
    looks = "".join(map(_look, unicodedata.normalize("NFD", folded)))
    return unicodedata.normalize("NFKC", looks.casefold()).translate(STROKES)


@cache
def _reserved_keys():
    return frozenset(map(key, RESERVED))


def _is_allowed(character):
    if character in DIGITS or character in SIGNS:
        return True
    return unicodedata.category(character).startswith("L") and character not in INVISIBLE


def _is_one_script(name):
    scripts = {categories.alias(character) for character in name} - {"COMMON"}
    return len(scripts) == 1 or any(scripts <= mix for mix in SCRIPT_MIXES)


def _look(character):
    return _looks().get(character, character)


@cache
def _looks():
    """Map each character that looks like another to the one that stands for them all.

    The library tells it both ways round. In Unicode's table every group is a star, so the one with
    the most neighbours is its centre; between two equals any will do, if it is always the same.
    """
    likes = {
        character: [other["c"].strip("\u200e") for other in others]
        for character, others in confusables.confusables_data.items()
    }
    looks = {}
    for character, others in likes.items():
        if len(character) == 1:
            looks[character] = max(
                [character, *others],
                key=lambda other: (len(likes.get(other, ())), len(other), other),
            )
    return looks
