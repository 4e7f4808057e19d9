"""The files for a public host know the settings, all of them and no others."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OF_TESTS = {"ENV_FILE"}  # which names another file than .env
OF_COMPOSE = {"SITE_HOST", "POSTGRES_PASSWORD", "REDIS_PASSWORD"}


def settings_read():
    """Return the names of the variables that the settings and gunicorn's read."""
    found = {
        name
        for file in ("site_config/settings.py", "gunicorn.conf.py")
        for name in re.findall(
            r'env(?:iron\.get|\.\w+)?\(\s*["\']([A-Z_]+)["\']', (ROOT / file).read_text()
        )
    }
    return found - OF_TESTS


def test_the_example_of_an_environment_names_every_setting():
    named = set(re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named - OF_COMPOSE == settings_read()


def test_the_readme_names_every_setting():
    table = (ROOT / "README.md").read_text().partition("## Settings")[2].partition("\n## ")[0]
    assert settings_read() <= set(re.findall(r"`([A-Z_]+)", table))


def test_gunicorn_reads_the_file_of_settings_as_well(tmp_path):
    file = tmp_path / "env"
    file.write_text("PORT=9123\nWEB_CONCURRENCY=5\n")
    known = {name: value for name, value in os.environ.items() if name != "PORT"}
    told = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--print-config"],
        cwd=ROOT,
        env=known | {"ENV_FILE": str(file)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert re.search(r"^bind +=.*127\.0\.0\.1:9123", told, re.MULTILINE)
    assert re.search(r"^workers += 5$", told, re.MULTILINE)


@pytest.mark.parametrize("name", sorted(OF_COMPOSE))
def test_compose_asks_for_what_the_example_names(name):
    assert f"${{{name}" in (ROOT / "compose.yaml").read_text()


def test_the_container_brings_the_pg_dump_of_the_database_beside_it():
    asked = re.search(r"^ARG POSTGRESQL=(\d+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert f"image: postgres:{asked[1]}-" in (ROOT / "compose.yaml").read_text()


def test_a_backup_is_shut_in_as_the_site_is():
    def walls(unit):
        text = (ROOT / "deploy" / unit).read_text()
        return set(re.findall(r"^(?:Protect|Private|Restrict|NoNew|System|Memory).*", text, re.M))

    assert walls("parley-backup.service") == walls("parley.service")
