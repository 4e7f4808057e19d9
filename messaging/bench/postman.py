"""django-postman with the same people and messages, in an environment of its own."""

import json
import subprocess
import sys
from pathlib import Path

import django

from messaging.models import Message

PACKAGE = "django-postman==4.6.0"
SITE = Path(__file__).with_name("postman_site.py")
MOST_SECONDS = 300


def run(folder, scene, say):
    """Return lines of the table for django-postman; none, with a word, where it can't be had."""
    python = folder / "postman-venv" / "bin" / "python"
    try:
        _install(folder, python)
    except (subprocess.SubprocessError, OSError):
        say(f"Skipped: {PACKAGE} could not be installed (no way to PyPI?).")
        return []
    data = folder / "postman.json"
    data.write_text(json.dumps(_export(scene)))
    # -P: the names of this folder are not its own.
    command = [python, "-P", "-W", "ignore", SITE, data]
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False
    )
    if done.returncode:
        say(f"Skipped: {PACKAGE} failed.\n{done.stderr[-2000:]}")
        return []
    return json.loads(done.stdout)


def _install(folder, python):
    quiet = {"check": True, "capture_output": True, "timeout": MOST_SECONDS}
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder / "postman-venv"], **quiet)  # noqa: S603
    packages = [PACKAGE, f"Django=={django.__version__}"]
    subprocess.run([python, "-m", "pip", "install", "-q", *packages], **quiet)  # noqa: S603


def _export(scene):
    columns = ("pk", "sender", "receiver", "content", "parent_message", "thread", "timestamp")
    rows = Message.objects.for_user(scene.me).order_by("pk").values_list(*columns)
    return {
        "me": scene.me.pk,
        "two_hundred": scene.two_hundred,
        "messages": [(*row[:-1], row[-1].isoformat()) for row in rows.iterator()],
    }
