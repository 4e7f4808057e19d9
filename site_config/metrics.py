"""What Prometheus is told, to who shows the token of the setting MONITOR_TOKEN.

Each process answers for itself and says which it is: add them up over `process`. Without the
setting nothing is counted here, and prometheus-client need not be there.
"""

import os

from django.conf import settings
from django.utils.crypto import constant_time_compare

from messaging import tally
from messaging.cache import Breaker
from site_config.events import route

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
observe = None  # a function, where metrics are wanted


def is_monitor(request):
    token = f"Bearer {settings.MONITOR_TOKEN}"
    said = request.headers.get("Authorization", "")
    return bool(settings.MONITOR_TOKEN) and constant_time_compare(said, token)


if settings.MONITOR_TOKEN:
    from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    REGISTRY = CollectorRegistry()
    REQUESTS = Counter(
        "parley_requests",
        "Requests answered",
        ["process", "route", "status"],
        registry=REGISTRY,
    )
    SECONDS = Histogram(
        "parley_request_seconds",
        "How long they took",
        ["process"],
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        registry=REGISTRY,
    )

    class TallyCollector:
        """What the process has met, as the admin's page of it shows."""

        def collect(self):
            met = CounterMetricFamily("parley_met", "By kind", labels=["process", "kind"])
            for kind, number in sorted(tally.counts.items()):
                met.add_metric([_process(), kind], number)
            yield met
            open_caches = GaugeMetricFamily(
                "parley_breakers_open", "Caches left alone now", labels=["process"]
            )
            open_caches.add_metric([_process()], len(Breaker.open_addresses()))
            yield open_caches

    REGISTRY.register(TallyCollector())

    def observe(request, response, seconds):
        REQUESTS.labels(_process(), route(request) or "-", response.status_code).inc()
        SECONDS.labels(_process()).observe(seconds)

    def write():
        return generate_latest(REGISTRY)


def _process():
    return str(os.getpid())
