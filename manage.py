#!/usr/bin/env python
"""Patron's command line: `./manage.py help`."""

import os
import sys

import config

if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - an older one runs this file, too
        sys.exit(f"Patron needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}.")
    if sys.argv[1:] in (["version"], ["--version"]):  # Django answers both itself, with its own version
        print(f"Patron {config.VERSION}")
        sys.exit()
    os.umask(0o077)  # what it writes is its user's alone: a database, mails, text messages
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.commands import execute
    from config.server import outage

    try:
        execute(sys.argv)
    except Exception as error:
        if sentence := outage.sentence_of(error):
            sys.exit(sentence)
        raise
