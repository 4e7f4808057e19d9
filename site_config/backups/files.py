"""A backup on the disk: a file of the database, and a manifest beside it that says what it is.

Whatever is made here is for its owner alone. A name ends up in place only when all is on the disk;
the manifest comes first, so that nobody's letters ever lie there without one.
"""

import fcntl
import hashlib
import json
import os
import re
from contextlib import contextmanager
from pathlib import Path

NAME = re.compile(r"parley-\d{8}T\d{12}Z\.(sqlite3|dump)")
UNFINISHED = ".unfinished"
FORMAT = "parley backup 1"


class Refusal(Exception):
    """It was not done, for a reason in words; everything is as it was."""


class Backup:
    """A file of the database with its manifest; `Refusal` where they don't belong together."""

    def __init__(self, path):
        self.path = Path(path)
        self.manifest = _read_manifest(self.path)

    def check(self):
        """Raise Refusal unless the file is, to the byte, the one that was made."""
        try:
            size, digest = self.path.stat().st_size, sha256(self.path)
        except OSError as error:
            raise Refusal(f"{self.path} can't be read: {error.strerror}.") from error
        if size != self.manifest["bytes"]:
            raise Refusal(
                f"{self.path} has {size} bytes instead of {self.manifest['bytes']}: "
                "it was cut off, or isn't the file that was made."
            )
        if digest != self.manifest["sha256"]:
            raise Refusal(f"{self.path} is damaged: it isn't the file that was made.")


def manifest_of(path):
    return path.with_name(f"{path.name}.json")


def _read_manifest(path):
    try:
        manifest = json.loads(manifest_of(path).read_text())
    except FileNotFoundError as error:
        missing = path if not path.exists() else manifest_of(path)
        raise Refusal(f"There is no {missing}. A backup is two files, side by side.") from error
    except (OSError, ValueError) as error:
        raise Refusal(f"{manifest_of(path)} can't be read.") from error
    wanted = {"format", "shape", "bytes", "sha256", "migrations", "rows"}
    if not isinstance(manifest, dict) or not wanted <= manifest.keys():
        raise Refusal(f"{manifest_of(path)} is not the manifest of a backup.")
    if manifest["format"] != FORMAT:
        raise Refusal(f"{manifest_of(path)} says it is {manifest['format']!r}, not {FORMAT!r}.")
    return manifest


@contextmanager
def directory(path):
    """Have a directory for backups, used by one process at a time."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Refusal(f"Another backup is being made in {path}.") from error
    else:
        _remove_unfinished(path)
        yield path
    finally:
        os.close(handle)


def _remove_unfinished(path):
    for file in path.iterdir():
        name = file.name.removesuffix("-journal").removesuffix(UNFINISHED)
        if file.name != name and NAME.fullmatch(name.removesuffix(".json")):
            file.unlink()


def create(path):
    """Make an empty file that is for its owner alone, whatever the umask says."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    return path


def publish(unfinished, path, manifest):
    """Give a finished copy its name, and its manifest before that; return the Backup."""
    sync(unfinished)
    manifest |= {
        "format": FORMAT,
        "bytes": unfinished.stat().st_size,
        "sha256": sha256(unfinished),
    }
    note = create(manifest_of(path).with_name(f"{manifest_of(path).name}{UNFINISHED}"))
    note.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    sync(note)
    note.rename(manifest_of(path))
    unfinished.rename(path)
    sync(path.parent)
    return Backup(path)


def prune(path, keep):
    """Remove all backups in a directory but the `keep` newest; return their names.

    Only what was made here goes: by its name, and with its manifest.
    """
    removed = []
    for manifest in sorted(path.glob("parley-*.json"), reverse=True):
        file = manifest.with_name(manifest.name.removesuffix(".json"))
        if not NAME.fullmatch(file.name) or not _is_ours(file):
            continue
        if keep > 0 and file.exists():
            keep -= 1
            continue
        file.unlink(missing_ok=True)
        manifest.unlink()
        removed.append(file.name)
    return removed


def _is_ours(file):
    try:
        return bool(_read_manifest(file))
    except Refusal:
        return False


def sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path):
    """Have a file, or the names in a directory, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
