"""The site with a floor, on the scratch database; `messaging.bench.load` serves it."""

import os

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

from . import floor, scratch  # noqa: E402 (they load models)

scratch.use(os.environ["BENCH_DATABASE"])
floor.install()
