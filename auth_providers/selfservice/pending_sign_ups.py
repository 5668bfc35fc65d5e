"""A sign-up with an address that is on a profile already, and that nobody has proven: nobody reserves an address.

It waits, encrypted, for the link in its own mail. The person who follows it owns the profile, with this sign-up's
password.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from auth_providers.models import PASSWORD, Account, PendingSignUp
from customers import profiles
from customers.addresses import addresses, fields
from customers.addresses.fields import AddressChanges
from customers.profiles import ProfileChanges
from tenants import audit
from tenants.clients import Client
from tenants.encryption import decrypt, encrypt
from tenants.models import Tenant

LIFETIME = timedelta(days=2)  # as long as the link in its mail


@dataclass(frozen=True, kw_only=True)
class Pending:
    """What was handed in. `number` is that of the new customer where the profile stays another's, "" where the profile
    becomes the signer's."""

    password_hash: str
    profile: ProfileChanges
    address: AddressChanges | None
    number: str
    session_id: UUID | None


def keep(*, tenant: Tenant, account: Account, pending: Pending) -> PendingSignUp:
    """Let it wait, in the caller's transaction."""
    content = {
        "password_hash": pending.password_hash,
        "profile": pending.profile,
        "address": pending.address,
        "number": pending.number,
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
    if row is None:
        return None
    content = json.loads(decrypt(row.data_encrypted))
    return Pending(
        password_hash=content["password_hash"],
        profile=profiles.changes_of(content["profile"]),
        address=fields.changes_of(content["address"]) if content["address"] is not None else None,
        number=content["number"],
        session_id=row.session_id,
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
    customer = profiles.update(tenant=tenant, customer=account.customer, changes=pending.profile, client=client)
    if pending.address is not None:
        addresses.add(tenant=tenant, customer=customer, values=pending.address, client=client)
    account.customer = customer
