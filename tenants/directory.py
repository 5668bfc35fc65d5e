"""Which tenants exist: look-up by code, creation."""

import re
from collections.abc import Mapping

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.utils.module_loading import import_string

from tenants import codes, signing_keys, sites
from tenants.compiled.queries import compiled
from tenants.errors import DomainError, FieldError, InvalidInput, Kind, Reason
from tenants.models import CODE_MAX_LENGTH, CODE_MIN_LENGTH, CODE_PATTERN, Tenant
from tenants.trail import audit

FIRST_NUMBER = 10001
CREATION_LOCK = 0x7061_7472_6F6E  # any number that no other advisory lock uses


class UnknownTenant(DomainError):
    """No active tenant has this code, or the code is not one at all."""

    kind = Kind.INVALID
    reason = Reason.UNKNOWN_TENANT
    default_message = "The tenant information provided with the request is not valid."


def is_code(text: str) -> bool:
    """Whether `text` could be a tenant's code."""
    return CODE_MIN_LENGTH <= len(text) <= CODE_MAX_LENGTH and re.fullmatch(CODE_PATTERN, text) is not None


def get_tenant(code: str) -> Tenant:
    """The active tenant of this code. Raises `UnknownTenant`."""
    tenant = _active.first(code=code) if is_code(code) else None
    if tenant is None:
        raise UnknownTenant
    return tenant


def find(code: str) -> Tenant | None:
    """The tenant of this code, active or not."""
    return Tenant.objects.filter(code=code).first()


def note_imported_hashes(*, tenant: Tenant) -> None:
    """From now on the tenant has passwords in other kinds of hashes than ours."""
    Tenant.objects.filter(pk=tenant.pk, has_imported_hashes=False).update(has_imported_hashes=True)


def list_all() -> list[Tenant]:
    """Every tenant, active or not, by code."""
    return list(Tenant.objects.order_by("code"))


@transaction.atomic
def set_active(*, tenant: Tenant, is_active: bool) -> None:
    """Let the tenant's API be used, or nobody use it; nothing is deleted."""
    Tenant.objects.filter(pk=tenant.pk).update(is_active=is_active)
    audit.record(tenant=tenant, action="resume_tenant" if is_active else "suspend_tenant")


def differences(*, tenant: Tenant, name: str, fields: Mapping[str, object]) -> list[str]:
    """Those of the fields, as `create_tenant` takes them, in which the tenant differs: `name is …, not …`."""
    wanted = {"name": name, **fields} if name else dict(fields)
    there = {field: getattr(tenant, field) for field in wanted}
    return [
        f"{field} is {there[field]}, not {value}" for field, value in wanted.items() if str(there[field]) != str(value)
    ]


def check_defaults(fields: Mapping[str, object]) -> None:
    """Raises `InvalidInput` for a default that is to be set and does not exist: a currency, a country."""
    currency, country = fields.get("default_currency"), fields.get("default_country")
    errors = []
    if currency is not None and not codes.is_currency(str(currency)):
        errors.append(
            FieldError(field="default_currency", code="invalid", message="Enter a currency code of ISO 4217.")
        )
    if country is not None and country not in codes.countries():
        errors.append(
            FieldError(field="default_country", code="invalid", message="Enter a country code of ISO 3166-1 alpha-2.")
        )
    if errors:
        raise InvalidInput(details=tuple(errors))


@compiled
def _active(*, code: str) -> QuerySet[Tenant]:
    return Tenant.objects.filter(code=code, is_active=True)


def check_new(*, code: str) -> None:
    """Raises `InvalidInput` for what cannot be the code of a new tenant."""
    _check_code(code)
    if find(code) is not None:
        raise InvalidInput.field("code", "There is a shop of this code already.", code="duplicate")


def _check_code(code: str) -> None:
    if not is_code(code) or code in import_string(settings.RESERVED_TENANT_CODES)():
        raise InvalidInput.field(
            "code",
            f"'{code}' cannot be a tenant's code: 3 to 16 of a-z and 0-9, a letter first, no reserved word.",
        )


@transaction.atomic
def create_tenant(*, code: str, name: str = "", **fields: object) -> tuple[Tenant, bool]:
    """Create the tenant with its first signing key and its default site; an existing one is left as it is.

    `fields` are those of `Tenant`. Returns the tenant and whether it is new. Raises `InvalidInput`.
    """
    _check_code(code)
    check_defaults(fields)
    _wait_for_turn()
    existing = Tenant.objects.filter(code=code).first()
    if existing is not None:
        return existing, False
    fields.setdefault("number", (Tenant.objects.aggregate(last=Max("number"))["last"] or FIRST_NUMBER - 1) + 1)
    tenant = Tenant(code=code, name=name or code, **fields)
    try:
        tenant.full_clean()
    except ValidationError as error:
        raise InvalidInput.of_model(error) from error
    tenant.save(force_insert=True)
    sites.create(tenant=tenant, code=tenant.default_site, name=tenant.name)
    signing_keys.create(tenant=tenant)
    return tenant, True


def _wait_for_turn() -> None:
    """Tenants are created one at a time, so that each creation sees the codes and numbers of those before.

    The lock ends with the transaction. SQLite's writing transactions run one at a time anyway.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CREATION_LOCK])
