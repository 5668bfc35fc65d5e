"""What is installed and must not be used, and the audit of the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
# Imports every module of ours in a process where what speaks OpenID 2.0 can't be imported, and prints how many.
IMPORT_EVERYTHING = """
import importlib, pathlib, sys
for name in ("openid.consumer.consumer", "openid.server", "openid.extensions", "social_core.backends.open_id"):
    sys.modules[name] = None
import django
django.setup()
count = 0
for app in ("config", "tenants", "customers", "auth_providers"):
    for path in sorted(pathlib.Path(app).rglob("*.py")):
        importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
        count += 1
import django.urls
django.urls.get_resolver().url_patterns
print(count)
"""


def _python(code: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"} | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_redis_is_imported_only_where_it_is_used() -> None:
    """Its client takes 21 MiB of each process."""
    finished = _python("import config.server.rsgi, sys; print('redis' in sys.modules, 'pybreaker' in sys.modules)")
    assert (finished.returncode, finished.stdout) == (0, "False True\n"), finished.stderr


def test_the_unmaintained_openid_library_never_speaks_with_anybody() -> None:
    """`python3-openid` is brought by social-auth-core, for OpenID 2.0, which no provider of ours speaks. The tables of
    social-auth-app-django, for log-ins of staff, import its data classes; what sends, reads or answers stays out."""
    finished = _python(IMPORT_EVERYTHING)
    assert finished.returncode == 0, finished.stderr
    assert int(finished.stdout) > 200


def test_that_test_notices_an_import_of_it() -> None:
    finished = _python(f"{IMPORT_EVERYTHING}\nimport social_core.backends.openstack")
    assert finished.returncode == 1
    assert "open" in finished.stderr.splitlines()[-1]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_without_a_network_the_audit_is_left_out_and_said_so(variable: str) -> None:
    finished = _python("import runpy; runpy.run_path('.ci/audit_data.py')", **{variable: "http://127.0.0.1:1"})
    assert finished.returncode == 1
    assert finished.stderr.startswith("The dependencies were not audited: ")
    assert finished.stderr.count("\n") == 1
