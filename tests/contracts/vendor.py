"""The vendor's documents, where they are beside the repository."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

FOLDER: Path = settings.BASE_DIR.parent / "shared" / "contracts"
EDITION_2025 = "emporix-customer-2025-12-09.yml"
EDITION_2026 = "emporix-customer-2026-08.yml"
# What the later edition adds.
ADDED = "/customer/{tenant}/exchangeauthtoken"
METHODS = ("get", "post", "put", "patch", "delete")

needs_vendor = pytest.mark.skipif(not FOLDER.is_dir(), reason="the vendor's documents are not beside the repository")


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return document
