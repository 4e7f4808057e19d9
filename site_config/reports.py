"""Error reports to a Sentry, where the setting SENTRY_DSN names one.

A report says what broke and where in the code. It is built anew from the little that it may hold,
so that nothing that people wrote, nor who they are, can come along: no body, no cookie, no header,
no address, no value of a variable, and no message of an exception (a database spells the row that
it refuses).
"""

import sentry_sdk
from sentry_sdk.integrations.django import DjangoIntegration

KEPT = ("event_id", "timestamp", "platform", "level", "logger", "transaction", "sdk")
KEPT_OF_FRAME = ("abs_path", "context_line", "filename", "function", "in_app", "lineno", "module")


def start(dsn, **options):
    sentry_sdk.init(
        dsn,
        integrations=[DjangoIntegration(middleware_spans=False, signals_spans=False)],
        max_request_body_size="never",
        include_local_variables=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
        before_send=scrub,
        before_send_transaction=lambda event, hint: None,
        **options,
    )


def scrub(event, hint):
    """Return a report with what this one says about the code alone."""
    kept = {name: event[name] for name in KEPT if name in event}
    if exceptions := event.get("exception", {}).get("values"):
        kept["exception"] = {"values": [_scrub_exception(each) for each in exceptions]}
    if template := event.get("logentry", {}).get("message"):
        kept["logentry"] = {"message": template}  # without what it would be filled in with
    return kept


def _scrub_exception(exception):
    frames = (exception.get("stacktrace") or {}).get("frames", [])
    return {
        "type": exception.get("type"),
        "module": exception.get("module"),
        "stacktrace": {
            "frames": [
                {name: frame[name] for name in KEPT_OF_FRAME if name in frame} for frame in frames
            ]
        },
    }
