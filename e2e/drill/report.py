"""The table of what was tried: on the screen, and in deploy/FAULTS.md."""

import platform
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime

import django

from e2e.server import ROOT

from . import postgres

PLACE = ROOT / "deploy" / "FAULTS.md"
BEGIN, END = "<!-- drill: begin -->", "<!-- drill: end -->"
SHAPES = {"sqlite": "SQLite", "servers": "PostgreSQL, Redis"}


def write(outcomes, *, is_short):
    """Put the table between its two marks in the document."""
    text = PLACE.read_text()
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    PLACE.write_text(f"{before}{BEGIN}\n{_table(outcomes, is_short)}\n{END}{after}")


def _table(outcomes, is_short):
    kind = "short" if is_short else "full"
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    lines = [
        f"{date}, {kind} run: {_versions()}.",
        "",
        "| # | fault | what is done | what must hold | where | measured | |",
        "|---|---|---|---|---|---|---|",
    ]
    for outcome in outcomes:
        fault = outcome.fault
        cells = [
            fault.number,
            fault.name,
            fault.injection,
            fault.bar,
            SHAPES.get(outcome.shape, outcome.shape),
            outcome.measured,
            outcome.state,
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _versions():
    found = [
        f"Python {platform.python_version()}",
        f"Django {django.get_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        _version_of(postgres.program("postgres"), "--version"),
        _version_of(shutil.which("redis-server"), "--version"),
    ]
    return ", ".join(filter(None, found))


def _version_of(program, option):
    if not program:
        return ""
    said = subprocess.run([program, option], capture_output=True, text=True, check=False).stdout
    words = said.replace("v=", "").split()
    if "redis" in said.lower():
        return f"Redis {words[2]}"
    return f"PostgreSQL {words[2]}"
