"""Which rows a tenant's file describes, and which of their columns: all but keys of ours, moments, and secrets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from django.core.exceptions import ValidationError
from django.db import models

from auth_providers.intake import flows
from auth_providers.messaging import template_overrides
from auth_providers.models import AuthProvider, Flow, MessageTemplate, WebhookEndpoint
from auth_providers.outbound import http_client, webhook_signature
from auth_providers.providers import setup
from auth_providers.providers.kind import client_secret
from customers import mixins
from customers.models import MixinSchema, Segment
from tenants import api_keys
from tenants.errors import FieldError, InvalidInput
from tenants.json_values import Json
from tenants.models import ApiKey, Site, Tenant, TenantOwned
from tenants.secrets.encryption import decrypt, encrypt

Row = dict[str, Json]

TENANT = "tenant"
SECRET = "secret"  # noqa: S105 - the name of an entry
# What names the tenant, what happens to it in operation, and when it was made.
NOT_OF_TENANT = ("code", "is_active", "has_imported_hashes")


@dataclass(frozen=True, kw_only=True)
class Secret:
    """How a row keeps its secret: whether it has one, whether it is this one, and how it gets it."""

    is_kept: Callable[[TenantOwned], bool]
    is_same: Callable[[TenantOwned, str], bool]
    store: Callable[[TenantOwned, str], None]


@dataclass(frozen=True, kw_only=True)
class Section:
    """One list of the file: rows of a model, named by the columns `key`. `check` raises `InvalidInput` for a row that
    would not work."""

    name: str
    model: type[TenantOwned]
    key: tuple[str, ...]
    check: Callable[[Tenant, TenantOwned], None] = lambda tenant, row: None
    secret: Secret | None = None

    def columns(self) -> list[models.Field[object, object]]:
        """The columns in the order of the model."""
        return columns_of(self.model, without=("tenant",))

    def name_of(self, row: Mapping[str, Json]) -> str:
        """What the row is called in messages."""
        return " ".join(str(row.get(column, "")) for column in self.key).strip()


def columns_of(model: type[models.Model], *, without: tuple[str, ...]) -> list[models.Field[object, object]]:
    """The model's columns that describe a set-up."""
    return [
        field
        for field in model._meta.concrete_fields
        if not field.primary_key
        and field.name not in without
        and not isinstance(field, models.DateTimeField)
        and not field.name.endswith(("_encrypted", "_hash"))
    ]


def tenant_columns() -> list[models.Field[object, object]]:
    """The tenant's own columns."""
    return columns_of(Tenant, without=NOT_OF_TENANT)


def row_of(instance: models.Model, columns: list[models.Field[object, object]]) -> Row:
    """The columns' values, as the file has them."""
    return {field.name: _ordered(getattr(instance, field.attname)) for field in columns}


def _ordered(value: Json) -> Json:
    """With the keys of objects in one order, whatever order a database keeps."""
    if isinstance(value, Mapping):
        return {key: _ordered(value[key]) for key in sorted(value)}
    return [_ordered(each) for each in value] if isinstance(value, list) else value


def _check_provider(tenant: Tenant, row: TenantOwned) -> None:
    provider = cast(AuthProvider, row)
    setup.check(provider, secret=client_secret(provider))


def _check_flow(tenant: Tenant, row: TenantOwned) -> None:
    flows.check(tenant=tenant, steps=cast(Flow, row).steps)


def _check_template(tenant: Tenant, row: TenantOwned) -> None:
    override = cast(MessageTemplate, row)
    if override.template not in template_overrides.SAMPLES:
        raise InvalidInput.field("template", "There is no such message.", code="unknown")
    override.tenant = tenant
    template_overrides.render_sample(override)


def _check_schema(tenant: Tenant, row: TenantOwned) -> None:
    mixins.check_schema(cast(MixinSchema, row).schema)


def _check_endpoint(tenant: Tenant, row: TenantOwned) -> None:
    if not http_client.is_allowed(cast(WebhookEndpoint, row).url):
        raise InvalidInput.field("url", "Only https is called, unless the deployment allows the host.", code="invalid")


def _full_clean(row: models.Model) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        raise InvalidInput.of_model(error) from error


def check(section: Section, tenant: Tenant, row: TenantOwned) -> None:
    """Raises `InvalidInput` unless the row can be stored and would work."""
    _full_clean(row)
    section.check(tenant, row)


def _encrypted(
    column: str, is_well_formed: Callable[[str], bool] = bool, *, refusal: str = "This is no such secret."
) -> Secret:
    def store(row: TenantOwned, secret: str) -> None:
        if not is_well_formed(secret):
            raise InvalidInput(details=(FieldError(field=SECRET, code="invalid", message=refusal),))
        setattr(row, column, encrypt(secret))

    def stored(row: TenantOwned) -> str:
        return decrypt(getattr(row, column)) if getattr(row, column) else ""

    return Secret(
        is_kept=lambda row: stored(row) != "",
        is_same=lambda row, secret: stored(row) == secret,
        store=store,
    )


_OF_API_KEY = Secret(
    is_kept=lambda row: cast(ApiKey, row).secret_hash != "",
    is_same=lambda row, secret: cast(ApiKey, row).secret_hash == api_keys.hash_secret(secret),
    store=lambda row, secret: setattr(row, "secret_hash", api_keys.hash_secret(secret)),
)

# In the order in which they are written: flows name segments and endpoints.
SECTIONS = (
    Section(name="sites", model=Site, key=("code",)),
    Section(name="api_keys", model=ApiKey, key=("client_id",), secret=_OF_API_KEY),
    Section(
        name="providers",
        model=AuthProvider,
        key=("name",),
        check=_check_provider,
        secret=_encrypted("client_secret_encrypted"),
    ),
    Section(name="segments", model=Segment, key=("code",)),
    Section(name="mixin_schemas", model=MixinSchema, key=("url",), check=_check_schema),
    Section(
        name="webhook_endpoints",
        model=WebhookEndpoint,
        key=("name",),
        check=_check_endpoint,
        secret=_encrypted("secret_encrypted", webhook_signature.is_secret, refusal=webhook_signature.NO_SECRET),
    ),
    Section(
        name="message_templates", model=MessageTemplate, key=("template", "site", "language"), check=_check_template
    ),
    Section(name="flows", model=Flow, key=("name",), check=_check_flow),
)
