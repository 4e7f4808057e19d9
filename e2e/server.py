"""Parley as it is served in earnest: gunicorn in its own processes over its own data."""

import fcntl
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN = 60  # seconds: on a machine that is busy with all else
STATIC = ROOT / "var" / "test" / "static"  # kept between runs: collecting takes its time


class Server:
    """A site in `data_dir`; `start` and `stop` as often as a journey likes, always on one port."""

    def __init__(self, data_dir, *, root=ROOT, **environment):
        self.data_dir, self.root = data_dir, root
        self.database = data_dir / "parley.sqlite3"
        self.log = data_dir / "server.log"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = _inherited() | {
            "DJANGO_SETTINGS_MODULE": "e2e.settings",
            "ENV_FILE": os.devnull,
            "DATA_DIR": str(data_dir),
            "DATABASE_URL": f"sqlite:///{self.database}",
            "REDIS_URL": "",
            "DEBUG": "off",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",  # a passkey belongs to a name
            "MESSAGING_THROTTLES": "off",
            "PORT": str(self.port),
        }
        self._environment |= environment
        self._process = None

    def prepare(self):
        """Make the database and collect the static files, as `make run` does."""
        STATIC.mkdir(parents=True, exist_ok=True)
        (self.data_dir / "static").symlink_to(STATIC)
        with _one_at_a_time():
            if not _is_collected():
                self.manage("collectstatic", "--noinput", "--clear", "--verbosity", "0")
        self.manage("migrate", "--noinput", "--verbosity", "0")

    def start(self):
        if self._process:
            return
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn"],
                cwd=self.root,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # what is done to all of its processes is not done to us
            )
        self._wait_until_ready()

    def stop(self):
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=READY_WITHIN)
            self._process = None

    @contextmanager
    def beside(self, **environment):
        """Have a second server over the same data, with other settings; yields its address."""
        other = Server(self.data_dir, root=self.root)
        other._environment = self._environment | environment | {"PORT": str(other.port)}
        other.start()
        try:
            yield other.url
        finally:
            other.stop()

    def manage(self, *arguments, check=True, cwd=None):
        """Run a command of `manage.py` with the settings of the site; return what it said."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=cwd or self.root,
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
        )
        if check and done.returncode:
            raise RuntimeError(f"{' '.join(arguments)}:\n{done.stderr}")
        return done

    def _wait_until_ready(self):
        give_up_at = time.monotonic() + READY_WITHIN
        while time.monotonic() < give_up_at:
            try:
                urllib.request.urlopen(f"{self.url}/healthz", timeout=1).close()
            except (URLError, ConnectionError, TimeoutError):
                time.sleep(0.05)
            else:
                return
        raise TimeoutError(f"Parley did not start:\n{self.log.read_text()[-2000:]}")


@contextmanager
def _one_at_a_time():
    """Hold back other processes: of the tests that run at once, one collects for all."""
    with (STATIC.parent / "static.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed
        yield


def _is_collected():
    manifest = STATIC / "staticfiles.json"
    sources = [ROOT / "requirements.txt", *(ROOT / "static").rglob("*")]
    newest = max(source.stat().st_mtime for source in sources)
    return manifest.exists() and manifest.stat().st_mtime > newest


def _inherited():
    """Return what the server may know of this process: no setting of a site, nor of Django."""
    kept = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
