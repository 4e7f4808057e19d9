"""One real server and one browser for all journeys; for each journey people nobody else has met."""

import os
import re
import secrets
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from e2e.browser import NoBrowser, launch_options
from e2e.pages import PASSWORD, LoginPage
from e2e.server import Server
from e2e.watch import Watch

SERVER_LOG = pytest.StashKey()
LINK = re.compile(r"https?://[^/\s]+(/accounts/(?:confirm-email|password/reset/key)/\S+)")
SCREENSHOTS = Path(__file__).parent / "screenshots"
LOG_LINES_SHOWN = 60
PATIENCE = 5_000  # milliseconds for a click or a page to work out


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "expects(*statuses): failed loads that this journey causes on purpose"
    )


# --- The site ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("parley"))
    server.prepare()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def base_url(server):
    return server.url


@pytest.fixture(scope="session")
def _database(server, django_db_blocker):
    """Let the tests' ORM speak to the server's database."""
    connection.settings_dict["NAME"] = str(server.database)
    with django_db_blocker.unblock():
        yield
        connection.close()


@pytest.fixture(autouse=True)
def _server_log(server, request):
    request.node.stash[SERVER_LOG] = server.log, server.log.stat().st_size


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Show what the server said during a journey that failed."""
    report = yield
    if report.failed and SERVER_LOG in item.stash:
        log, start = item.stash[SERVER_LOG]
        lines = log.read_bytes()[start:].decode(errors="replace").splitlines()
        report.sections.append(("Server log", "\n".join(lines[-LOG_LINES_SHOWN:])))
    return report


# --- The browser ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    try:
        return browser_type_launch_args | launch_options()
    except NoBrowser as error:
        if os.environ.get("CI"):
            pytest.exit(str(error), returncode=3)
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def watch(request):
    """Fail the journey on anything that the console, the page or the policy complains of."""
    marks = request.node.iter_markers("expects")
    watch = Watch(expected=[status for mark in marks for status in mark.args])
    yield watch
    assert watch.faults == []


@pytest.fixture
def new_context(new_context, watch):
    """Open a browser of somebody's own: two people are two contexts."""

    def open_context(**options):
        # The worker fetches a few files for each new browser; journeys do without, but for its own.
        context = new_context(**{"service_workers": "block"} | options)
        context.set_default_timeout(PATIENCE)
        watch.listen_to(context)
        return context

    return open_context


@pytest.fixture(params=[True, False], ids=["script", "no-script"])
def javascript(request):
    """Run the journey twice: with JavaScript and without."""
    return request.param


# --- The cast ------------------------------------------------------------------------------------


@pytest.fixture
def person(_database):
    """Make people with names of their own, `alice_x7f3`: journeys share one database."""

    def create(name):
        username = f"{name}_{secrets.token_hex(4)}"
        return get_user_model().objects.create_user(
            username=username, email=f"{username}@example.com", password=PASSWORD
        )

    return create


@pytest.fixture
def alice(person):
    return person("alice")


@pytest.fixture
def bob(person):
    return person("bob")


@pytest.fixture
def mallory(person):
    return person("mallory")


@pytest.fixture
def sign_in(new_context):
    """Sign somebody in through the log-in page, in a browser of their own; returns their page."""

    def open_page(person, **options):
        page = new_context(**options).new_page()
        LoginPage(page).open().sign_in(person)
        return page

    return open_page


@pytest.fixture
def write(_database):
    """Put messages straight into the database: `write(alice, bob, "Hello")`."""
    from messaging.models import Message

    def create(sender, receiver, content, parent=None):
        return Message.objects.create(
            sender=sender, receiver=receiver, content=content, parent_message=parent
        )

    return create


@pytest.fixture
def mailed(server):
    """Return the address in the latest mail, which a site without a mail server puts in its log."""

    def read():
        return LINK.findall(server.log.read_text(errors="replace"))[-1]

    return read


@pytest.fixture
def screenshot():
    """Keep a picture of a page for people to look at, if they want any: see SCREENSHOTS."""
    is_wanted = os.environ.get("SCREENSHOTS") == "on"
    SCREENSHOTS.mkdir(exist_ok=True)

    def take(page, name):
        if is_wanted:
            page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    return take
