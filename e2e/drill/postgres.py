"""A PostgreSQL of one's own, to do to it what nobody would do to a shared one."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg

from e2e.server import free_port

PLACES = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *os.get_exec_path()]
OWNER = "postgres"  # PostgreSQL won't run as root


def program(name):
    """Return the path of one of its programs; None if it isn't installed."""
    return shutil.which(name, path=os.pathsep.join(map(str, PLACES)))


def why_not():
    """Say why none can be started here; an empty text if one can."""
    if not (program("initdb") and program("pg_ctl")):
        return "PostgreSQL isn't installed (initdb, pg_ctl)"
    if os.geteuid() == 0 and not _has_owner():
        return f"as root, PostgreSQL needs a user {OWNER} to run as"
    return ""


class PostgresServer:
    def __init__(self):
        self._directory = tempfile.mkdtemp(prefix="drill-postgres-")
        self._as_owner = {}
        if os.geteuid() == 0:
            self._as_owner = {"user": OWNER, "group": OWNER, "extra_groups": []}
            shutil.chown(self._directory, OWNER, OWNER)
        self._data = f"{self._directory}/data"
        self.port = free_port()
        self.address = f"postgres://{OWNER}@127.0.0.1:{self.port}/postgres"
        self._run("initdb", "-D", self._data, "-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-sync")
        self._ctl("start")

    def restart(self):
        """Break off whatever is going on, and start again."""
        self._ctl("restart", "-m", "fast")

    def stop(self):
        self._ctl("stop", "-m", "immediate")
        shutil.rmtree(self._directory)

    def connect(self):
        return psycopg.connect(self.address, autocommit=True)

    @property
    def pid(self):
        return int(Path(self._data, "postmaster.pid").read_text().split()[0])

    def _ctl(self, deed, *options):
        settings = f"-h 127.0.0.1 -p {self.port} -k {self._directory}"
        log = f"{self._directory}/log"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", log, "-o", settings, *options, deed)

    def _run(self, name, *words):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        command = [program(name), *words]
        subprocess.run(command, check=True, cwd="/", **quiet, **self._as_owner)


def _has_owner():
    try:
        return pwd.getpwnam(OWNER)
    except KeyError:
        return None
