"""What a site needs before it starts in public."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = {
    "ALLOWED_HOSTS": "mail.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://mail.example.org",
    "EMAIL_URL": "smtp://localhost:25",
}
ASKED = (
    "DEBUG",
    "SECRET_KEY",
    "MESSAGING_THROTTLES",
    "DATABASE_URL",
    "DATABASE_TIMEOUT",
    "DATABASE_POOL",
    "REDIS_URL",
    "MONITOR_TOKEN",
    "SENTRY_DSN",
    *PUBLIC,
)


def start(tmp_path, code="pass", before="", **variables):
    """Load the settings in a process of its own, with these variables and no others of ours."""
    environment = {name: value for name, value in os.environ.items() if name not in ASKED}
    environment |= {"DATA_DIR": str(tmp_path / "data"), **variables}
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", f"{before}from site_config import settings; {code}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_starts_with_no_variable_at_all(tmp_path):
    done = start(tmp_path, "print(settings.IS_PUBLIC, settings.DEBUG)")
    assert done.stdout.split() == ["False", "False"], done.stderr


def test_it_starts_in_public_when_all_is_said(tmp_path):
    code = "print(settings.IS_PUBLIC, settings.SESSION_COOKIE_NAME, settings.SECURE_SSL_REDIRECT)"
    done = start(tmp_path, code, **PUBLIC)
    assert done.stdout.split() == ["True", "__Host-sessionid", "True"], done.stderr


@pytest.mark.parametrize("missing", ["CSRF_TRUSTED_ORIGINS", "EMAIL_URL"])
def test_half_configured_it_refuses_to_start_in_public(tmp_path, missing):
    done = start(tmp_path, **{name: value for name, value in PUBLIC.items() if name != missing})
    assert done.returncode != 0
    assert missing in done.stderr


@pytest.mark.parametrize(
    ("name", "value"), [("ALLOWED_HOSTS", "*"), ("MESSAGING_THROTTLES", "off")]
)
def test_it_refuses_what_a_public_site_must_not_do(tmp_path, name, value):
    done = start(tmp_path, **PUBLIC | {name: value})
    assert done.returncode != 0
    assert name in done.stderr


def test_who_may_sign_up_is_said_in_one_of_three_words(tmp_path):
    for word in ("open", "invitation", "closed"):
        assert start(tmp_path, ACCOUNT_SIGNUP=word).returncode == 0
    done = start(tmp_path, ACCOUNT_SIGNUP="off")
    assert done.returncode != 0
    assert "ACCOUNT_SIGNUP" in done.stderr


def test_a_public_site_takes_passkeys_over_tls_alone(tmp_path):
    code = "print(settings.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN)"
    assert start(tmp_path, code, **PUBLIC).stdout.split() == ["False"]
    assert start(tmp_path, code).stdout.split() == ["True"]


@pytest.mark.parametrize(
    ("value", "proxies"), [("off", 0), ("0", 0), ("on", 1), ("1", 1), ("2", 2)]
)
def test_so_many_proxies_are_believed_as_are_there(tmp_path, value, proxies):
    code = "print(settings.ALLAUTH_TRUSTED_PROXY_COUNT, 'SECURE_PROXY_SSL_HEADER' in dir(settings))"
    done = start(tmp_path, code, BEHIND_TLS_PROXY=value)
    assert done.stdout.split() == [str(proxies), str(bool(proxies))], done.stderr


def test_the_secret_key_is_made_once_and_for_its_owner_alone(tmp_path):
    first, second = (start(tmp_path, "print(settings.SECRET_KEY)").stdout for _ in range(2))
    assert len(first) > 50
    assert first == second
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o777 == 0o600


POSTGRES = {"DATABASE_URL": "postgres://parley:secret@db/parley?sslmode=require"}
DATABASE = "database = settings.DATABASES['default']; options = database['OPTIONS']; print"


def test_no_page_waits_for_long_for_postgresql(tmp_path):
    code = f"{DATABASE}(options['options'], options['sslmode'], database['CONN_HEALTH_CHECKS'])"
    done = start(tmp_path, code, **POSTGRES)
    assert "lock_timeout=4s -c statement_timeout=10s" in done.stdout, done.stderr
    assert done.stdout.split()[-2:] == ["require", "True"]


def test_a_pool_takes_the_place_of_connections_that_stay(tmp_path):
    code = f"{DATABASE}(options['pool']['max_size'], database['CONN_MAX_AGE'])"
    done = start(tmp_path, code, **POSTGRES, DATABASE_POOL="2")
    assert done.stdout.split() == ["2", "0"], done.stderr


@pytest.mark.parametrize(
    ("name", "package"), [("MONITOR_TOKEN", "prometheus-client"), ("SENTRY_DSN", "sentry-sdk")]
)
def test_it_says_which_package_a_setting_needs(tmp_path, name, package):
    without = "import importlib.util; importlib.util.find_spec = lambda name: None;"
    done = start(tmp_path, before=without, **{name: "https://key@localhost/1"})
    assert done.returncode != 0
    assert f"{name} needs {package}: pip install" in done.stderr


def test_a_token_that_can_be_guessed_opens_nothing_in_public(tmp_path):
    done = start(tmp_path, **PUBLIC, MONITOR_TOKEN="short")
    assert done.returncode != 0
    assert "MONITOR_TOKEN" in done.stderr
