"""What `manage.py check --deploy` says of a site beyond what Django looks at by itself.

Django speaks of DEBUG, hosts, a weak key, TLS and cookies; the settings refuse to start what must
never be. Here is the rest: what works, and may cost words, time or trust later on.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Info, Tags, Warning, register
from django.db import Error, connection

FIXED_SQLITE = 3, 51, 3  # before it, a rare race while the write-ahead log starts anew
NETWORKED = {"9p", "afs", "ceph", "cifs", "glusterfs", "lustre", "nfs", "nfs4", "smb3", "smbfs"}
NETWORKED |= {f"fuse.{name}" for name in ("glusterfs", "rclone", "s3fs", "sshfs")}
EMAIL_TO_NOBODY = {
    f"django.core.mail.backends.{name}.EmailBackend"
    for name in ("console", "dummy", "filebased", "locmem")
}


@register(Tags.security, deploy=True)
def database_is_safe(app_configs, **kwargs):
    if connection.vendor != "sqlite":
        return []
    name = str(connection.settings_dict["NAME"])
    return [*_sqlite_version(), *_sqlite_durability(), *_sqlite_place(name)]


def _sqlite_version():
    found = connection.Database.sqlite_version_info
    if found >= FIXED_SQLITE:
        return []
    return [
        Info(
            f"SQLite is {'.'.join(map(str, found))}; 3.51.3 mended a rare race in its log.",
            hint="A newer Python or system brings it; a site with many writers takes PostgreSQL.",
            id="parley.I001",
        )
    ]


def _sqlite_durability():
    try:
        journal, synchronous = _pragma("journal_mode"), _pragma("synchronous")
    except Error:  # no database yet, or none that can be opened: /readyz speaks of that
        return []
    found = []
    if journal != "wal":
        found.append(
            Warning(
                f"SQLite's journal mode is {journal!r}: while one writes, nobody can read.",
                hint="The settings ask for WAL, which needs a local disk and a writable directory.",
                id="parley.W001",
            )
        )
    if synchronous < 2:
        found.append(
            Info(
                "SQLite doesn't wait for the disk: the last messages are lost when power is.",
                hint="PRAGMA synchronous=FULL, as the settings have it, makes each one durable.",
                id="parley.I002",
            )
        )
    return found


def _pragma(name):
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return cursor.fetchone()[0]


def _sqlite_place(name):
    kind = file_system(name)
    if kind not in NETWORKED:
        return []
    return [
        Warning(
            f"The database is on a network file system ({kind}), where SQLite's locks don't hold.",
            hint="Put DATA_DIR on a local disk, or take PostgreSQL.",
            id="parley.W002",
        )
    ]


def file_system(path, mounts="/proc/mounts"):
    """Return the kind of the file system that holds `path`, or None where nobody knows."""
    path, found, kind = Path(path).resolve(), None, None
    if not Path(mounts).exists():
        return None
    for line in Path(mounts).read_text().splitlines():
        mount = Path(line.split()[1].replace("\\040", " "))
        if path.is_relative_to(mount) and (found is None or mount.is_relative_to(found)):
            found, kind = mount, line.split()[2]
    return kind


@register(Tags.security, deploy=True)
def cache_is_guarded(app_configs, **kwargs):
    if not settings.REDIS_URL:
        if int(os.environ.get("WEB_CONCURRENCY", "2")) < 2:
            return []
        return [
            Info(
                "Each process keeps a cache of its own: pages are right, but built once in each.",
                hint="REDIS_URL gives them one to share.",
                id="parley.I003",
            )
        ]
    address = urlsplit(settings.REDIS_URL)
    if address.password or "password=" in address.query:
        return []
    is_near = address.scheme == "unix" or address.hostname in ("127.0.0.1", "localhost", "::1")
    kind, number = (Info, "I004") if is_near else (Warning, "W003")
    return [
        kind(
            "Redis asks for no password: whoever reaches it reads pages, and puts others there.",
            hint="Give it one (requirepass) and say it: REDIS_URL=redis://:password@host/0.",
            id=f"parley.{number}",
        )
    ]


@register(Tags.security, deploy=True)
def site_is_ready_for_the_public(app_configs, **kwargs):
    found = []
    if not settings.IS_PUBLIC:
        found.append(
            Warning(
                "The site is not public: TLS, secure cookies and HSTS are off.",
                hint="ALLOWED_HOSTS names the hosts that it answers to; DEBUG must be off.",
                id="parley.W004",
            )
        )
    elif not settings.ALLAUTH_TRUSTED_PROXY_COUNT:
        found.append(
            Warning(
                "Nobody says whether a request came by TLS: browsers are redirected in circles.",
                hint="BEHIND_TLS_PROXY=on, with a proxy that overwrites X-Forwarded-Proto.",
                id="parley.W005",
            )
        )
    if settings.EMAIL_BACKEND in EMAIL_TO_NOBODY:
        found.append(
            Warning(
                "E-mail goes to no mail server: nobody can reset a password.",
                hint="EMAIL_URL=smtp+tls://user:password@host:587",
                id="parley.W006",
            )
        )
    if not settings.MESSAGING_THROTTLES:
        found.append(
            Warning(
                "MESSAGING_THROTTLES is off: passwords can be guessed as fast as the machine goes.",
                hint="It is for load tests.",
                id="parley.W007",
            )
        )
    return found


@register(Tags.security, deploy=True)
def data_is_for_its_owner(app_configs, **kwargs):
    if not settings.DATA_DIR.stat().st_mode & 0o007:
        return []
    return [
        Info(
            f"Other users of this machine can look into {settings.DATA_DIR}.",
            hint=f"chmod 700 {settings.DATA_DIR}",
            id="parley.I005",
        )
    ]
