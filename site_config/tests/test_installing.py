"""Parley as an app: the manifest, the worker, and the page for no connection."""

import re

import pytest
from django.contrib.staticfiles import finders
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command

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


def test_one_style_sheet_is_served_with_all_that_it_imports(settings, tmp_path):
    storage = {"BACKEND": "site_config.storage.OneSheetStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": storage}
    settings.STATIC_ROOT = str(tmp_path)
    settings.STATICFILES_DIRS = [settings.BASE_DIR / "static"]
    settings.INSTALLED_APPS = ["django.contrib.staticfiles"]
    call_command("collectstatic", interactive=False, verbosity=0)
    [sheet] = tmp_path.glob("css/layers.*.css")
    sheet = sheet.read_text()
    assert "@import" not in sheet
    for file in (settings.BASE_DIR / "static" / "css").rglob("*.css"):
        if file.name != "layers.css":
            assert file.read_text() in sheet
    assert FileSystemStorage(tmp_path).exists("staticfiles.json")
