import re
from pathlib import PurePosixPath

from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

SHEET = "css/layers.css"
IMPORT = re.compile(r'@import url\("(?P<path>[^"]+)"\);\n')


class OneSheetStorage(CompressedManifestStaticFilesStorage):
    """Whitenoise's, and the style sheet with all that it imports is served as one file.

    Nothing is built: `collectstatic` puts the files one behind the other, so that a page waits for
    one answer instead of forty.
    """

    def post_process(self, paths, **options):
        return super().post_process(paths | {SHEET: (_joined(paths), SHEET)}, **options)


def _joined(paths):
    def read(name):
        storage, path = paths[name]
        with storage.open(path) as file:
            return file.read().decode()

    def read_imported(match):
        return read(str(PurePosixPath(SHEET).parent / match["path"]))

    joined = InMemoryStorage()
    joined.save(SHEET, ContentFile(IMPORT.sub(read_imported, read(SHEET)).encode()))
    return joined
