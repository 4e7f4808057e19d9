"""`make audit`: what others who judge pages say of ours. Lighthouse, the Nu checker, and a scale.

Needs node with npm, java for the checker, and a whole Chromium (not the headless shell) for
Lighthouse. What it measures with is fetched into var/audit, in the versions below.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from e2e.browser import launch_options
from e2e.pages import LoginPage, SecondFactorPage
from e2e.server import ROOT, STATIC, Server, free_port

TOOLS = ROOT / "var" / "audit"
PACKAGES = ["lighthouse@12.8.2", "vnu-jar@26.9.27"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
DEMO = ("alice", "parley-demo")

PUBLIC = [
    *("/", "/offline/", "/accounts/login/", "/accounts/signup/", "/accounts/inactive/"),
    *("/accounts/password/reset/", "/accounts/password/reset/done/"),
    *("/accounts/password/reset/key/1-abc/", "/accounts/password/reset/key/done/"),
    *("/accounts/confirm-email/", "/accounts/confirm-email/abc/"),
]
PRIVATE = [
    *("/inbox/", "/inbox/?show=all", "/inbox/?show=sent", "/messages/new/", "/conversation/"),
    *("/notifications/", "/people/?q=be", "/account/", "/account/delete/", "/accounts/email/"),
    *("/accounts/password/change/", "/account/preferences/", "/account/sessions/"),
    *("/people/", "/people/blocked/", "/people/bob/block/", "/conversation/bob/"),
    *("/accounts/reauthenticate/", "/accounts/2fa/", "/accounts/2fa/app/add/"),
    *("/accounts/2fa/passkeys/add/", "/accounts/logout/", "/nothing-here/"),
]
OF_A_MESSAGE = ["", "replies/", "reply/", "edit/", "history/", "delete/", "message/", "access/"]

BARS = {"accessibility": 100, "best-practices": 100, "seo": 100, "performance": 98}
JUDGED = {"home": set(BARS), "inbox": set(BARS) - {"seo"}, "thread": set(BARS) - {"seo"}}
TRIES = 5
MOST = {"css": 15_000, "js": 25_000}  # bytes, compressed

HTMX_ATTRIBUTE = re.compile(r"Attribute “hx-[\w:-]+” not allowed on element")


def main():
    _install()
    with tempfile.TemporaryDirectory() as directory:
        server = Server(Path(directory))
        server.prepare()
        server.manage("seed_demo", "--verbosity", "0")
        server.start()
        try:
            failures = [*_weigh(), *_check(server), *_judge(server)]
        finally:
            server.stop()
    for failure in failures:
        print(f"    {failure}")
    sys.exit(1 if failures else 0)


def _install():
    missing = [name for name in ("npm", "java") if not shutil.which(name)]
    if missing or not _chromium():
        sys.exit(f"make audit needs {' and '.join(missing) or 'a Chromium with a window'}.")
    TOOLS.mkdir(parents=True, exist_ok=True)
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(TOOLS)]
    subprocess.run([*command, *PACKAGES], check=True)


def _chromium():
    return next(filter(None, map(shutil.which, BROWSERS)), None)


# --- What is sent --------------------------------------------------------------------------------


def _weigh():
    print("==> Compressed sizes")
    manifest = json.loads((STATIC / "staticfiles.json").read_text())["paths"]
    ours = {
        "css": ["css/layers.css"],
        "js": [name for name in manifest if re.match(r"(js/(main|passkey)|vendor/.*)\.js$", name)],
    }
    for kind, names in ours.items():
        size = sum((STATIC / f"{manifest[name]}.br").stat().st_size for name in names)
        print(f"    {kind}: {size:,} bytes in {len(names)} files, at most {MOST[kind]:,}")
        if size > MOST[kind]:
            yield f"{kind}: {size:,} bytes"


# --- The Nu HTML checker -------------------------------------------------------------------------


def _check(server):
    print("==> HTML of pages and fragments")
    with tempfile.TemporaryDirectory() as directory:
        for number, (name, html) in enumerate(_collect(server)):
            file = Path(directory) / f"{number:03d}.html"
            file.write_text(f"{html}\n<!-- {name} -->\n")
        files = sorted(Path(directory).glob("*.html"))
        jar = TOOLS / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
        command = ["java", "-jar", str(jar), "--format", "json", "--exit-zero-always", *files]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        found = json.loads(answer.stdout or answer.stderr)["messages"]
        print(f"    {len(files)} pages and fragments")
        for message in found:
            if message["type"] == "error" and not HTMX_ATTRIBUTE.match(message["message"]):
                page = (
                    Path(message["url"].removeprefix("file:")).read_text().rstrip().splitlines()[-1]
                )
                yield f"{page} {message['message']} {message.get('extract', '')!r}"


def _collect(server):
    """Yield the name and the HTML of every page, and of what it is to htmx, as a whole page."""
    options = launch_options()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**options)
        visitor = browser.new_context(base_url=server.url).request
        for path in PUBLIC:
            yield path, visitor.get(path).text()
        context = browser.new_context(base_url=server.url)
        _sign_in(context)
        _say_who_it_is(context)
        pks = _message_pks(context)
        of_messages = [f"/messages/{pk}/{page}" for pk in pks for page in OF_A_MESSAGE]
        for path in [*PRIVATE, *of_messages]:
            yield path, context.request.get(path).text()
            answer = context.request.get(path, headers={"HX-Request": "true"})
            if html := answer.text():
                yield f"{path} as a fragment", _in_a_page(html)
        browser.close()


def _sign_in(context):
    page = context.new_page()
    LoginPage(page).open().fill(*DEMO)
    page.wait_for_url("**/inbox/**")
    page.close()


def _say_who_it_is(context):
    """Give the password once more, which some pages ask for."""
    page = context.new_page()
    page.goto("/accounts/2fa/app/add/")
    SecondFactorPage(page).give_password(DEMO[1])
    page.wait_for_url("**/app/add/")
    page.close()


def _message_pks(context):
    """Return one thread that somebody else wrote in last, and one where alice did."""
    html = context.request.get("/inbox/?show=all").text()
    sent = context.request.get("/inbox/?show=sent").text()
    return [re.search(r'href="/messages/(\d+)/"', page)[1] for page in (html, sent)]


def _in_a_page(fragment):
    """Put a fragment where htmx would: its title in the head, the rest in the body."""
    if fragment.lstrip().lower().startswith("<!doctype"):
        return fragment
    title = re.search(r"<title>.*?</title>", fragment, re.DOTALL)
    rest = fragment.replace(title[0], "") if title else fragment
    title = title[0] if title else "<title>Fragment</title>"
    # A fragment may name a form that stands on its page.
    for form in set(re.findall(r' form="([\w-]+)"', rest)):
        rest += f'<form id="{form}" action="/"></form>' if f'id="{form}"' not in rest else ""
    around = ("<ul>", "</ul>") if rest.lstrip().startswith("<li") else ("", "")
    return f'<!doctype html><html lang="en"><head>{title}</head><body>{rest.join(around)}</body>'


# --- Lighthouse ----------------------------------------------------------------------------------


def _judge(server):
    print("==> Lighthouse")
    with _signed_in_browser(server) as (port, pk):
        pages = {"home": "/", "inbox": "/inbox/", "thread": f"/messages/{pk}/"}
        for name, path in pages.items():
            # Only where it was signed in: everybody else is shown the home page at once.
            scores, complaints = _best_of(TRIES, f"{server.url}{path}", port * (name != "home"))
            print(f"    {name}: " + ", ".join(f"{k} {v}" for k, v in scores.items()))
            for category in JUDGED[name]:
                if scores[category] < BARS[category]:
                    yield f"{name}: {category} {scores[category]}, {complaints}"


@contextmanager
def _signed_in_browser(server):
    """Give the port to steer a browser by that alice is signed in with, and a thread of hers."""
    port = free_port()
    options = launch_options() | {"executable_path": _chromium(), "headless": False}
    options["args"] += ["--headless=new", f"--remote-debugging-port={port}"]
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as directory:
        launch = playwright.chromium.launch_persistent_context
        with launch(directory, base_url=server.url, **options) as context:
            _sign_in(context)
            yield port, _message_pks(context)[0]


def _best_of(tries, url, port):
    """Return the best of a few looks: a machine that is busy makes a page look slow."""
    found = []
    for _ in range(tries):
        found.append(_lighthouse(url, port))
        if all(found[-1][0][name] >= bar for name, bar in BARS.items() if name != "seo"):
            break
    return max(found, key=lambda look: sum(look[0].values()))


def _lighthouse(url, port):
    report = TOOLS / "report.json"
    command = [
        *("node", str(TOOLS / "node_modules" / "lighthouse" / "cli" / "index.js"), url, "--quiet"),
        *("--output=json", f"--output-path={report}", f"--only-categories={','.join(BARS)}"),
        "--chrome-flags=--headless=new --no-sandbox --disable-dev-shm-usage",
    ]
    if port:
        command += [f"--port={port}", "--disable-storage-reset"]
    subprocess.run(command, check=True, env=os.environ | {"CHROME_PATH": _chromium()})
    found = json.loads(report.read_text())
    # None: Lighthouse itself lost its way.
    scores = {name: round(100 * (found["categories"][name]["score"] or 0)) for name in BARS}
    complaints = [
        audit["id"]
        for audit in found["audits"].values()
        if audit["score"] is not None and audit["score"] < 0.9
    ]
    return scores, complaints


if __name__ == "__main__":
    main()
