"""`manage.py tenant`: a shop goes out to a file and comes back the same, all of it or nothing."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.db import transaction

from auth_providers.models import AuthProvider, Flow, MessageTemplate, WebhookEndpoint
from auth_providers.outbound import webhook_signature
from auth_providers.providers import registry
from auth_providers.tenant_files import documents
from auth_providers.tenant_files.sections import SECTIONS
from customers.models import MixinSchema, Segment
from tenants import api_keys, sites
from tenants.errors import InvalidInput
from tenants.json_values import Json
from tenants.models import ApiKey, AuditEvent, Scope, Site, Tenant
from tenants.secrets.encryption import decrypt, encrypt

SCHEMA = Path(__file__).parents[3] / "docs" / "tenant-file.schema.json"
KEY_SECRET, GOOGLE_SECRET = "key secret", "google secret"
WEBHOOK_SECRET = webhook_signature.new_secret()


def run(*words: object) -> str:
    output = StringIO()
    call_command("tenant", *map(str, words), stdout=output)
    return output.getvalue()


def export(code: str = "acme") -> str:
    return run("export", code)


def apply(folder: Path, content: str, action: str = "apply") -> str:
    path = folder / "tenant.yaml"
    path.write_text(content, encoding="utf-8")
    return run(action, path)


@pytest.fixture
def shop(tenant: Tenant, other_tenant: Tenant) -> Tenant:
    """A tenant with something in every section, beside another one."""
    Tenant.objects.filter(pk=tenant.pk).update(password_min_length=15, logo_url="https://acme.example/logo.svg")
    sites.create(tenant=tenant, code="de", name="Deutschland")
    key, _ = api_keys.create(tenant=tenant, client_id="backend", has_secret=True)
    api_keys.replace_secret(key=key, secret=KEY_SECRET)
    api_keys.grant(key=key, scopes=[Scope.CUSTOMERS_WRITE])
    registry.configure(
        tenant=tenant,
        name="google",
        secret=GOOGLE_SECRET,
        settings={"kind": "google", "client_id": "abc", "redirect_uris": ["https://acme.example/back"]},
    )
    Segment.objects.create(tenant=tenant, code="vip", name="VIP", description="Zwei\nZeilen")
    MixinSchema.objects.create(tenant=tenant, url="https://acme.example/s.json", schema={"type": "object"})
    WebhookEndpoint.objects.create(
        tenant=tenant, name="crm", url="https://crm.acme.example/in", secret_encrypted=encrypt(WEBHOOK_SECRET)
    )
    Flow.objects.create(tenant=tenant, name="welcome", steps=[{"step": "assign_segment", "code": "vip"}])
    MessageTemplate.objects.create(
        tenant=tenant, template="welcome", language="de", subject="Grüß Gott", text="Schön,\ndass Sie da sind.\n"
    )
    MessageTemplate.objects.create(tenant=tenant, template="welcome", language="pt-BR", subject="s", text="t")
    tenant.refresh_from_db()
    return tenant


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEYS_BACKEND", KEY_SECRET)
    monkeypatch.setenv("ACME_PROVIDERS_GOOGLE", GOOGLE_SECRET)
    monkeypatch.setenv("ACME_WEBHOOK_ENDPOINTS_CRM", WEBHOOK_SECRET)


def test_of_very_many_errors_the_first_twenty_are_named() -> None:
    with pytest.raises(InvalidInput) as refused:
        documents.read(f"code: acme\ntenant: {{}}\nsites: {[*range(30)]}\n")
    assert len(refused.value.details) == 20


@pytest.fixture
def elsewhere() -> Iterator[None]:
    """A database without the shop, until the test ends."""
    with transaction.atomic():
        for section in SECTIONS[::-1]:
            section.model.objects.filter(tenant__code="acme").delete()
        Tenant.objects.filter(code="acme").update(code="before", number=999)
        yield
        transaction.set_rollback(True)


def test_an_export_says_everything_but_secrets(shop: Tenant) -> None:
    text = export()
    content = yaml.safe_load(text)
    assert content["code"] == "acme"
    assert content["tenant"]["password_min_length"] == 15
    assert [site["code"] for site in content["sites"]] == ["de", "main"]
    assert content["api_keys"][0]["secret"] == {"env": "ACME_API_KEYS_BACKEND"}
    assert content["flows"][0]["steps"] == [{"step": "assign_segment", "code": "vip"}]
    assert "Grüß Gott" in text
    for secret in (KEY_SECRET, GOOGLE_SECRET, WEBHOOK_SECRET):
        assert secret not in text
    assert all(content[section.name] for section in SECTIONS)


@pytest.mark.usefixtures("secrets")
def test_an_export_that_is_applied_elsewhere_is_exported_the_same(
    shop: Tenant, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    text = export()
    request.getfixturevalue("elsewhere")
    assert apply(tmp_path, text).splitlines()[0] == "+ tenant acme"
    assert export() == text
    assert apply(tmp_path, text) == "Nothing was changed.\n"
    tenant = Tenant.objects.get(code="acme")
    key = api_keys.get_active(tenant_code="acme", client_id="backend")
    api_keys.check_secret(key=key, secret=KEY_SECRET)
    assert decrypt(AuthProvider.objects.for_tenant(tenant).get().client_secret_encrypted) == GOOGLE_SECRET
    assert decrypt(WebhookEndpoint.objects.for_tenant(tenant).get().secret_encrypted) == WEBHOOK_SECRET


def test_the_own_export_changes_nothing_and_needs_no_secrets(shop: Tenant, tmp_path: Path) -> None:
    assert apply(tmp_path, export()) == "Nothing was changed.\n"
    assert not AuditEvent.objects.filter(action="apply_tenant_file").exists()
    api_keys.check_secret(key=api_keys.get_active(tenant_code="acme", client_id="backend"), secret=KEY_SECRET)


def changed(text: str) -> str:
    content: dict[str, Json] = yaml.safe_load(text)
    content["tenant"]["default_currency"] = "CHF"  # type: ignore[index]
    content["segments"] = [{"code": "new"}]
    content["flows"] = [{"name": "welcome", "is_enabled": False, "steps": [{"step": "challenge"}]}]
    return yaml.safe_dump(content)


EXPECTED = [
    "~ tenant acme",
    '    default_currency: "USD" -> "CHF"',
    "- segments vip",
    "+ segments new",
    "~ flows welcome",
    "    is_enabled: true -> false",
    '    steps: [{"code": "vip", "step": "assign_segment"}] -> [{"step": "challenge"}]',
]


def test_a_plan_says_what_would_change_and_changes_nothing(shop: Tenant, tmp_path: Path) -> None:
    before = export()
    assert apply(tmp_path, changed(before), "plan").splitlines() == EXPECTED
    assert export() == before
    assert not AuditEvent.objects.filter(action="apply_tenant_file").exists()


@pytest.mark.parametrize(("length", "shown"), [(98, f'"{"x" * 98}"'), (99, f'"{"x" * 96}...')])
def test_of_a_long_value_a_plan_shows_a_hundred_characters(
    shop: Tenant, tmp_path: Path, length: int, shown: str
) -> None:
    Segment.objects.filter(code="vip").update(description="old")
    content = export().replace("description: old", f"description: {'x' * length}")
    assert apply(tmp_path, content, "plan").splitlines()[-1] == f'    description: "old" -> {shown}'


def test_apply_does_what_the_plan_said(shop: Tenant, tmp_path: Path) -> None:
    content = changed(export())
    assert apply(tmp_path, content).splitlines() == EXPECTED
    assert apply(tmp_path, content, "plan") == "Nothing would change.\n"
    assert AuditEvent.objects.filter(action="apply_tenant_file", tenant=shop).count() == 1


def test_another_tenants_rows_stay(shop: Tenant, other_tenant: Tenant, tmp_path: Path) -> None:
    Segment.objects.create(tenant=other_tenant, code="vip")
    before = export(other_tenant.code)
    apply(tmp_path, changed(export()))
    assert export(other_tenant.code) == before


def test_a_new_secret_is_taken_from_the_environment_and_not_shown(
    shop: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_API_KEYS_BACKEND", "another secret")
    assert apply(tmp_path, export()).splitlines() == ["~ api_keys backend", "    secret: another one"]
    key = api_keys.get_active(tenant_code="acme", client_id="backend")
    api_keys.check_secret(key=key, secret="another secret")


@pytest.mark.usefixtures("secrets")
@pytest.mark.parametrize("secret", ["whsec_", "whsec_A", "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="])
def test_a_webhooks_secret_that_is_none_is_refused(
    shop: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    before = WebhookEndpoint.objects.for_tenant(shop).get().secret_encrypted
    monkeypatch.setenv("ACME_WEBHOOK_ENDPOINTS_CRM", secret)
    with pytest.raises(CommandError, match=r"webhook_endpoints\.0\.secret: A secret that signs is 24 to 64 bytes"):
        apply(tmp_path, export())
    assert WebhookEndpoint.objects.for_tenant(shop).get().secret_encrypted == before


def test_a_secret_that_is_missing_is_named(shop: Tenant, tmp_path: Path) -> None:
    text = export()
    ApiKey.objects.for_tenant(shop).delete()
    with pytest.raises(CommandError, match=r"api_keys\.0\.secret: Set the variable ACME_API_KEYS_BACKEND"):
        apply(tmp_path, text)
    assert not ApiKey.objects.for_tenant(shop).exists()


@pytest.mark.parametrize(
    ("section", "row", "words"),
    [
        ("flows", {"name": "f", "steps": [{"step": "nonsense"}]}, r"flows\.0\.steps"),
        ("flows", {"name": "f", "steps": [{"step": "assign_segment", "code": "none"}]}, r"flows\.0\.steps"),
        ("providers", {"name": "p", "kind": "nonsense"}, r"providers\.0"),
        ("webhook_endpoints", {"name": "w", "url": "http://10.0.0.1/"}, r"webhook_endpoints\.0\.url"),
        (
            "message_templates",
            {"template": "none", "language": "de", "subject": "s", "text": "t"},
            r"message_templates\.0",
        ),
        (
            "message_templates",
            {"template": "opt_in", "language": "de", "subject": "s", "text": "no link"},
            r"message_templates\.0\.text",
        ),
        (
            "message_templates",
            {"template": "welcome", "language": "xx", "subject": "s", "text": "t"},
            r"message_templates\.0\.language",
        ),
        (
            "message_templates",
            {"template": "welcome", "language": "pt_br", "subject": "s", "text": "t"},
            r"message_templates\.0\.language: This language is spelled pt-BR",
        ),
        ("mixin_schemas", {"url": "https://a.example/", "schema": {"type": "nonsense"}}, r"mixin_schemas\.0\.schema"),
        ("api_keys", {"client_id": "k", "scopes": "customers.write"}, r"api_keys\.0"),
        ("sites", {"code": "x", "number": -1}, r"sites\.0\.number"),
        ("sites", {"code": "x" * 65}, r"sites\.0\.code"),
        ("sites", {"number": 1}, "code"),
        ("sites", {"code": "x", "nonsense": 1}, "nonsense"),
        ("nonsense", {}, "nonsense"),
    ],
)
def test_a_row_that_would_not_work_is_refused_and_nothing_is_changed(
    shop: Tenant, tmp_path: Path, section: str, row: dict[str, Json], words: str
) -> None:
    before = export()
    content = {**yaml.safe_load(before), section: [row]}
    content["tenant"]["name"] = "Changed before the failure"
    with pytest.raises(CommandError, match=words):
        apply(tmp_path, yaml.safe_dump(content))
    assert export() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("default_currency", "XYZ"),
        ("default_country", "ZZ"),
        ("password_min_length", 7),
        ("password_min_length", "many"),
        ("check_in_policy", "nonsense"),
        ("brand_color", "green"),
        ("customer_access_lifetime", -1),
        ("renewable_refresh_lifetime", 1),
        ("is_opt_in_required", "yes"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(shop: Tenant, tmp_path: Path, field: str, value: Json) -> None:
    before = export()
    content = yaml.safe_load(before)
    content["tenant"][field] = value
    with pytest.raises(CommandError, match=rf"tenant\.({field}|__all__)"):
        apply(tmp_path, yaml.safe_dump(content))
    assert export() == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "object"),
        ("[1]", "object"),
        ("a: [", "not YAML"),
        ("format: 2\ncode: acme\ntenant: {}\n", "format"),
        ("format: 1\ncode: A\ntenant: {}\n", "code"),
        ("format: 1\ncode: acme\ntenant: &a {}\nsites: [*a]\n", "aliases"),
        ("format: 1\ncode: acme\ncode: acme\ntenant: {}\n", "twice"),
        ("format: 1\ncode: acme\ntenant: {}\nsites: [{code: x}, {code: x}]\n", "twice"),
        ("!!python/object/apply:os.system [id]", "not YAML"),
        ("[" * 100_000, "YAML"),
        ("format: 1\ncode: acme\ntenant: {1: 2}\n", "no text"),
    ],
)
def test_a_file_that_is_none(tenant: Tenant, tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        apply(tmp_path, text)


@pytest.mark.parametrize(("size", "words"), [(4 * 2**20, "format"), (4 * 2**20 + 1, "larger than 4194304 bytes")])
def test_a_file_has_four_mebibytes_at_most(tenant: Tenant, tmp_path: Path, size: int, words: str) -> None:
    start = "format: 2\ncode: acme\ntenant: {}\n#"
    with pytest.raises(CommandError, match=words):
        apply(tmp_path, start + "x" * (size - len(start)))


def test_a_small_file_makes_a_shop(db: None, tmp_path: Path) -> None:
    apply(tmp_path, "format: 1\ncode: fresh\ntenant: {name: Fresh, default_currency: EUR}\nsites: [{code: main}]\n")
    tenant = Tenant.objects.get(code="fresh")
    assert (tenant.name, tenant.default_currency, tenant.is_active) == ("Fresh", "EUR", True)
    assert Site.objects.for_tenant(tenant).get().code == "main"


def test_a_shop_is_suspended_and_resumed(tenant: Tenant) -> None:
    assert "Suspended acme" in run("suspend", "acme")
    assert not Tenant.objects.filter(code="acme", is_active=True).exists()
    assert "Resumed acme" in run("resume", "acme")
    assert Tenant.objects.filter(code="acme", is_active=True).exists()
    assert set(AuditEvent.objects.values_list("action", flat=True)) == {"suspend_tenant", "resume_tenant"}


@pytest.mark.parametrize("words", [("export", "nobody"), ("suspend", "nobody"), ("plan", "none.yaml")])
def test_what_is_not_there(db: None, words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=r"no tenant nobody|can't be read"):
        run(*words)


def test_the_published_schema_is_that_of_the_code() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json.loads(run("schema"))
