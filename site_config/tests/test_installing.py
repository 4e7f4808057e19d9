"""Parley as an app: the manifest, the worker, and the page for no connection."""

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command

from site_config.storage import COMMENT, JOINED

pytestmark = pytest.mark.django_db


@pytest.fixture
def manifest(client):
    return client.get("/manifest.webmanifest").json()


def test_each_page_names_the_manifest(client):
    assert '<link rel="manifest" href="/manifest.webmanifest">' in client.get("/").content.decode()


def test_the_icons_of_the_manifest_are_there_in_the_size_it_says(manifest):
    for icon in manifest["icons"]:
        path = finders.find(icon["src"].removeprefix("/static/"))
        with open(path, "rb") as file:
            head = file.read(24)
        assert head[:8] == b"\x89PNG\r\n\x1a\n"
        width, height = (int.from_bytes(head[i : i + 4]) for i in (16, 20))
        assert icon["sizes"] == f"{width}x{height}"


def test_the_app_opens_where_the_site_does(manifest, client):
    assert client.get(manifest["start_url"]).status_code == 200
    for shortcut in manifest["shortcuts"]:
        assert client.get(shortcut["url"]).status_code == 302  # to sign in


def test_the_page_for_no_connection_is_the_same_for_all(client, signed_in, alice):
    pages = [who.get("/offline/").content for who in (client, signed_in(alice))]
    assert pages[0] == pages[1]
    assert b"alice" not in pages[0]
    assert b"csrf" not in pages[0].lower()


def test_the_worker_keeps_nothing_but_the_public_page_and_its_looks(client):
    script = client.get("/worker.js").content.decode()
    assert script.count(".addAll(") == 1
    assert not re.search(r"\.put\(|\.add\(", script)
    kept = re.search(r"const kept = \[(.+)\];", script)[1]
    assert re.findall(r'"(/[^"]+)"', kept) == ["/static/css/layers.css"]
    assert 'const OFFLINE = "/offline/";' in script


@pytest.fixture
def collected(settings, tmp_path):
    """The static files as a site serves them."""
    storage = {"BACKEND": "site_config.storage.JoinedStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": storage}
    settings.STATIC_ROOT = str(tmp_path)
    settings.STATICFILES_DIRS = [settings.BASE_DIR / "static"]
    settings.INSTALLED_APPS = ["django.contrib.staticfiles"]
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def test_one_style_sheet_and_one_script_are_served_with_all_that_they_import(collected, settings):
    static = settings.BASE_DIR / "static"
    for name, statement in JOINED.items():
        [joined] = collected.glob(name.replace(".", ".*."))
        joined, source = joined.read_text(), (static / name).read_text()
        assert not statement.search(joined)
        for match in statement.finditer(source):
            imported = (static / name).parent / match["path"]
            first_lines = imported.read_text().partition("url(")[0]  # an address gets a hash
            assert COMMENT.sub("", first_lines) in joined
        assert not COMMENT.search(joined)


def test_what_pages_link_is_compressed_once(collected):
    [script] = collected.glob("js/main.*.js")
    compressed = [Path(f"{script}{suffix}") for suffix in (".br", ".gz")]
    assert gzip.decompress(compressed[1].read_bytes()) == script.read_bytes()
    for file in compressed:
        file.write_bytes(b"kept")
    call_command("collectstatic", interactive=False, verbosity=0)
    assert [file.read_bytes() for file in compressed] == [b"kept"] * 2
    assert not list(collected.rglob("*.part"))


def test_each_script_and_each_sheet_is_somewhere_in_a_page(settings):
    static = settings.BASE_DIR / "static"
    alone = {"main.js", "passkey.js"}
    script = (static / "js" / "main.js").read_text()
    for file in (static / "js").glob("*.js"):
        assert file.name in alone or f'import "./{file.name}";' in script
    sheet = (static / "css" / "layers.css").read_text()
    for file in (static / "css").rglob("*.css"):
        name = file.relative_to(static / "css")
        assert str(name) == "layers.css" or f'@import url("{name}");' in sheet


WITH_BULLETS = {"account_confirm_delete.html"}


def test_only_lists_that_want_bullets_have_no_class(settings):
    found = {
        file.name
        for file in (settings.BASE_DIR / "templates").rglob("*.html")
        if re.search(r"<[uo]l(?! class=)", file.read_text())
    }
    assert found == WITH_BULLETS
