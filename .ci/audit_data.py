"""Can the audit of dependencies ask for known vulnerabilities? Says why where it can't, and ends with status 1."""

import sys

import requests

# What pip-audit asks for each dependency.
URL = "https://pypi.org/pypi/django/5.2/json"
SECONDS = 5

try:
    answer = requests.get(URL, timeout=SECONDS)
    answer.raise_for_status()
    found = "vulnerabilities" in answer.json()
except (requests.RequestException, ValueError) as error:
    sys.exit(f"The dependencies were not audited: {URL} can't be reached ({type(error).__name__}).")
if not found:
    sys.exit(f"The dependencies were not audited: {URL} knows of no vulnerabilities.")
