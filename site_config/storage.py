import re
from pathlib import Path, PurePosixPath

from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

# What a page links, and how it names the rest.
JOINED = {
    "css/layers.css": re.compile(r'@import url\("(?P<path>[^"]+)"\);\n'),
    "js/main.js": re.compile(r'import "\./(?P<path>[^"]+)";\n'),
}
HASHED = re.compile(r"\.[0-9a-f]{12}\.")
COMMENT = re.compile(r"^ *(//.*|/\*.*\*/)\n", re.MULTILINE)  # a line of its own


class JoinedStorage(CompressedManifestStaticFilesStorage):
    """Whitenoise's; what the style sheet and the script import is served in one file with them.

    Nothing is built: `collectstatic` puts the files one behind the other, so that a page waits for
    two answers instead of sixty. Comments stay behind: they would be a tenth of what is sent.
    """

    def post_process(self, paths, **options):
        joined = {name: (_join(name, paths), name) for name in JOINED}
        return super().post_process(paths | joined, **options)

    def create_compressor(self, **options):
        return WholeCompressor(**options)

    def compress_files(self, paths):
        """Compress what pages link, once: a site that starts again has no seconds to wait for it.

        Under a hashed name are the same bytes for good.
        """
        hashed = filter(HASHED.search, paths)
        return super().compress_files([path for path in hashed if not self.exists(f"{path}.gz")])


class WholeCompressor(Compressor):
    """Whitenoise's; what it was killed over has not got its name yet."""

    def write_data(self, path, data, suffix, stat_result):
        written = super().write_data(path, data, f"{suffix}.part", stat_result)
        return str(Path(written).replace(path + suffix))


def _join(name, paths):
    def read(name):
        storage, path = paths[name]
        with storage.open(path) as file:
            return file.read().decode()

    def read_imported(match):
        return read(str(PurePosixPath(name).parent / match["path"]))

    joined = InMemoryStorage()
    text = COMMENT.sub("", JOINED[name].sub(read_imported, read(name)))
    joined.save(name, ContentFile(text.encode()))
    return joined
