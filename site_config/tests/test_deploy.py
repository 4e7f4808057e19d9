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


def python(*arguments, file):
    """Run it in the project, with the settings of a file alone; return what it says."""
    ours = settings_read() - {"DATA_DIR"}
    known = {name: value for name, value in os.environ.items() if name not in ours}
    return subprocess.run(  # noqa: S603
        [sys.executable, *arguments],
        cwd=ROOT,
        env=known | {"ENV_FILE": str(file), "PYTHONHASHSEED": "0"},  # sets in one order
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_gunicorn_reads_the_file_of_settings_as_well(tmp_path):
    file = tmp_path / "env"
    file.write_text("PORT=9123\nWEB_CONCURRENCY=5\n")
    told = python("-m", "gunicorn", "--print-config", file=file)
    assert re.search(r"^bind +=.*127\.0\.0\.1:9123", told, re.MULTILINE)
    assert re.search(r"^workers += 5$", told, re.MULTILINE)


def test_a_setting_without_a_value_is_as_good_as_none(tmp_path):
    empty, none = tmp_path / "empty", tmp_path / "none"
    empty.write_text("".join(f"{name}=\n" for name in settings_read()))
    none.write_text("")
    settings = "manage.py", "diffsettings", "--all"
    assert python(*settings, file=empty) == python(*settings, file=none)
    assert re.search(
        r"^workers += 2$", python("-m", "gunicorn", "--print-config", file=empty), re.M
    )


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
