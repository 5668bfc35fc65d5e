"""What is installed and must not be used, and the audit of the rest."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
# Imports every module of ours in a process where the module `openid` can't be imported, and prints how many.
IMPORT_EVERYTHING = """
import importlib, pathlib, sys
sys.modules["openid"] = None
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


def test_the_unmaintained_openid_library_is_never_imported() -> None:
    """`python3-openid` is brought by social-auth-core, for OpenID 2.0, which no provider of ours speaks."""
    finished = _python(IMPORT_EVERYTHING)
    assert finished.returncode == 0, finished.stderr
    assert int(finished.stdout) > 200


def test_that_test_notices_an_import_of_it() -> None:
    finished = _python(f"{IMPORT_EVERYTHING}\nimport social_core.backends.open_id")
    assert finished.returncode == 1
    assert "openid" in finished.stderr.splitlines()[-1]


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_without_a_network_the_audit_is_left_out_and_said_so(variable: str) -> None:
    finished = _python("import runpy; runpy.run_path('.ci/audit_data.py')", **{variable: "http://127.0.0.1:1"})
    assert finished.returncode == 1
    assert finished.stderr.startswith("The dependencies were not audited: ")
    assert finished.stderr.count("\n") == 1
