"""The suite's settings: the product's own, with secrets of its own and a database that `TEST_DATABASE_URL` names."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "0123456789abcdef" * 4)
os.environ.setdefault("ENCRYPTION_KEYS", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
os.environ.setdefault("PUBLIC_URL", "http://localhost:8000")
os.environ.setdefault("VAR_DIR", str(Path(tempfile.gettempdir()) / "patron-tests"))
Path(os.environ["VAR_DIR"]).mkdir(parents=True, exist_ok=True)
if url := os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = url
else:
    os.environ.pop("DATABASE_URL", None)

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES, VAR_DIR  # noqa: E402

ALLOWED_HOSTS = ["*"]
SECURE_SSL_REDIRECT = False
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Looked up when asked for: every test loads the middleware anew, and listing all files took longer than most tests.
WHITENOISE_AUTOREFRESH = True
DATABASES["default"]["CONN_MAX_AGE"] = 0
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, as in production: a database in memory locks differently.
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / f"test-{os.getpid()}.sqlite3"}
