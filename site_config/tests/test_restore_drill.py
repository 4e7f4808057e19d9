"""A site is backed up, lost and restored, on this kind of database: `e2e.drill.restore`."""

from shutil import which

import pytest
from django.conf import settings
from django.db import connection

from e2e.drill.restore import rehearse


@pytest.mark.skipif(connection.vendor == "postgresql" and not which("pg_dump"), reason="no pg_dump")
def test_a_site_is_backed_up_under_load_lost_and_restored(tmp_path):
    urls = {}
    if connection.vendor == "postgresql":
        words = connection.settings_dict
        who = f"{words['USER']}:{words['PASSWORD']}".removesuffix(":")
        where = f"{words['HOST']}:{words['PORT']}".removesuffix(":")
        urls["database_url"] = f"postgres://{who}@{where}/"
        urls["redis_url"] = settings.CACHES["default"].get("LOCATION", "")
    measured = rehearse(tmp_path, seconds=4, **urls)
    assert measured["messages"] > measured["kept"] > 0
