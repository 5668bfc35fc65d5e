"""`register_mixin_schema` registers, replaces, and says what is wrong without writing anything."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from customers.models import MixinSchema
from tenants.models import Tenant

URL = "https://schemas.example/loyalty.json"


def register(folder: Path, content: Any, tenant: str = "acme") -> str:
    path, output = folder / "schema.json", StringIO()
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    call_command("register_mixin_schema", tenant, URL, str(path), stdout=output)
    return output.getvalue()


def test_register_mixin_schema_and_again(tenant: Tenant, tmp_path: Path) -> None:
    assert register(tmp_path, {"type": "object"}) == f"Registered the schema {URL}.\n"
    assert register(tmp_path, {"type": "string"}) == f"Replaced the schema {URL}.\n"
    stored = MixinSchema.objects.get()
    assert (stored.tenant, stored.url, stored.schema) == (tenant, URL, {"type": "string"})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not valid JSON, line 1 column"),
        ({"type": "nonsense"}, "schema: This is not a JSON Schema"),
        ({"$ref": "https://schemas.example/other.json"}, "stands alone"),
    ],
)
def test_register_mixin_schema_that_is_wrong(tenant: Tenant, tmp_path: Path, content: Any, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        register(tmp_path, content)
    assert not MixinSchema.objects.exists()


@pytest.mark.django_db
def test_register_mixin_schema_for_no_tenant(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no tenant nobody"):
        register(tmp_path, {}, tenant="nobody")
