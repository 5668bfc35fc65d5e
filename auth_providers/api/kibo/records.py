"""The contract's bodies. What we don't know is null: nothing is made up."""

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from tenants.api.records import Moment, Record, Seconds


class ErrorData(Record):
    name: str
    value: str


class ErrorItem(Record, rename="camel"):
    """One field at fault."""

    application_name: str
    error_code: str
    message: str
    correlation_id: str
    additional_error_data: list[ErrorData]
    items: Annotated[list[Any], Meta(max_length=0)]


class Error(Record, rename="camel"):
    """Every failure."""

    application_name: str
    error_code: Annotated[str, Meta(pattern="^[A-Z]+(_[A-Z]+)*$")]
    message: str
    correlation_id: str
    additional_error_data: list[ErrorData]
    items: list[ErrorItem]


class Part(Record, omit_defaults=False, rename="camel"):
    """Base of what succeeds: a field that is None is null, and `responseFields` may leave out any."""


class ApplicationToken(Part, rename=None):
    """RFC 6749, 5.1. There is no refresh token: an application sends its credentials again."""

    access_token: str | None = None
    token_type: Literal["bearer"] | None = None
    expires_in: Seconds | None = None
    refresh_token: str | None = None


class ApplicationTicket(Part):
    """The same token in an older form."""

    access_token: str | None = None
    access_token_expiration: Moment | None = None
    refresh_token: str | None = None
    refresh_token_expiration: Moment | None = None


class TenantSite(Part):
    id: int | None = None
    tenant_id: int | None = None
    name: str | None = None
    domain: str | None = None
    locale_code: str | None = None
    country_code: str | None = None
    currency_code: str | None = None


class TenantWithSites(Part):
    id: int | None = None
    name: str | None = None
    domain: str | None = None
    is_dev_tenant: bool | None = None
    sites: list[TenantSite] = []


class AuditInfo(Part):
    create_by: str | None = None
    create_date: Moment | None = None
    update_by: str | None = None
    update_date: Moment | None = None


class Attribute(Part):
    attribute_definition_id: int | None = None
    fully_qualified_name: str | None = None
    values: list[Any] = []
    audit_info: AuditInfo | None = None


class ContactAddress(Part):
    address1: str | None = None
    address2: str | None = None
    address3: str | None = None
    address4: str | None = None
    address_type: str | None = None
    city_or_town: str | None = None
    country_code: str | None = None
    is_validated: bool | None = None
    postal_or_zip_code: str | None = None
    state_or_province: str | None = None


class PhoneNumbers(Part):
    home: str | None = None
    mobile: str | None = None
    work: str | None = None


class ContactType(Part):
    name: str | None = None
    is_primary: bool | None = None


class Contact(Part):
    id: int | None = None
    account_id: int | None = None
    first_name: str | None = None
    middle_name_or_initial: str | None = None
    last_name_or_surname: str | None = None
    company_or_organization: str | None = None
    email: str | None = None
    fax_number: str | None = None
    label: str | None = None
    phone_numbers: PhoneNumbers | None = None
    types: list[ContactType] = []
    address: ContactAddress | None = None
    audit_info: AuditInfo | None = None


class StaffNote(Part):
    id: int | None = None
    content: str | None = None
    audit_info: AuditInfo | None = None


class CustomerSegment(Part):
    id: int | None = None
    code: str | None = None
    name: str | None = None
    description: str | None = None
    audit_info: AuditInfo | None = None


class OrderAmount(Part):
    amount: float | None = None
    currency_code: str | None = None


class CommerceSummary(Part):
    """Orders are another service's to know: always null."""

    last_order_date: Moment | None = None
    order_count: int | None = None
    total_order_amount: OrderAmount | None = None
    visits_count: int | None = None
    wishlist_count: int | None = None


class CustomerAccount(Part):
    """The customer; of a visitor, only `isAnonymous`. Orders, taxes and customer sets are other services' to know."""

    id: int | None = None
    user_id: str | None = None
    user_name: str | None = None
    account_type: str | None = None
    email_address: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company_or_organization: str | None = None
    locale_code: str | None = None
    customer_set: str | None = None
    customer_since_date: Moment | None = None
    commerce_summary: CommerceSummary | None = None
    external_id: str | None = None
    last_second_factor_at: Moment | None = field(name="last2FaDate", default=None)
    accepts_marketing: bool | None = None
    has_external_password: bool | None = None
    is_active: bool | None = None
    is_anonymous: bool | None = None
    is_locked: bool | None = None
    migration_required: bool | None = None
    tax_exempt: bool | None = None
    tax_id: str | None = None
    attributes: list[Attribute] = []
    contacts: list[Contact] = []
    notes: list[StaffNote] = []
    segments: list[CustomerSegment] = []
    audit_info: AuditInfo | None = None


class AuthTicket(Part):
    """Tokens and whom they are for; no tokens while a second factor is due (`requires2FA`)."""

    access_token: str | None = None
    access_token_expiration: Moment | None = None
    refresh_token: str | None = None
    refresh_token_expiration: Moment | None = None
    customer_account: CustomerAccount | None = None
    jwt_access_token: str | None = None
    requires_second_factor: bool | None = field(name="requires2FA", default=None)
    user_id: str | None = None
