# Parley in a container. By itself it serves one site on SQLite, kept in the volume /data;
# compose.yaml adds PostgreSQL, Redis and a proxy that speaks TLS.
# Of one release of Debian: the next one will not have the pg_dump asked for below.
ARG PYTHON=python:3.13-slim-trixie

FROM ${PYTHON} AS build
COPY requirements.txt requirements-extra.txt ./
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check -r requirements-extra.txt \
 && /venv/bin/pip uninstall --yes --quiet pip

FROM ${PYTHON}
# pg_dump for backups: of the version of compose.yaml's PostgreSQL, or newer.
ARG POSTGRESQL=17
RUN apt-get update \
 && apt-get install --yes --no-install-recommends postgresql-client-${POSTGRESQL} \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin parley \
 && install --directory --owner=parley --mode=700 /data
# The proxy comes from another machine; a worker's heartbeat needs no disk.
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DATA_DIR=/data \
    GUNICORN_CMD_ARGS="--bind=0.0.0.0:8000 --worker-tmp-dir=/dev/shm"
COPY --from=build /venv /venv
WORKDIR /app
COPY . .
# Fetched with a umask of 077, the files would be for root alone.
RUN chmod -R a+rX . && python -m compileall -q .
USER parley
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["env", "PORT=8000", "python", "deploy/healthcheck.py"]
CMD ["sh", "-c", "deploy/release.sh && exec gunicorn"]
