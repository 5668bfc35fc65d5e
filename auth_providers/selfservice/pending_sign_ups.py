"""A sign-up with an address that is on a profile already, and that nobody has proven: nobody reserves an address.

It waits, encrypted, for the link in its own mail. The person who follows it owns the profile, with this sign-up's
password. An additional log-in with such an address waits in the same way, with its customer's own account.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from auth_providers.accounts import accounts
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import PASSWORD, Account, MailedToken, PendingSignUp
from customers import mixins, numbers, profiles
from customers.addresses import addresses, fields
from customers.addresses.fields import AddressChanges
from customers.profiles import ProfileChanges
from tenants.clients import Client
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tenants.secrets.encryption import decrypt, encrypt
from tenants.trail import audit

LIFETIME = timedelta(days=2)  # as long as the link in its mail


@dataclass(frozen=True, kw_only=True)
class Pending:
    """What was handed in. `number` is that of the new customer where the profile stays another's, "" where the profile
    becomes the signer's; `email` is the address of an additional log-in, "" for a sign-up."""

    password_hash: str
    profile: ProfileChanges
    address: AddressChanges | None
    number: str
    session_id: UUID | None
    email: str = ""


def keep(*, tenant: Tenant, account: Account, pending: Pending) -> PendingSignUp:
    """Let it wait, in the caller's transaction."""
    content = {
        "password_hash": pending.password_hash,
        "profile": pending.profile,
        "address": pending.address,
        "number": pending.number,
        "email": pending.email,
    }
    row = PendingSignUp(
        tenant=tenant,
        account=account,
        data_encrypted=encrypt(json.dumps(content, cls=DjangoJSONEncoder)),
        session_id=pending.session_id,
        expires_at=timezone.now() + LIFETIME,
    )
    row.save(force_insert=True)
    return row


def find(*, tenant: Tenant, account: Account, pk: int) -> Pending | None:
    """What waits under this key for this account, and is still good."""
    rows = PendingSignUp.objects.for_tenant(tenant).filter(account=account, expires_at__gt=timezone.now())
    row = rows.filter(pk=pk).first() if pk else None
    return _read(row) if row else None


def stay(*, tenant: Tenant, account: Account, email: str, client: Client) -> None:
    """Let the sign-ups with this address, which the account has just left for another, wait on, with a profile of their
    own. In the caller's transaction."""
    waiting = PendingSignUp.objects.for_tenant(tenant).filter(account=account, expires_at__gt=timezone.now())
    keys = [row.pk for row in waiting if not _read(row).email]
    if not keys:
        return
    number = numbers.take(tenant=tenant)
    left = accounts.create_with_email(
        tenant=tenant,
        customer=profiles.create(tenant=tenant, number=number, values={"contact_email": email}),
        email=email,
        password_hash=NO_PASSWORD,
        is_permitted=False,
    )
    waiting.filter(pk__in=keys).update(account=left)
    links = MailedToken.objects.for_tenant(tenant).filter(account=account, purpose=MailedToken.Purpose.OPT_IN)
    links.filter(details__pending_sign_up__in=keys).update(account=left)
    audit.record(
        tenant=tenant,
        action="create_customer",
        client=client,
        customer_number=number,
        reason=f"was with {account.customer.number}",
    )


def _read(row: PendingSignUp) -> Pending:
    content = json.loads(decrypt(row.data_encrypted))
    return Pending(
        password_hash=content["password_hash"],
        profile=profiles.changes_of(content["profile"]),
        address=fields.changes_of(content["address"]) if content["address"] is not None else None,
        number=content["number"],
        session_id=row.session_id,
        email=content.get("email", ""),
    )


def apply(*, tenant: Tenant, account: Account, pending: Pending, client: Client) -> None:
    """Write the sign-up of the person who has just proven the account, in the caller's transaction."""
    account.password, account.session_id = pending.password_hash, pending.session_id
    account.save(update_fields=["password", "session_id"])
    audit.record(
        tenant=tenant,
        action="complete_sign_up",
        client=client,
        customer_number=account.customer.number,
        method=PASSWORD,
    )
    profile, address = _of_today(tenant, account, pending)
    customer = profiles.update(tenant=tenant, customer=account.customer, changes=profile, client=client)
    if address is not None:
        addresses.add(tenant=tenant, customer=customer, values=address, client=client)
    account.customer = customer


def _of_today(tenant: Tenant, account: Account, pending: Pending) -> tuple[ProfileChanges, AddressChanges | None]:
    """What was handed in, without what lists and schemas refuse that have changed while it waited: the link is good."""
    profile, address = pending.profile, pending.address
    try:
        profiles.check_update(tenant=tenant, customer=account.customer, changes=profile)
    except InvalidInput as error:
        profile = profiles.changes_of(_without_refused(profile, error))
    if address is None:
        return profile, None
    try:
        addresses.check_first(tenant=tenant, values=address)
    except InvalidInput as error:
        address = fields.changes_of(_without_refused(address, error))
    return profile, address


def _without_refused(values: Mapping[str, object], error: InvalidInput) -> dict[str, object]:
    refused = {each.field.partition(".")[0] for each in error.details}
    refused |= {*mixins.FIELDS} if refused & {*mixins.FIELDS} else set()
    return {name: value for name, value in values.items() if name not in refused}
