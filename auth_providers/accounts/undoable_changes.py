"""Changes that can be undone: for each, what the customer logged in with and was reached at before it.

The whole state is kept, not the one value: undoing a change brings back everything as it was before it, so that nothing
stays of what an intruder did afterwards. Passwords are not among it, as whoever came in may know them
(`docs/decisions/undoing-changes.md`).
"""

import json
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.utils import timezone

from auth_providers.models import Account, Authenticator, RecoveryCode, UndoableChange
from customers.models import Customer
from tenants.compiled.queries import compiled
from tenants.models import Tenant, TenantQuerySet
from tenants.outbox.worker import GIVE_UP_AFTER
from tenants.secrets.encryption import decrypt, encrypt

# Of the link, from the moment its mail is handed over. An address that was proven until then counts as proven as long.
LIFETIME = timedelta(hours=72)
ACCOUNT_FIELDS = {
    field.attname: field
    for field in Account._meta.concrete_fields
    if field.name not in {"tenant", "customer", "password"}
}

Values = dict[str, str | int | bool | None]


class AppState(TypedDict):
    """A confirmed authenticator app, its secret in plain; and the recovery codes, as (HMAC in hex, when spent)."""

    secret: str
    confirmed_at: str
    last_step: int
    recovery_codes: list[tuple[str, str | None]]


class State(TypedDict):
    """What a customer logs in with and is reached at, as it is kept. `proven` are the addresses that were proven, and
    `former` those that were so before an earlier change, with the time of that."""

    accounts: list[Values]
    contact_email: str | None
    contact_phone: str | None
    app: AppState | None
    proven: list[str]
    former: dict[str, str]


def state_of(*, tenant: Tenant, customer: Customer, accounts: Sequence[Account], proven: Collection[str]) -> State:
    """The state as it is now. `accounts` are the customer's, `proven` the addresses among them that are proven."""
    return State(
        accounts=[{name: getattr(account, name) for name in ACCOUNT_FIELDS} for account in accounts],
        contact_email=customer.contact_email,
        contact_phone=customer.contact_phone,
        app=_app_of(tenant, customer),
        proven=list(proven),
        former=_former(tenant, customer, proven),
    )


def keep(*, tenant: Tenant, customer: Customer, notice: str, state: State) -> UndoableChange:
    """Store the state before a change, in the transaction of that."""
    now = timezone.now()
    change = UndoableChange(
        tenant=tenant,
        customer=customer,
        notice=notice,
        state_encrypted=encrypt(json.dumps(state, cls=DjangoJSONEncoder)),
        created_at=now,
        expires_at=now + GIVE_UP_AFTER + LIFETIME,
    )
    change.save(force_insert=True)
    return change


def read(change: UndoableChange) -> State:
    """The state before the change."""
    state: State = json.loads(decrypt(change.state_encrypted))
    return state


def accounts_in(state: State) -> list[Account]:
    """The accounts of the state, which are not saved and have no customer."""
    return [Account(**{name: _field(name, value) for name, value in values.items()}) for values in state["accounts"]]


def find(*, tenant: Tenant, pk: int) -> UndoableChange | None:
    """The change of this key, unless it was undone or its customer was erased."""
    return _in_force_with_key.first(tenant=tenant, key=pk)


@compiled
def _in_force_with_key(*, tenant: Tenant, key: int) -> QuerySet[UndoableChange]:
    there = UndoableChange.objects.for_tenant(tenant).filter(undone_at=None, customer__erased_at=None)
    return there.filter(pk=key)


def in_force(*, tenant: Tenant, customer: Customer) -> TenantQuerySet[UndoableChange]:
    """The customer's changes that nobody has undone, newest first."""
    return UndoableChange.objects.for_tenant(tenant).filter(customer=customer, undone_at=None).order_by("-pk")


def addresses_told(*, tenant: Tenant, customer: Customer) -> set[str]:
    """Every address that one of the customer's stored changes was told at."""
    states = [read(each) for each in UndoableChange.objects.for_tenant(tenant).filter(customer=customer)]
    return {address for state in states for address in (*state["proven"], *state["former"])}


def _field(name: str, value: str | int | bool | None) -> object:
    converted: object = ACCOUNT_FIELDS[name].to_python(value)
    return converted


def _app_of(tenant: Tenant, customer: Customer) -> AppState | None:
    own = Authenticator.objects.for_tenant(tenant).filter(customer=customer).first()  # there is one at most
    if own is None or own.confirmed_at is None:
        return None
    codes = RecoveryCode.objects.for_tenant(tenant).filter(customer=customer).order_by("pk")
    return AppState(
        secret=decrypt(own.secret_encrypted),
        confirmed_at=own.confirmed_at.isoformat(),
        last_step=own.last_step,
        recovery_codes=[(bytes(each.code_hmac).hex(), _text(each.spent_at)) for each in codes],
    )


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _former(tenant: Tenant, customer: Customer, proven: Collection[str]) -> dict[str, str]:
    """Addresses that were proven until a change of the last days, each with the time of that."""
    since = timezone.now() - LIFETIME
    newest = in_force(tenant=tenant, customer=customer).first()
    if newest is None:
        return {}
    before = read(newest)
    lost = before["former"] | dict.fromkeys(before["proven"], newest.created_at.isoformat())
    return {address: at for address, at in lost.items() if address not in proven and datetime.fromisoformat(at) > since}
