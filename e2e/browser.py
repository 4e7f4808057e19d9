"""Find a browser for the end-to-end tests; `python -m e2e.browser` installs one where it can."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

NAMES_ON_PATH = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
DEBIAN_PACKAGES = ("chromium-headless-shell", "fonts-noto-color-emoji")
NONE_FOUND = (
    "No browser for the end-to-end tests. Any of these gives one: `playwright install chromium`, "
    "`apt-get install chromium-headless-shell`, or CHROMIUM=/path/to/chrome in the environment."
)


class NoBrowser(Exception):
    """Neither Playwright's own browser nor another Chromium is on this machine."""


def launch_options():
    """Return what Playwright's `launch` needs to start the browser found here."""
    options = {"args": ["--no-sandbox", "--disable-dev-shm-usage"]}
    if path := os.environ.get("CHROMIUM"):
        return options | {"executable_path": path}
    if _has_own_browser():
        return options
    if path := next(filter(None, map(shutil.which, NAMES_ON_PATH)), None):
        return options | {"executable_path": path}
    raise NoBrowser(NONE_FOUND)


def _has_own_browser():
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def install():
    """Install Playwright's own browser, else Debian's; return whether one can be started now."""
    print("==> Installing a browser for the end-to-end tests")
    return (_install_own() and _starts()) or (_install_from_debian() and _starts())


def _install_own():
    if not _run(sys.executable, "-m", "playwright", "install", "chromium"):
        return False
    if _may_use_apt():
        _run(sys.executable, "-m", "playwright", "install-deps", "chromium")
    return True


def _install_from_debian():
    if not _may_use_apt():
        return False
    install = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", *DEBIAN_PACKAGES)
    return _run(*install) or (_run("apt-get", "update", "-qq") and _run(*install))


def _may_use_apt():
    return os.geteuid() == 0 and shutil.which("apt-get")


def _run(*command):
    print("   ", *command)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run(command, env=environment, check=False).returncode == 0


def _starts():
    try:
        options = launch_options()
        with sync_playwright() as playwright:
            playwright.chromium.launch(**options).close()
    except (NoBrowser, Error) as error:
        print(error)
        return False
    return True


def main():
    try:
        launch_options()
    except NoBrowser:
        if not install():
            print(NONE_FOUND)
            sys.exit(bool(os.environ.get("CI")))


if __name__ == "__main__":
    main()
