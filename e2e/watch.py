"""What no journey may cause: errors in the console or the page, and reports of the CSP."""

import re

REPORT_CSP_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`CSP: ${event.violatedDirective} blocked ${event.blockedURI || event.sample}`);
});
"""
FAILED_TO_LOAD = re.compile(r"Failed to load resource: .*?(?:status of (\d{3})|net::(\w+))")
REFUSED_BY_HTMX = re.compile(r"Failed to fetch|NetworkError")  # the server is away

NO_WORKER = "Service Worker registration blocked by Playwright"


class Watch:
    """Listens to browsers and keeps what went wrong, but for the statuses a test expects."""

    def __init__(self, expected):
        self.expected = {str(status) for status in expected}
        self.faults = []

    def listen_to(self, context):
        context.add_init_script(REPORT_CSP_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.faults.append(f"page error: {error.error}"))

    def _on_console(self, message):
        if message.type in {"error", "warning"} and not self._is_expected(message.text):
            self.faults.append(f"{message.type} on {message.page.url}: {message.text}")

    def _is_expected(self, text):
        if text == NO_WORKER:
            return True
        if match := FAILED_TO_LOAD.search(text):
            return bool(self.expected.intersection(match.groups()))
        return "ERR_CONNECTION_REFUSED" in self.expected and REFUSED_BY_HTMX.search(text)
