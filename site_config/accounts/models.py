from hashlib import sha256

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from site_config.accounts import names


class PeopleManager(UserManager):
    def get_by_natural_key(self, username):
        """Find a person by a name that looks like theirs: case never matters."""
        return self.get(username_key=names.key(username))

    def bulk_create(self, objs, **kwargs):
        """As Django's, which sends no signal: the rules of names hold here too."""
        objs = list(objs)
        for user in objs:
            user.fill_username_key()
        return super().bulk_create(objs, **kwargs)


class Theme(models.TextChoices):
    SYSTEM = "system", _("Like the device")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class User(AbstractUser):
    username = models.CharField(
        _("name"),
        max_length=names.LONGEST,
        unique=True,
        validators=[names.check_shape],
        help_text=_("3 to 32 letters, digits, dots, hyphens or underscores."),
        error_messages={"unique": _("This name is taken.")},
    )
    username_key = models.CharField(max_length=255, unique=True, editable=False)
    language = models.CharField(_("language"), max_length=10, blank=True, default="", db_default="")
    theme = models.CharField(
        _("look"),
        max_length=6,
        choices=Theme.choices,
        default=Theme.SYSTEM,
        db_default=Theme.SYSTEM,
    )
    session_version = models.PositiveIntegerField(default=1, editable=False)

    objects = PeopleManager()

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(username_key=""), name="accounts_user_has_key"
            ),
            models.UniqueConstraint(
                Lower("email"),
                condition=~models.Q(email=""),
                name="accounts_user_email_unique",
                violation_error_message=_("Someone here has this e-mail address already."),
            ),
        ]

    def clean(self):
        super().clean()
        if self.username:
            self.check_name(self.username)

    def save(self, *args, update_fields=None, **kwargs):
        """Save; a new name together with the versions that tell it, or not at all.

        The name that it takes the place of is kept for this person. Who is no more isn't made
        again: without the row, Django would insert one.
        """
        if not self._state.adding and not kwargs.get("force_insert"):
            kwargs["force_update"] = True
        if update_fields is not None and "username" not in update_fields:
            super().save(*args, update_fields=update_fields, **kwargs)
            return
        if update_fields is not None:
            update_fields = {*update_fields, "username_key"}
        with transaction.atomic():
            keys = User.objects.filter(pk=self.pk).values_list("username_key", flat=True)
            former = keys.first()
            super().save(*args, update_fields=update_fields, **kwargs)
            if former not in (None, self.username_key):
                # Last: a row that names this person takes a lock that the write before waits for.
                ReservedName.objects.keep_for(self, former)

    def fill_username_key(self):
        """Set the key that goes with the name; raise ValidationError if it can't be had."""
        self.username_key = self.check_name(self.username)

    def check_name(self, name):
        """Return the key of `name`; raise ValidationError unless this person may have it."""
        names.check_shape(name)
        key = names.key(name)
        if self._state.adding or key != self.username_key:
            names.check_not_reserved(name, is_superuser=self.is_superuser)
            others = User.objects.exclude(pk=self.pk).filter(username_key=key)
            if others.exists() or ReservedName.objects.holds(key, against=self):
                raise ValidationError(_("This name, or one like it, is taken."), code="taken")
        return key

    def _get_session_auth_hash(self, secret=None):
        # With the version inside, raising it ends every session of the person.
        return salted_hmac(
            "site_config.accounts.models.User.session",
            f"{self.session_version}:{self.password}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()


class ReservedNameQuerySet(models.QuerySet):
    KEPT = 3  # former names of a person: enough for old links, and nobody collects them

    def holds(self, key, *, against):
        """Tell whether this name is kept, and not for the person who asks for it."""
        secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        rows = self.filter(digest__in=[_digest(key, secret) for secret in secrets])
        return any(row.person_id is None or row.person_id != against.pk for row in rows)

    def reserve(self, key, **fields):
        self.update_or_create(digest=_digest(key, settings.SECRET_KEY), defaults=fields)

    def keep_for(self, person, key):
        """Keep the name that `person` has just had, and let go of the oldest of theirs."""
        own = self.filter(person=person)
        present = [_digest(name, settings.SECRET_KEY) for name in (key, person.username_key)]
        own.filter(digest__in=present).delete()
        self.reserve(key, person=person)
        newest = own.order_by("-pk").values_list("pk", flat=True)
        own.exclude(pk__in=list(newest[: self.KEPT])).delete()


class ReservedName(models.Model):
    """A name that someone had who left, or has another now. It can be told again, and not spelt."""

    digest = models.CharField(max_length=64, unique=True)
    # Who may have it back; nobody once they have left.
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="former_names"
    )

    objects = ReservedNameQuerySet.as_manager()

    def __str__(self):
        return self.digest[:8]


class Erasure(models.Model):
    """That an account left, for a backup from before: see `accounts.erasures`. It names nobody."""

    user_id = models.BigIntegerField()  # no foreign key: who it was is gone
    digest = models.CharField(max_length=64, unique=True)
    erased_at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return self.digest[:8]


def _digest(key, secret):
    salt = "site_config.accounts.models.ReservedName"
    return salted_hmac(salt, key, secret=secret, algorithm="sha256").hexdigest()


class InvitationQuerySet(models.QuerySet):
    def open(self):
        return self.filter(expires_at__gt=timezone.now())

    def find(self, token):
        """Return the invitation that this is the secret of, or None."""
        return self.open().filter(digest=Invitation.make_digest(token)).first()


class Invitation(models.Model):
    """Leave for somebody to sign up, once. To use it is to delete it, and so is to take it back.

    Its secret is in the link alone: the row can tell that secret again, and not spell it.
    """

    digest = models.CharField(max_length=64, unique=True, editable=False)
    email = models.EmailField(
        _("e-mail"), blank=True, help_text=_("Who signs up has this address; empty: any.")
    )
    expires_at = models.DateTimeField(_("good until"))
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("made by"),
    )

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")

    def __str__(self):
        return self.digest[:8]  # the admin's log keeps it: no address

    @staticmethod
    def make_digest(token):
        return sha256(token.encode()).hexdigest()


def invitation_token(request):
    """Return the secret that came with the link, or with the form behind it."""
    return request.POST.get("invitation") or request.GET.get("invitation", "")
