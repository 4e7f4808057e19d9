"""The facts in SECURITY.md, taken from a site with public settings.

python -m site_config.tests.security_facts          prints them
python -m site_config.tests.security_facts --write  puts them into the page
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "SECURITY.md"
BLOCK = re.compile(r"(?<=<!-- facts -->\n).*?(?=<!-- /facts -->)", re.DOTALL)
HOST = "mail.example.org"
PUBLIC = {
    "ALLOWED_HOSTS": HOST,
    "CSRF_TRUSTED_ORIGINS": f"https://{HOST}",
    "EMAIL_URL": "smtp://localhost:25",
    "BEHIND_TLS_PROXY": "on",
}
OF_ONE_ANSWER = {"Content-Length", "Content-Type", "Expires", "Set-Cookie"}
UNITS = (24 * 60 * 60, "day"), (60 * 60, "hour"), (60, "minute"), (1, "second")


def facts():
    """Return the block, from a process of its own that has no other settings than a public site."""
    with tempfile.TemporaryDirectory() as directory:
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            [sys.executable, "-m", "site_config.tests.security_facts", "--here"],
            cwd=ROOT,
            env=kept | PUBLIC | {"DATA_DIR": directory},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return done.stdout


def _write_facts():
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_config.settings")
    django.setup()
    yield "What every page of a public site is sent with:\n"
    yield from _table(("header", "value"), _headers())
    yield "\nIts cookies, each a random key:\n"
    yield from _table(("cookie", "Secure", "HttpOnly", "SameSite", "lives for"), _cookies())
    yield "\nHow much, and how often; over it the answer is 400, 422 or 429:\n"
    yield from _table(("what", "limit"), [*_sizes(), *_rates()])


def _table(names, rows):
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(str(word).replace('|', '&#124;') for word in row)} |"


def _headers():
    from django.conf import settings
    from django.test import Client

    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"  # nothing is collected here
    )
    answer = Client(headers={"Host": HOST}).get("/accounts/login/", secure=True)
    for name, value in sorted(answer.items()):
        if name not in OF_ONE_ANSWER:
            yield name, f"`{_in_order(value) if name == 'Content-Security-Policy' else value}`"


def _in_order(policy):
    return "; ".join(sorted(policy.split("; ")))


def _cookies():
    from django.conf import settings

    for kind in ("SESSION", "CSRF"):
        said = {
            word: getattr(settings, f"{kind}_COOKIE_{word}")
            for word in ("NAME", "SECURE", "HTTPONLY", "SAMESITE", "AGE")
        }
        flags = ["yes" if said[word] else "no" for word in ("SECURE", "HTTPONLY")]
        yield f"`{said['NAME']}`", *flags, said["SAMESITE"], _span(said["AGE"])


def _sizes():
    from django.conf import settings

    from messaging.models.message import CONTENT_MAX_LENGTH

    yield "characters in a message", f"{CONTENT_MAX_LENGTH:,}"
    yield "bytes in a form", f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE:,}"
    yield "fields in a form", settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    yield "a link to reset a password", _span(settings.PASSWORD_RESET_TIMEOUT)


def _rates():
    from messaging import throttles
    from site_config.accounts import throttles as of_accounts

    limits = {
        limit.name: limit
        for module in (throttles, of_accounts)
        for limit in vars(module).values()
        if isinstance(limit, throttles.Limit)
    }
    for name, limit in sorted(limits.items()):
        yield name, " and ".join(f"{rate.number} in {_span(rate.seconds)}" for rate in limit.rates)


def _span(seconds):
    """Return "3 hours" for 10,800, in the largest unit that goes into it."""
    size, unit = next((size, unit) for size, unit in UNITS if seconds % size == 0)
    number = seconds // size
    return f"{number} {unit}{'s' if number > 1 else ''}"


def main(arguments):
    if arguments == ["--here"]:
        sys.stdout.writelines(f"{line}\n" for line in _write_facts())
    elif arguments == ["--write"]:
        found = facts()
        PAGE.write_text(BLOCK.sub(lambda match: found, PAGE.read_text()))
    else:
        sys.stdout.write(facts())


if __name__ == "__main__":
    main(sys.argv[1:])
