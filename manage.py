#!/usr/bin/env python
"""Django's command line for Parley."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_config.settings")
    os.environ["DATABASE_TIMEOUT"] = "0"  # a command may take its time, a request not
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
