"""Profiles: creating and changing them, and the rules that each must satisfy."""

from collections.abc import Mapping
from typing import TypeGuard

from django.db.models import F, QuerySet
from django.utils import timezone

from customers import mixins, personal_details
from customers.mixins import MixinChanges
from customers.models import THERE, Customer
from customers.personal_details import PersonalDetails
from customers.spelling.emails import email_errors, normalize_email
from tenants import codes
from tenants.clients import Client
from tenants.compiled import transactions, writes
from tenants.compiled.instances import fresh
from tenants.compiled.queries import compiled
from tenants.errors import DomainError, FieldError, InvalidInput, Kind, Reason
from tenants.models import Tenant
from tenants.trail import audit


class ProfileChanges(PersonalDetails, MixinChanges, total=False):
    """What `create` and `update` write: an absent key leaves its field as it is, None unsets it.

    Which of these a customer may send, each contract says itself.
    """

    title: str | None
    first_name: str | None
    middle_name: str | None
    last_name: str | None
    contact_email: str | None
    contact_phone: str | None
    company: str | None
    company_registration_id: str | None
    preferred_language: str | None
    preferred_currency: str | None
    preferred_site: str | None


# The profile's columns among them.
FIELDS = tuple(name for name in ProfileChanges.__annotations__ if name not in mixins.FIELDS)
COMPANY_CUSTOMER_NEEDS = ("first_name", "last_name", "company")


class StaleVersion(DomainError):
    """The profile was changed since the caller read it."""

    kind = Kind.CONFLICT
    reason = Reason.STALE_VERSION
    default_message = "The profile was changed in the meantime. Read it again and repeat the change."


class CustomerNotFound(DomainError):
    """There is no such profile any more."""

    kind = Kind.NOT_FOUND
    reason = Reason.CUSTOMER_NOT_FOUND
    default_message = "Customer not found."


def changes_of(values: Mapping[str, object]) -> ProfileChanges:
    """The values as changes, for callers that know the fields at run time only: forms, parsers. Raises `TypeError` for
    a name that is no field of a profile."""
    if not _has_known_names(values):
        unknown = ", ".join(sorted(values.keys() - ProfileChanges.__annotations__.keys()))
        raise TypeError(f"{unknown} is not a field of a profile")
    return values


def _has_known_names(values: Mapping[str, object]) -> TypeGuard[ProfileChanges]:
    return values.keys() <= ProfileChanges.__annotations__.keys()


def create(*, tenant: Tenant, number: str, values: ProfileChanges) -> Customer:
    """Insert a profile with the tenant's defaults for what `values` leaves out. Raises `InvalidInput`."""
    customer = build(tenant=tenant, number=number, values=values)
    writes.insert(customer)
    return customer


def build(*, tenant: Tenant, number: str, values: ProfileChanges) -> Customer:
    """The profile that `create` would insert, for callers that insert many at once. Raises `InvalidInput`."""
    customer = fresh(
        Customer,
        tenant=tenant,
        number=number,
        is_active=tenant.is_customer_active_on_signup,
        is_on_hold=tenant.is_customer_on_hold_on_signup,
    )
    _assign(customer, values)
    return customer


def check(*, tenant: Tenant, values: ProfileChanges) -> None:
    """Raises the `InvalidInput` that `create` would, with nothing written: so that costly work can come after it."""
    _assign(fresh(Customer, tenant=tenant), values)


@transactions.brief()
def update(
    *,
    tenant: Tenant,
    customer: Customer,
    changes: ProfileChanges,
    expected_version: int | None = None,
    client: Client = audit.NO_CLIENT,
    staff_username: str = "",
) -> Customer:
    """Apply a merge patch (RFC 7396): None deletes, what is not named stays. Every write raises the version by one.

    Returns the changed profile. Raises `StaleVersion` when `expected_version` is not the stored one, `InvalidInput`,
    `CustomerNotFound`.
    """
    locked = _locked.first(tenant=tenant, key=customer.pk)
    if locked is None:
        raise CustomerNotFound
    locked.tenant = tenant
    _apply(locked, changes, expected_version)
    locked.version += 1
    locked.updated_at = timezone.now()
    writes.store(locked, waits=True)
    audit.record(
        tenant=tenant,
        action="change_profile",
        client=client,
        customer_number=locked.number,
        staff_username=staff_username,
        reason=", ".join(sorted(changes)),
        details={"fields": sorted(changes)},
    )
    return locked


def check_update(
    *, tenant: Tenant, customer: Customer, changes: ProfileChanges, expected_version: int | None = None
) -> None:
    """Raises what `update` would, with nothing written: for a form that shows what is wrong."""
    stored = Customer.objects.for_tenant(tenant).filter(pk=customer.pk, **THERE).first()
    if stored is None:
        raise CustomerNotFound
    stored.tenant = tenant
    _apply(stored, changes, expected_version)


def lock(*, tenant: Tenant, customer: Customer) -> None:
    """Hold the customer's row until the transaction ends, so that writes for one customer are serialized and none
    follows its erasure. Raises `CustomerNotFound`."""
    if not _locked_keys(tenant=tenant, key=customer.pk):
        raise CustomerNotFound


@compiled
def _locked(*, tenant: Tenant, key: int) -> QuerySet[Customer]:
    return Customer.objects.for_tenant(tenant).select_for_update().filter(pk=key, **THERE)


@compiled
def _locked_keys(*, tenant: Tenant, key: int) -> QuerySet[Customer, tuple[int]]:
    return Customer.objects.for_tenant(tenant).select_for_update().filter(pk=key, **THERE).values_list("pk")


def _apply(customer: Customer, changes: ProfileChanges, expected_version: int | None) -> None:
    if expected_version is not None and expected_version != customer.version:
        raise StaleVersion
    _refuse_unset_email(customer, changes)
    _assign(customer, changes)


def replace_contact_points(*, tenant: Tenant, customer: Customer, email: str | None, phone: str | None) -> None:
    """Give the profile these contact points, as a part of something that is on the audit trail."""
    customer.contact_email, customer.contact_phone = email, phone
    stored = Customer.objects.for_tenant(tenant).filter(pk=customer.pk)
    stored.update(
        contact_email=email,
        contact_phone=phone,
        search_profile=customer.profile_text(),
        version=F("version") + 1,
        updated_at=timezone.now(),
    )
    customer.version += 1


def _refuse_unset_email(customer: Customer, changes: ProfileChanges) -> None:
    if customer.contact_email and "contact_email" in changes and not changes["contact_email"]:
        raise InvalidInput.field("contact_email", "The contact e-mail can be changed but not removed.", code="required")


def _assign(customer: Customer, values: ProfileChanges) -> None:
    """Put `values` on the profile and check them; what is stored was checked by the lists of its day. Raises
    `InvalidInput` with everything that is wrong, and `TypeError` for a name that no profile has, whatever the caller's
    types promise."""
    email, currency = customer.contact_email, customer.preferred_currency
    for field, value in changes_of(values).items():
        if field in FIELDS and field not in personal_details.FIELDS:
            setattr(customer, field, value)
    mixins.assign(tenant=customer.tenant, holder=customer, patch=values)
    _fill_defaults(customer)
    errors = [
        *_contact_email_errors(customer, values, email),
        *_currency_errors(customer, values, currency),
        *_company_errors(customer),
        *personal_details.assign(customer=customer, values=values),
    ]
    if errors:
        raise InvalidInput(details=tuple(errors))


def _fill_defaults(customer: Customer) -> None:
    tenant = customer.tenant
    customer.preferred_language = customer.preferred_language or tenant.default_language
    customer.preferred_currency = customer.preferred_currency or tenant.default_currency
    customer.preferred_site = customer.preferred_site or tenant.default_site


def _contact_email_errors(customer: Customer, values: ProfileChanges, before: str | None) -> list[FieldError]:
    sent = values.get("contact_email")
    if not sent or sent == before:
        return []
    customer.contact_email = normalize_email(sent)
    return email_errors("contact_email", customer.contact_email)


def _currency_errors(customer: Customer, values: ProfileChanges, before: str) -> list[FieldError]:
    """What is sent has to be a currency of today, or the one that the profile or the shop has already."""
    sent = values.get("preferred_currency")
    if not sent or sent == before or codes.is_currency_of(tenant=customer.tenant, code=sent):
        return []
    return [FieldError(field="preferred_currency", code="invalid", message="Enter a currency code of ISO 4217.")]


def _company_errors(customer: Customer) -> list[FieldError]:
    if not customer.company_registration_id:
        return []
    return [
        FieldError(field=field, code="required", message="A company customer needs this field.")
        for field in COMPANY_CUSTOMER_NEEDS
        if not getattr(customer, field)
    ]
