"""What people may type. Forms validate and read; sending and editing is the services' work."""

import unicodedata
import uuid

from django import forms
from django.contrib.auth import get_user_model
from django.urls import reverse, reverse_lazy
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from .models import Standing
from .models.access import REASON_MAX_LENGTH
from .models.message import CONTENT_MAX_LENGTH
from .text import write_wait

# Nothing is seen of these, although Unicode calls them letters, marks or symbols.
BLANK_LETTERS = set("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
BLANK_CATEGORIES = {"Cc", "Cf", "Zs", "Zl", "Zp"}
VARIATION_SELECTORS = [range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)]


def is_invisible(text):
    """Whether a reader would see nothing at all."""
    return all(
        character in BLANK_LETTERS
        or (unicodedata.category(character) in BLANK_CATEGORIES and character != "\0")
        or any(ord(character) in selectors for selectors in VARIATION_SELECTORS)
        for character in text
    )


class ContentField(forms.CharField):
    """The text of a message: 1 to 5000 characters, of which a reader sees at least one."""

    def __init__(self, **kwargs):
        attrs = {"rows": 4, "data-limit": str(CONTENT_MAX_LENGTH), "dir": "auto"}
        attrs["placeholder"] = " "  # a style sheet can tell by it whether anything was typed
        kwargs = {
            "label": _("Message"),
            "max_length": CONTENT_MAX_LENGTH,
            "widget": forms.Textarea(attrs),
        } | kwargs
        super().__init__(**kwargs)

    def to_python(self, value):
        # Browsers send each line break as two characters; we count, and keep, one.
        if isinstance(value, str):
            value = value.replace("\r\n", "\n").replace("\r", "\n")
        return super().to_python(value)

    def validate(self, value):
        super().validate("" if is_invisible(value) else value)

    def widget_attrs(self, widget):
        attrs = super().widget_attrs(widget)
        attrs.pop("maxlength", None)  # browsers count otherwise: an emoji twice
        return attrs


UNREACHABLE = _("This person can’t be written to any more.")


class MessageForm(forms.Form):
    """A text, and a hidden field that says which sending or which version is meant.

    When the hidden field is missing or broken, no one typed that: the form says so above itself and
    is shown again with a sound one.
    """

    content = ContentField()
    hidden_name = ""

    def full_clean(self):
        super().full_clean()
        if self.is_bound and self._errors.pop(self.hidden_name, None):
            self.add_error(None, _("This form was out of date. Please send it once more."))
            self.renew()

    def focus_first_error(self):
        """Let the browser put the caret where something is to be mended."""
        for name in self.errors:
            if name in self.fields:
                self.fields[name].widget.attrs["autofocus"] = True
                return

    def ask_to_wait(self, seconds):
        """Say that this was too often, and when to try again; nothing else is said about it."""
        self.errors.clear()
        wait = write_wait(seconds)
        self.add_error(
            None,
            _("That was a lot in a short time. Your text is safe: try again in %s.") % wait,
        )

    def refuse_receiver(self):
        """Say that nothing reaches this person any more, and not why."""
        self.add_error(None, UNREACHABLE)

    def renew(self):
        """Show the form again as if its hidden field had not been sent."""
        name = self.hidden_name
        self.data = self.data.copy()
        self.data[self.add_prefix(name)] = self.get_initial_for_field(self.fields[name], name)


class TokenForm(MessageForm):
    """Sends once: the same token a second time is the same message."""

    client_token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    hidden_name = "client_token"

    def refuse_token(self):
        """Say that this token has sent other words, and offer to send these as a new message."""
        self.add_error(
            None,
            _("This form has sent another message already. Send again to send this one as well."),
        )
        self.renew()

    def refuse_blocked(self, person, field=None):
        """Say that it is the writer who blocked this person, and where to change that."""
        self.add_error(field, blocked_notice(person.get_username()))


class ReplyForm(TokenForm):
    pass


class EditForm(MessageForm):
    """Carries the revision that the editor saw: give it as `initial`."""

    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1)
    hidden_name = "revision"


class ComposeForm(TokenForm):
    """`cleaned_data["to"]` is the person, and `standing` how the sender stands to them.

    Who can't be written to, and why, is not told apart.
    """

    to = forms.CharField(
        label=_("To"),
        widget=forms.TextInput(
            {
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "role": "combobox",
                "aria-autocomplete": "list",
                "aria-expanded": "false",
                "aria-controls": "to-suggestions",
                "hx-get": reverse_lazy("messaging:person-search"),
                "hx-trigger": "input changed delay:150ms",
                "hx-target": "#to-suggestions",
                "hx-swap": "innerHTML",
                "hx-sync": "this:replace",
            }
        ),
    )
    field_order = ["to", "content", "client_token"]
    NOBODY = _("There is nobody here by that name.")

    def __init__(self, *args, sender, **kwargs):
        super().__init__(*args, **kwargs)
        self.sender = sender

    def clean_to(self):
        person = find_person(self.cleaned_data["to"])
        if person == self.sender:
            raise forms.ValidationError(_("You can’t write to yourself."), code="self")
        # Asked of nobody as well: who blocked costs what a name costs that nobody has.
        self.standing = Standing.of(self.sender, person)
        if self.standing.has_blocked:
            raise forms.ValidationError(blocked_notice(person.get_username()), code="blocked")
        if not self.standing.is_reachable:
            raise forms.ValidationError(self.NOBODY, code="unknown")
        return person

    def refuse_receiver(self):
        """Say that this person went away after the form was found in order."""
        self.add_error("to", self.NOBODY)


class ReasonForm(forms.Form):
    """Why somebody of the staff wants to read what two others wrote."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=REASON_MAX_LENGTH,
        widget=forms.TextInput({"class": "vTextField"}),
        error_messages={"required": _("Please say why: it will be kept.")},
    )


def blocked_notice(name):
    """Return what who blocked somebody is told instead of writing to them."""
    return format_html(
        _('You have blocked {name}. <a href="{url}">Unblock</a> to write.'),
        name=name,
        url=reverse("messaging:block", args=[name]),
    )


def find_person(name):
    """Return whoever goes by this name, in any case of letters; None if nobody does."""
    if "\0" in name:  # PostgreSQL refuses even to look for it
        return None
    people = get_user_model()._default_manager
    try:
        return people.get_by_natural_key(name)
    except people.model.DoesNotExist:
        return None
