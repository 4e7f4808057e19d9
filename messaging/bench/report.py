"""The results of a run: printed, and written as JSON and Markdown."""

import json
import platform
from dataclasses import dataclass, field

import django
from django.conf import settings
from django.db import connection
from django.utils import timezone

HEAD = ("work", "cost", "bar", "queries", "kB", "cache", "for comparison")
LOAD_HEAD = ("over loopback", "requests a second", "of the floor’s", "95 of 100 within")
PEER_HEAD = ("beside it, with the same data", "cost, its own F", "CPU time", "kB")
VERSION_SQL = {
    "sqlite": "SELECT sqlite_version()",
    "postgresql": "SELECT current_setting('server_version')",
}


@dataclass
class Line:
    """One line of the table, and where it falls short."""

    work: object
    figures: object
    failures: list = field(default_factory=list)

    def cells(self):
        figures, work = self.figures, self.work
        asked = figures.hits + figures.misses
        return (
            work.name,
            f"{figures.ratio:.1f} F",
            _bar(work) + (" **missed**" if self.failures else ""),
            str(figures.queries),
            f"{figures.kilobytes:.0f}" if figures.kilobytes else f"{figures.weight / 1000:.2f}",
            f"{figures.hits} of {asked}" if asked else "",
            work.peers,
        )


def judge(works, figures, smaller=None):
    """Return a line for each work; `smaller` are the ratios of the same works with less data."""
    ratios = {name: found.ratio for name, found in figures.items()}
    return [
        Line(work, figures[work.name], _failures(work, figures, ratios, smaller or {}))
        for work in works
    ]


def _failures(work, figures, ratios, smaller):
    found = figures[work.name]
    limits = [
        ("F", found.ratio, work.bar),
        ("queries", found.queries, work.queries),
        ("bytes", found.weight, work.weight),
        ("kB", found.kilobytes, work.kilobytes),
    ]
    other, times = work.like or ("", None)
    if other in ratios:
        limits.append((f"times “{other}”", found.ratio / ratios[other], times))
    if work.name in smaller:
        limits.append(("times the cost with less data", found.ratio / smaller[work.name], 1.2))
    return [
        f"{work.name}: {value:.4g} {unit} instead of {limit}"
        for unit, value, limit in limits
        if limit is not None and value > limit
    ]


def _bar(work):
    if work.bar:
        return f"≤ {work.bar} F"
    return f"≤ {work.like[1]} × {work.like[0]}" if work.like else ""


def versions():
    """Say what was measured on: versions, and nothing of the machine."""
    with connection.cursor() as cursor:
        cursor.execute(VERSION_SQL[connection.vendor])
        database = f"{connection.display_name} {cursor.fetchone()[0].split()[0]}"
    has_redis = "redis" in settings.CACHES["default"]["BACKEND"]
    return {
        "date": timezone.localdate().isoformat(),
        "python": platform.python_version(),
        "django": django.__version__,
        "database": database,
        "cache": "Redis" if has_redis else "memory of the process",
    }


def as_json(about, lines):
    works = {line.work.name: line.figures.as_dict() | {"failures": line.failures} for line in lines}
    return json.dumps(about | {"works": works}, indent=1)


def as_markdown(about, lines):
    tables = ([row, ("---",) * len(row), *rest] for row, *rest in _tables(about, lines))
    written = ("\n".join(f"| {' | '.join(row)} |" for row in table) for table in tables)
    return "\n\n".join([_about(about), *written]) + "\n"


def as_text(about, lines):
    return "\n\n".join([_about(about), *map(_align, _tables(about, lines))])


def _align(table):
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in table)


def _tables(about, lines):
    yield [HEAD, *(line.cells() for line in lines)]
    if about["loads"]:
        yield [LOAD_HEAD, *map(_load_cells, about["loads"])]
    if about["peers"]:
        yield [PEER_HEAD, *map(_peer_cells, about["peers"])]


def _load_cells(load):
    return (
        load["name"],
        f"{load['rate']:.0f}/s",
        f"1 / {load['ratio']:.1f}",
        f"{load['p95'] * 1000:.0f} ms",
    )


def _peer_cells(peer):
    return (
        peer["name"],
        f"{peer['ratio']:.0f} F",
        f"{peer['milliseconds']:.0f} ms",
        f"{peer['kilobytes']:.0f}",
    )


def _about(about):
    return (
        f"{about['date']}: Python {about['python']}, Django {about['django']}, "
        f"{about['database']}, cache: {about['cache']}; {about['messages']:,} messages. "
        f"F is {about['floor']:.1f} ms of CPU time (spread {about['spread']:.0%})."
    )
