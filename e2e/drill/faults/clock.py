"""Clocks that don't agree."""

import re
from datetime import datetime

from ..load import Load
from . import check_load, check_no_loss, failures, fault, told

TIME = re.compile(r'<time datetime="([^"]+)">')


@fault(
    "F17",
    "Clocks apart",
    injection="two servers over the same data, one clock an hour ahead, then 10 minutes back",
    bar="order the same between two looks, nobody signed out, nothing stale, no words like “ago”",
    seconds=16,
)
def clocks_apart(site, seconds, findings):
    for shift in (3600, -600):
        clock = {"DJANGO_SETTINGS_MODULE": "e2e.drill.settings", "DRILL_CLOCK": str(shift)}
        with site.beside(**clock, WEB_CONCURRENCY="1") as url:
            with Load(site, seconds=seconds / 2, urls=[site.url, url]) as load:
                pass
            _look_at_both(load, url, findings)
        failed = failures(load)
        findings.say(f"{shift / 60:+.0f} min")
        findings.expect(not failed, f"{shift} s: failed requests: {told(failed)}")
        check_no_loss(load, findings)
        check_load(site, load, findings)


def _look_at_both(load, url, findings):
    letter = load.acks[0].letter
    me, other = load.people[letter.sender], load.people[letter.receiver]
    address = f"/conversation/{other.name}/"
    here, there = me.get(address), me.copy(url).get(address)
    orders = [re.findall(r'href="/messages/(\d+)/edit/"', page.body) for page in (here, there)]
    findings.expect(
        (here.status, there.status) == (200, 200), f"pages: {here.status}, {there.status}"
    )
    findings.expect(orders[0] == orders[1], "the order of messages depends on the server")
    times = [datetime.fromisoformat(time) for time in TIME.findall(here.body)]
    findings.expect(times == sorted(times), "the messages of a page aren't in the order of time")
    findings.expect(" ago" not in here.body + there.body, "a page says “ago”")
