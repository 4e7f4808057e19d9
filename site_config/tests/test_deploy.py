"""The files for a public host know the settings, all of them and no others."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OF_COMPOSE = {"SITE_HOST", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}


def settings_read():
    """Return the names of the variables that the settings and gunicorn's read."""
    return {
        name
        for file in ("site_config/settings.py", "gunicorn.conf.py")
        for name in re.findall(
            r'env(?:iron\.get|\.\w+)?\(\s*["\']([A-Z_]+)["\']', (ROOT / file).read_text()
        )
    }


def test_the_example_of_an_environment_names_every_setting():
    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named - OF_COMPOSE == settings_read()


def test_the_readme_names_every_setting():
    table = (ROOT / "README.md").read_text().partition("## Settings")[2].partition("\n## ")[0]
    assert settings_read() <= set(re.findall(r"`([A-Z_]+)", table))


@pytest.mark.parametrize("name", sorted(OF_COMPOSE))
def test_compose_asks_for_what_the_example_names(name):
    assert f"${{{name}" in (ROOT / "compose.yaml").read_text()
