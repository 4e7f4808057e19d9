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
BEGIN, END = "<!-- drill -->", "<!-- /drill -->"
SHAPES = {"sqlite": "SQLite", "servers": "PostgreSQL, Redis"}
HEAD = ["#", "fault", "what is done", "what must hold", "where", "measured", "", "when"]


def write(outcomes, *, is_short):
    """Put the rows of these outcomes into the table between its two marks; others stay."""
    text = PLACE.read_text()
    before, rest = text.split(BEGIN)
    table, after = rest.split(END)
    rows = {_key(row): row for row in map(_cells, table.splitlines()) if row and row[0][:1] == "F"}
    rows |= {_key(row): row for row in (_row(outcome, is_short) for outcome in outcomes)}
    lines = [HEAD, ["---"] * len(HEAD), *sorted(rows.values(), key=_key)]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    PLACE.write_text(f"{before}{BEGIN}\nWith {_versions()}.\n\n{table}\n{END}{after}")


def _row(outcome, is_short):
    fault, date = outcome.fault, datetime.now(UTC).strftime("%Y-%m-%d")
    when = f"{date}, short" if is_short else date
    words = [fault.number, fault.name, fault.injection, fault.bar, SHAPES[outcome.shape]]
    words += [outcome.measured, f"**{outcome.state}**", when]
    return [" ".join(word.replace("|", "/").split()) for word in words]


def _cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _key(row):
    return int(row[0].removeprefix("F")), row[4] != SHAPES["sqlite"]


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
