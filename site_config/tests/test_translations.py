"""Every string of ours is translated into every language, with all its plurals and placeholders."""

import os
import re
import shutil
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings
from django.core.management import call_command

LOCALES = Path(settings.LOCALE_PATHS[0])
LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%%?[a-z]+\b|<[^>]+>|&[a-z]+;")

pytestmark = pytest.mark.parametrize("language", LANGUAGES)


def catalogue(language, kind="po", directory=LOCALES):
    read = {"po": read_po, "mo": read_mo}[kind]
    with (directory / language / "LC_MESSAGES" / f"django.{kind}").open("rb") as file:
        return read(file) if kind == "mo" else read(file, locale=language)


def strings(found):
    """Return the translations of a catalogue, each as a tuple, by what they translate."""
    return {
        (message.context, frozen(message.id)): words(message.string)
        for message in found
        if message.id and not message.fuzzy
    }


def words(string):
    return (string,) if isinstance(string, str) else tuple(string)


def frozen(string):
    return string if isinstance(string, str) else tuple(string)


@pytest.fixture(scope="module")
def needed(tmp_path_factory):
    """What the code and the templates of today ask for."""
    if not shutil.which("xgettext"):
        reason = "GNU gettext is missing: apt-get install gettext"
        pytest.exit(reason, returncode=3) if os.environ.get("CI") else pytest.skip(reason)
    directory = tmp_path_factory.mktemp("locale")
    ignored = ["tests/*", "var/*", ".venv/*"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(settings.BASE_DIR)
        patch.setattr(settings, "LOCALE_PATHS", [str(directory)])
        call_command("makemessages", locale=["de"], ignore_patterns=ignored, verbosity=0)
    return set(strings(catalogue("de", directory=directory)))


def test_each_string_is_translated(needed, language):
    there = {key for key, found in strings(catalogue(language)).items() if all(found)}
    assert needed - there == set()


def test_nothing_is_kept_that_is_not_said_any_more(needed, language):
    assert set(strings(catalogue(language))) - needed == set()


def test_each_plural_of_the_language_is_there(language):
    found = catalogue(language)
    for message in found:
        if message.id and message.pluralizable:
            assert len(message.string) == found.num_plurals, message.id


def test_what_is_filled_in_stays_in_its_place(language):
    for (_, source), translations in strings(catalogue(language)).items():
        wanted = {found for each in words(source) for found in PLACEHOLDER.findall(each)}
        for translated in translations:
            found = set(PLACEHOLDER.findall(translated))
            # "One reply" needs no number; and nothing may be filled in that nobody gives.
            assert found == wanted or (len(translations) > 1 and found < wanted), translated


def test_what_is_compiled_is_what_was_translated(language):
    assert strings(catalogue(language, "mo")) == strings(catalogue(language))
