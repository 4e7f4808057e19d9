"""How Parley is served: gunicorn reads this file by itself from the directory it starts in."""

import gc
import os
from pathlib import Path

import environ

env = environ.Env()
env.read_env(os.environ.get("ENV_FILE", Path(__file__).parent / ".env"))
env.ENVIRON = {name: value for name, value in os.environ.items() if value}  # NAME= says nothing

wsgi_app = "site_config.wsgi:application"
bind = f"127.0.0.1:{env('PORT', default='8000')}"
worker_class = "gthread"
workers = env.int("WEB_CONCURRENCY", default=2)
threads = 4
max_requests = 20_000  # a worker starts afresh now and then ...
max_requests_jitter = 2_000  # ... but never all of them at once
graceful_timeout = 10  # seconds: longer than a write may wait for the database
control_socket_disable = True  # nobody drives it from outside
# Who comes from this machine may say, by default, under which path the site lies: through a proxy
# that is any visitor.
forwarder_headers = ""


def post_fork(server, worker):
    gc.disable()  # whatever is made by a process that starts is there to stay


def post_worker_init(worker):
    gc.freeze()  # and need not be looked through ever again
    gc.enable()
