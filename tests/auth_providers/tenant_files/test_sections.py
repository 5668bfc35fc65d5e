"""Which rows a file describes, what they are called, and which of them would not work."""

from typing import Any

import pytest

from auth_providers.models import AuthProvider, Flow, MessageTemplate, WebhookEndpoint
from auth_providers.outbound import webhook_signature
from auth_providers.tenant_files.sections import SECTIONS, Section, check, row_of, tenant_columns
from customers.models import MixinSchema, Segment
from tenants import api_keys
from tenants.errors import InvalidInput
from tenants.models import ApiKey, Site, Tenant, TenantOwned
from tenants.secrets.encryption import decrypt, encrypt


def section(name: str) -> Section:
    [found] = [each for each in SECTIONS if each.name == name]
    return found


def faults(name: str, tenant: Tenant, row: TenantOwned) -> list[str]:
    try:
        check(section(name), tenant, row)
    except InvalidInput as error:
        return [each.field for each in error.details]
    return []


def test_columns_are_those_of_a_set_up() -> None:
    own = {field.name for field in tenant_columns()}
    assert own >= {"name", "check_in_policy", "password_min_length"}
    assert not own & {"id", "code", "is_active", "has_imported_hashes", "created_at"}
    named = {each.name: {field.name for field in each.columns()} for each in SECTIONS}
    assert named["segments"] == {"code", "name", "description"}
    for name, secret in (
        ("api_keys", "secret_hash"),
        ("providers", "client_secret_encrypted"),
        ("webhook_endpoints", "secret_encrypted"),
    ):
        assert secret in {field.name for field in section(name).model._meta.concrete_fields}
        assert secret not in named[name]
    for columns in named.values():
        assert not columns & {"id", "tenant", "created_at", "updated_at"}


@pytest.mark.parametrize(
    ("name", "row", "called"),
    [
        ("sites", {"code": "de"}, "de"),
        ("sites", {}, ""),
        ("message_templates", {"template": "welcome", "site": "outlet", "language": "de"}, "welcome outlet de"),
        ("message_templates", {"template": "welcome"}, "welcome"),
        ("message_templates", {"template": "welcome", "site": "", "language": "de"}, "welcome  de"),
    ],
)
def test_a_row_is_called_by_its_key(name: str, row: dict[str, Any], called: str) -> None:
    assert section(name).name_of(row) == called


def test_objects_have_their_keys_in_one_order_at_any_depth(tenant: Tenant) -> None:
    schema = {"b": {"d": 1, "c": [{"f": [2], "e": 3}, "x"]}, "a": None}
    row = row_of(
        MixinSchema(tenant=tenant, url="https://a.example/", schema=schema), section("mixin_schemas").columns()
    )
    assert row["schema"] == schema
    assert str(row["schema"]) == "{'a': None, 'b': {'c': [{'e': 3, 'f': [2]}, 'x'], 'd': 1}}"


@pytest.mark.parametrize(
    ("model", "good", "bad", "fields"),
    [
        (Site, {"code": "de", "name": "DE"}, {"code": ""}, ["code"]),
        (Segment, {"code": "vip", "name": "VIP"}, {"code": ""}, ["code"]),
        (
            AuthProvider,
            {"name": "g", "kind": "google", "client_id": "us"},
            {"client_id": ""},
            ["client_id"],
        ),
        (
            WebhookEndpoint,
            {"name": "crm", "url": "https://crm.example/"},
            {"url": "http://crm.example/"},
            ["url"],
        ),
        (
            MixinSchema,
            {"url": "https://a.example/", "schema": {"type": "object"}},
            {"schema": {"type": "nonsense"}},
            ["schema"],
        ),
        (Flow, {"name": "f", "steps": [{"step": "activate"}]}, {"steps": [{"step": "fly"}]}, ["steps.0"]),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_row_that_would_not_work_is_refused(
    tenant: Tenant, model: Any, good: dict[str, Any], bad: dict[str, Any], fields: list[str]
) -> None:
    [name] = [each.name for each in SECTIONS if each.model is model]
    assert faults(name, tenant, model(tenant=tenant, **good)) == []
    assert faults(name, tenant, model(tenant=tenant, **good | bad)) == fields


def test_a_template_is_of_a_message_that_there_is_and_can_be_rendered(tenant: Tenant) -> None:
    given = {"template": "welcome", "language": "de", "subject": "Hallo", "text": "Hallo."}
    assert faults("message_templates", tenant, MessageTemplate(tenant=tenant, **given)) == []
    unknown = MessageTemplate(tenant=tenant, **given | {"template": "nonsense"})
    with pytest.raises(InvalidInput) as raised:
        check(section("message_templates"), tenant, unknown)
    assert [each.field for each in raised.value.details] == ["template"]
    broken = MessageTemplate(tenant=tenant, **given | {"text": "{% if %}"})
    assert faults("message_templates", tenant, broken)


# -- secrets ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "row", "column"),
    [
        ("providers", AuthProvider(), "client_secret_encrypted"),
        ("webhook_endpoints", WebhookEndpoint(), "secret_encrypted"),
    ],
    ids=["providers", "webhook_endpoints"],
)
def test_a_secret_is_kept_encrypted_and_compared(name: str, row: TenantOwned, column: str) -> None:
    secret, given, other = section(name).secret, webhook_signature.new_secret(), webhook_signature.new_secret()
    assert secret is not None
    for nothing in ("", encrypt("")):
        setattr(row, column, nothing)
        assert (secret.is_kept(row), secret.is_same(row, given), secret.is_same(row, "")) == (False, False, True)
    secret.store(row, given)
    assert decrypt(getattr(row, column)) == given
    assert (secret.is_kept(row), secret.is_same(row, given), secret.is_same(row, other)) == (True, True, False)


def test_a_secret_that_can_not_sign_is_refused() -> None:
    secret, row = section("webhook_endpoints").secret, WebhookEndpoint(secret_encrypted="")
    assert secret is not None
    with pytest.raises(InvalidInput) as raised:
        secret.store(row, "no secret that signs")
    [error] = raised.value.details
    assert (error.field, error.code, error.message) == ("secret", "invalid", webhook_signature.NO_SECRET)
    assert row.secret_encrypted == ""
    with pytest.raises(InvalidInput) as raised:
        (section("providers").secret or secret).store(AuthProvider(), "")
    assert [each.message for each in raised.value.details] == ["This is no such secret."]


def test_the_secret_of_a_key_is_kept_as_its_hash() -> None:
    secret, row = section("api_keys").secret, ApiKey(secret_hash="")
    assert secret is not None
    assert not secret.is_kept(row)
    secret.store(row, "of the key")
    assert row.secret_hash == api_keys.hash_secret("of the key")
    assert (secret.is_kept(row), secret.is_same(row, "of the key"), secret.is_same(row, "of another")) == (
        True,
        True,
        False,
    )


def test_flows_come_after_what_they_name() -> None:
    names = [each.name for each in SECTIONS]
    assert names.index("flows") > max(names.index("segments"), names.index("webhook_endpoints"))
    assert [each.name for each in SECTIONS if each.secret is None] == [
        "sites",
        "segments",
        "mixin_schemas",
        "message_templates",
        "flows",
    ]
