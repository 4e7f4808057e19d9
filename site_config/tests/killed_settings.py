"""The site's own settings, in the database of a test."""

import os

from site_config.settings import *  # noqa: F403
from site_config.settings import DATABASES

DATABASES["default"]["NAME"] = os.environ["KILLED_DATABASE"]
ERASURE_LOG = os.environ["ERASURE_LOG"]
