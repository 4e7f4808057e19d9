#!/bin/sh
# What a new release does once, before its processes start: the database, and the static files.
# Files of the release before stay where they are: pages that are open still ask for them.
set -eu
cd "$(dirname "$0")/.."
if [ -d .venv ]; then PATH="$PWD/.venv/bin:$PATH"; fi
python manage.py migrate --noinput
python manage.py collectstatic --noinput --verbosity 0
