#!/usr/bin/env python
"""Patron's command line: `./manage.py help`."""

import os
import sys

import config

if __name__ == "__main__":
    if sys.argv[1:] in (["version"], ["--version"]):  # Django answers both itself, with its own version
        print(f"Patron {config.VERSION}")
        sys.exit()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
