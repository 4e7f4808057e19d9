"""A site around django-postman: run by itself, in an environment that knows nothing of ours.

`python postman_site.py data.json` prints what its pages cost, as JSON.
"""

import json
import sys
import time
from io import BytesIO
from pathlib import Path
from statistics import median

import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import include, path

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
BASE = (
    "<!doctype html><title>{% block title %}{% endblock %}</title>{% block content %}{% endblock %}"
)


def floor(request):
    return HttpResponse(request.user.get_username())


urlpatterns = [path("floor/", floor)]


def main(data_path):
    data = json.loads(Path(data_path).read_text())
    database = Path(data_path).with_suffix(".sqlite3")
    database.unlink(missing_ok=True)
    configure(database)
    firsts = fill(data)
    ask = caller(data["me"])
    thread = f"/messages/view/t/{firsts[data['two_hundred']]}/"
    texts = [row[3] for row in data["messages"] if row[5] == thread_of(data, data["two_hundred"])]
    lines = [
        line("django-postman: inbox", ask, "/messages/inbox/", 5, []),
        line("django-postman: conversation of 200", ask, thread, 10, texts),
    ]
    database.unlink()
    print(json.dumps(lines))  # noqa: T201


def configure(database):
    settings.configure(
        SECRET_KEY="a bench",  # noqa: S106
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["127.0.0.1"],
        MIDDLEWARE=MIDDLEWARE,
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "django.contrib.sessions",
            "django.contrib.messages",
            "postman",
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": database,
                "CONN_MAX_AGE": 60,
            }
        },
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [
                        (
                            "django.template.loaders.cached.Loader",
                            [
                                ("django.template.loaders.locmem.Loader", {"base.html": BASE}),
                                "django.template.loaders.app_directories.Loader",
                            ],
                        )
                    ],
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ],
                },
            }
        ],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        POSTMAN_AUTO_MODERATE_AS=True,
        STATIC_URL="/static/",
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    urlpatterns.append(path("messages/", include("postman.urls", namespace="postman")))


def fill(data):
    """Write the messages; return the id of each thread by the id of its first message with us."""
    from django.contrib.auth.models import User
    from postman.models import STATUS_ACCEPTED
    from postman.models import Message as Letter

    rows = data["messages"]
    people = {pk for row in rows for pk in row[1:3]}
    User.objects.bulk_create(User(pk=pk, username=f"scale-{pk}") for pk in people)
    firsts = {}
    for row in rows:
        firsts.setdefault(row[5], row[0])
    answered = {row[4] for row in rows}
    Letter.objects.bulk_create(
        (
            Letter(
                pk=pk,
                sender_id=sender,
                recipient_id=receiver,
                subject="A letter",
                body=content,
                parent_id=parent,
                # A letter without answers is no conversation there.
                thread_id=firsts[thread] if parent or pk in answered else None,
                sent_at=moment,
                read_at=moment,
                moderation_status=STATUS_ACCEPTED,
            )
            for pk, sender, receiver, content, parent, thread, moment in rows
        ),
        batch_size=500,
    )
    return {first: first for first in firsts.values()}


def thread_of(data, first):
    return next(row[5] for row in data["messages"] if row[0] == first)


def caller(me):
    from django.contrib.auth.models import User
    from django.core.wsgi import get_wsgi_application
    from django.test import Client

    client = Client()
    client.force_login(User.objects.get(pk=me))
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    application = get_wsgi_application()

    def ask(address):
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": address,
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_COOKIE": cookie,
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(),
            "wsgi.errors": sys.stderr,
        }
        said = []
        response = application(environ, lambda status, headers: said.append(status))
        body = b"".join(response)
        response.close()
        if not said[0].startswith("200"):
            sys.exit(f"{address}: {said[0]}")
        return body

    return ask


def line(name, ask, address, samples, texts):
    """Return a line of the table, once the page has shown all of the texts."""
    from django.utils.html import escape

    page = ask(address).decode()
    missing = [text for text in texts if escape(text) not in page]
    if missing:
        sys.exit(f"{address} lacks {len(missing)} of {len(texts)} texts")
    for _ in range(20):
        ask("/floor/")
    floors, times = [], []
    for _ in range(samples):
        floors += [clock(ask, "/floor/") for _ in range(5)]
        times.append(clock(ask, address))
    cost, low = median(times) * 1000, median(floors) * 1000
    return {
        "name": name,
        "milliseconds": cost,
        "floor": low,
        "ratio": cost / low,
        "kilobytes": len(page.encode()) / 1000,
    }


def clock(ask, address):
    begin = time.process_time()
    ask(address)
    return time.process_time() - begin


if __name__ == "__main__":
    main(sys.argv[1])
