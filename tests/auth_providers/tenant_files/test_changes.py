"""What applying a document adds, changes and removes, row by row, and which secrets it stores."""

from collections.abc import Mapping
from typing import Any

import pytest

from auth_providers.models import AuthProvider, Flow, WebhookEndpoint
from auth_providers.outbound import webhook_signature
from auth_providers.tenant_files import changes, documents
from auth_providers.tenant_files.reports import Change, FieldChange
from customers.models import Segment
from tenants import api_keys
from tenants.errors import InvalidInput
from tenants.models import ApiKey, AuditEvent, Site, Tenant
from tenants.secrets.encryption import decrypt, encrypt

OLD, NEW = webhook_signature.new_secret(), webhook_signature.new_secret()
VARIABLE = "HOOK"
HOOK: dict[str, Any] = {"name": "crm", "url": "https://crm.example/", "secret": {"env": VARIABLE}}


def document(tenant: Tenant, own: Mapping[str, Any] | None = None, **rows: list[dict[str, Any]]) -> documents.Document:
    """The tenant's document as it is, but for these values of its own, and these rows of sections."""
    there = documents.of_tenant(tenant)
    return documents.Document(
        code=there.code, tenant={**there.tenant, **(own or {})}, rows={**there.rows, **rows}, staff=None
    )


def apply(wanted: documents.Document, **environment: str) -> list[Change]:
    return changes.apply(wanted, environment=environment)


def make_hook(tenant: Tenant, secret: str = OLD, **fields: Any) -> WebhookEndpoint:
    given = {"name": "crm", "url": "https://crm.example/", "secret_encrypted": encrypt(secret) if secret else ""}
    return WebhookEndpoint.objects.create(tenant=tenant, **given | fields)


def secret_of(tenant: Tenant) -> str:
    return decrypt(WebhookEndpoint.objects.for_tenant(tenant).get().secret_encrypted)


def events() -> list[tuple[str, str]]:
    return list(AuditEvent.objects.values_list("tenant__code", "action"))


def test_rows_are_added_changed_and_removed_and_others_stay(tenant: Tenant, other_tenant: Tenant) -> None:
    for each in (tenant, other_tenant):
        for code in ("kept", "changed", "gone"):
            Segment.objects.create(tenant=each, code=code, name="Before")
    across = list(Segment.objects.for_tenant(other_tenant).order_by("pk").values())
    rows = [{"code": "new", "name": "New"}, {"code": "kept", "name": "Before"}, {"code": "changed", "name": "After"}]
    found = apply(document(tenant, segments=rows))
    assert found == [
        Change(section="segments", name="gone", kind="removed"),
        Change(section="segments", name="new", kind="added"),
        Change(
            section="segments",
            name="changed",
            kind="changed",
            fields=(FieldChange(field="name", before="Before", after="After"),),
        ),
    ]
    own = Segment.objects.for_tenant(tenant).order_by("code").values_list("code", "name")
    assert list(own) == [("changed", "After"), ("kept", "Before"), ("new", "New")]
    assert list(Segment.objects.for_tenant(other_tenant).order_by("pk").values()) == across
    assert events() == [(tenant.code, "apply_tenant_file")]


def test_a_section_that_is_empty_has_no_rows_afterwards(tenant: Tenant, other_tenant: Tenant) -> None:
    found = apply(document(tenant, api_keys=[]))
    assert found == [Change(section="api_keys", name="storefront", kind="removed")]
    assert not ApiKey.objects.for_tenant(tenant).exists()
    assert ApiKey.objects.for_tenant(other_tenant).count() == 1


def test_what_a_row_leaves_out_has_the_default_again(tenant: Tenant) -> None:
    Segment.objects.create(tenant=tenant, code="vip", name="VIP", description="Words")
    [change] = apply(document(tenant, segments=[{"code": "vip", "name": "VIP"}]))
    assert change.fields == (FieldChange(field="description", before="Words", after=""),)
    assert Segment.objects.for_tenant(tenant).get().description == ""


def test_what_the_tenant_leaves_out_has_the_default_and_what_has_none_stays(tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(name="Acme", password_min_length=15)
    tenant.refresh_from_db()
    default = Tenant._meta.get_field("password_min_length").get_default()
    wanted = document(tenant)
    found = apply(
        documents.Document(code=wanted.code, tenant={"is_confirmation_mailed": False}, rows=wanted.rows, staff=None)
    )
    assert [(each.section, each.name, each.kind) for each in found] == [("tenant", tenant.code, "changed")]
    assert FieldChange(field="password_min_length", before=15, after=default) in found[0].fields
    tenant.refresh_from_db()
    assert (tenant.name, tenant.password_min_length, tenant.is_confirmation_mailed) == ("Acme", default, False)


def test_the_tenants_own_values_change_and_anothers_stay(tenant: Tenant, other_tenant: Tenant) -> None:
    found = apply(document(tenant, {"name": "Acme & Co"}))
    changed = FieldChange(field="name", before=tenant.name, after="Acme & Co")
    assert found == [Change(section="tenant", name=tenant.code, kind="changed", fields=(changed,))]
    assert list(Tenant.objects.order_by("pk").values_list("name", flat=True)) == ["Acme & Co", other_tenant.name]


def test_what_a_file_may_not_say_of_a_tenant_stays(tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False, has_imported_hashes=True)
    apply(document(tenant, {"name": "Acme & Co"}))
    stored = Tenant.objects.get(pk=tenant.pk)
    assert (stored.number, stored.is_active, stored.has_imported_hashes) == (tenant.number, False, True)


def test_the_document_as_it_is_changes_nothing(tenant: Tenant) -> None:
    make_hook(tenant)
    assert apply(document(tenant)) == []
    assert events() == []


def test_a_tenant_that_is_not_there_is_created(tenant: Tenant) -> None:
    wanted = documents.read("format: 1\ncode: fresh\ntenant: {name: Fresh, password_min_length: 20}\n")
    found = apply(wanted)
    assert found[0] == Change(section="tenant", name="fresh", kind="added")
    fresh = Tenant.objects.get(code="fresh")
    assert (fresh.name, fresh.password_min_length) == ("Fresh", 20)
    assert Site.objects.for_tenant(tenant).count() == 1


def test_a_plan_is_what_applying_does_and_changes_nothing(tenant: Tenant) -> None:
    wanted = document(tenant, {"name": "Acme & Co"}, segments=[{"code": "vip", "name": "VIP"}])
    planned = changes.plan(wanted, environment={})
    assert not Segment.objects.exists()
    assert Tenant.objects.get(pk=tenant.pk).name == tenant.name
    assert events() == []
    assert apply(wanted) == planned
    assert len(planned) == 2


def test_of_what_is_refused_nothing_is_changed(tenant: Tenant) -> None:
    wanted = document(
        tenant,
        {"name": "Acme & Co"},
        segments=[{"code": "vip", "name": "VIP"}],
        flows=[{"name": "f", "steps": [{"step": "assign_segment", "code": "other"}]}],
    )
    for act in (changes.plan, changes.apply):
        with pytest.raises(InvalidInput) as failed:
            act(wanted, environment={})
        assert failed.value.details[0].field.startswith("flows.0.steps")
    assert Tenant.objects.get(pk=tenant.pk).name == tenant.name
    assert not Segment.objects.exists()
    assert not Flow.objects.exists()


# -- secrets ---------------------------------------------------------------------------------------------------------
def test_a_new_row_has_the_secret_of_its_variable(tenant: Tenant) -> None:
    assert apply(document(tenant, webhook_endpoints=[HOOK]), **{VARIABLE: NEW}) == [
        Change(section="webhook_endpoints", name="crm", kind="added")
    ]
    assert secret_of(tenant) == NEW


@pytest.mark.parametrize("environment", [{}, {VARIABLE: ""}, {"OTHER": NEW}])
def test_a_new_row_needs_the_variable_that_it_names(tenant: Tenant, environment: dict[str, str]) -> None:
    with pytest.raises(InvalidInput) as failed:
        apply(document(tenant, webhook_endpoints=[HOOK]), **environment)
    [error] = failed.value.details
    assert (error.field, error.code, error.message) == (
        "webhook_endpoints.0.secret",
        "required",
        f"Set the variable {VARIABLE}.",
    )
    assert not WebhookEndpoint.objects.exists()


def test_a_row_keeps_its_secret_where_the_variable_is_missing(tenant: Tenant) -> None:
    make_hook(tenant)
    assert apply(document(tenant, webhook_endpoints=[HOOK])) == []
    assert secret_of(tenant) == OLD


def test_a_row_that_has_no_secret_yet_needs_the_variable(tenant: Tenant) -> None:
    make_hook(tenant, secret="")
    with pytest.raises(InvalidInput):
        apply(document(tenant, webhook_endpoints=[HOOK]))


def test_the_same_secret_is_no_change_and_another_one_is(tenant: Tenant, other_tenant: Tenant) -> None:
    for each in (tenant, other_tenant):
        make_hook(each)
    wanted = document(tenant, webhook_endpoints=[HOOK])
    before = WebhookEndpoint.objects.for_tenant(tenant).get().secret_encrypted
    assert apply(wanted, **{VARIABLE: OLD}) == []
    assert WebhookEndpoint.objects.for_tenant(tenant).get().secret_encrypted == before
    changed = (FieldChange(field="secret", before=None, after=None),)
    assert apply(wanted, **{VARIABLE: NEW}) == [
        Change(section="webhook_endpoints", name="crm", kind="changed", fields=changed)
    ]
    assert (secret_of(tenant), secret_of(other_tenant)) == (NEW, OLD)


def test_a_row_that_names_no_variable_keeps_its_secret(tenant: Tenant) -> None:
    make_hook(tenant)
    row = {name: value for name, value in HOOK.items() if name != "secret"}
    assert apply(document(tenant, webhook_endpoints=[row]), **{VARIABLE: NEW}) == []
    assert secret_of(tenant) == OLD


def test_the_secret_of_an_api_key_is_stored_as_its_hash(tenant: Tenant) -> None:
    wanted = document(tenant, api_keys=[{"client_id": "backend", "secret": {"env": "KEY"}}])
    apply(wanted, KEY="key secret")
    assert ApiKey.objects.for_tenant(tenant).get().secret_hash == api_keys.hash_secret("key secret")
    assert apply(wanted, KEY="key secret") == []
    assert [each.kind for each in apply(wanted, KEY="another secret")] == ["changed"]


def test_the_secret_of_a_provider_is_stored_encrypted(tenant: Tenant) -> None:
    row = {"name": "google", "kind": "google", "client_id": "abc", "redirect_uris": ["https://acme.example/back"]}
    apply(document(tenant, providers=[row | {"secret": {"env": "GOOGLE"}}]), GOOGLE="google secret")
    stored = AuthProvider.objects.for_tenant(tenant).get().client_secret_encrypted
    assert "google secret" not in stored
    assert decrypt(stored) == "google secret"
