"""The settings of a server whose clock is wrong by DRILL_CLOCK seconds."""

import os
import time
from datetime import timedelta

from django.utils import timezone

from e2e.settings import *  # noqa: F403

SHIFT = float(os.environ["DRILL_CLOCK"])
_time, _now = time.time, timezone.now

# Before anything else is loaded that takes one of these by its name.
time.time = lambda: _time() + SHIFT
timezone.now = lambda: _now() + timedelta(seconds=SHIFT)
