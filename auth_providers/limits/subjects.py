"""What an attempt to log in counts against."""

from collections.abc import Sequence

from django.utils import timezone

from auth_providers.limits import counts
from auth_providers.limits.counts import Counted
from auth_providers.limits.rules import (
    APPLICATION_LOG_IN_BY_ADDRESS,
    AUTHENTICATOR_BY_DEVICE,
    CODE_ANSWER_BY_DEVICE,
    LOG_IN_BY_ACCOUNT,
    LOG_IN_BY_ACCOUNT_AND_ADDRESS,
    LOG_IN_BY_ADDRESS,
    LOG_IN_BY_DEVICE,
    LOG_IN_BY_WEBHOOK_ACCOUNT,
    OWN_PASSWORD,
    WRONG_PASSWORD,
)
from auth_providers.limits.waits import Attempt
from tenants.clients import Client
from tenants.models import Tenant
from tenants.secrets.keyed_hashes import keyed_hash

# Of the keyed hash of a wrong password: 65,536 values, of which none tells a password, and few are the same by chance.
TRACE_BYTES = 2


def by_address(client: Client, *, is_enforced: bool = True) -> tuple[Attempt, ...]:
    """A log-in from the client's address, as what counts: who tries a few codes of each of many customers is slowed
    down like who tries a few passwords of each. Nothing when the address is not known."""
    if not client.address:
        return ()
    return (Attempt(rule=LOG_IN_BY_ADDRESS, subject=client.subscriber, is_enforced=is_enforced),)


def of_log_in(*, identifier: str, client: Client, is_device_known: bool) -> tuple[Attempt, ...]:
    """A log-in with the password of this account (its e-mail, normalized; there may be none).

    On a device that its customer has used it has a count of its own, and what others do at the address does not keep it
    out, unless the device is none that is told apart from others.
    """
    if is_device_known and client.is_recognizable:
        subject = f"{identifier}\n{client.device}"
        return (Attempt(rule=LOG_IN_BY_DEVICE, subject=subject), *by_address(client, is_enforced=False))
    return (
        Attempt(rule=LOG_IN_BY_ACCOUNT, subject=identifier),
        Attempt(rule=LOG_IN_BY_ACCOUNT_AND_ADDRESS, subject=f"{identifier}\n{client.subscriber}"),
        *by_address(client),
    )


def of_any_log_in(*, identifier: str, client: Client) -> tuple[Attempt, ...]:
    """What `of_log_in` may return, before it is known whether the customer has used the device."""
    known = of_log_in(identifier=identifier, client=client, is_device_known=True)
    unknown = of_log_in(identifier=identifier, client=client, is_device_known=False)
    return tuple({each.rule: each for each in (*known, *unknown)}.values())


def of_webhook(*, account: str, client: Client) -> tuple[Attempt, ...]:
    """A log-in that the shop's own system decides on, with this account there; "" where it is not known."""
    return (
        *([Attempt(rule=LOG_IN_BY_WEBHOOK_ACCOUNT, subject=account)] if account else []),
        *by_address(client),
    )


def of_account(*, identifier: str, devices: Sequence[str], clients: Sequence[Client]) -> tuple[Attempt, ...]:
    """What log-ins with the password of this account count against: from wherever, from these clients' addresses, and
    from each of the devices that its customer has used."""
    known = (Attempt(rule=LOG_IN_BY_DEVICE, subject=f"{identifier}\n{device}") for device in devices)
    subscribers = dict.fromkeys(client.subscriber for client in clients)
    there = (Attempt(rule=LOG_IN_BY_ACCOUNT_AND_ADDRESS, subject=f"{identifier}\n{each}") for each in subscribers)
    return (Attempt(rule=LOG_IN_BY_ACCOUNT, subject=identifier), *there, *known)


def of_code(*, code: str, device: str) -> tuple[Attempt, ...]:
    """An answer to a one-time code, on a device that its owner has used. `code` names the purpose and destination."""
    return (Attempt(rule=CODE_ANSWER_BY_DEVICE, subject=f"{code}\n{device}"),)


def of_authenticator(*, customer_number: str, device: str) -> tuple[Attempt, ...]:
    """A code of an authenticator app, on a device that its customer has used."""
    return (Attempt(rule=AUTHENTICATOR_BY_DEVICE, subject=f"{customer_number}\n{device}"),)


def of_application(*, client_id: str, client: Client) -> tuple[Attempt, ...]:
    """A server of the shop that shows a secret for this client id; whether there is such a client is not asked."""
    return (Attempt(rule=APPLICATION_LOG_IN_BY_ADDRESS, subject=f"{client_id}\n{client.subscriber}"),)


def of_own_password(*, identifier: str, client: Client) -> tuple[Attempt, ...]:
    """A customer who is logged in and shows the password of this account again. Nobody else can use that count up."""
    return (Attempt(rule=OWN_PASSWORD, subject=identifier), *by_address(client, is_enforced=False))


def is_repeated(*, tenant: Tenant, identifier: str, password: str) -> bool:
    """Whether this wrong password was given for this account a moment ago, as by a client that repeats its request; it
    is from now on. One that goes on and on is no such client."""
    trace = keyed_hash("auth_providers.limits.wrong_password", f"{identifier}\n{password}")
    counted = Counted(rule=WRONG_PASSWORD.name, subject=f"{identifier}\n{trace[:TRACE_BYTES].hex()}")
    now = timezone.now()
    times = counts.add(tenant, [counted], now, WRONG_PASSWORD.window, slides=False)[counted.rule]
    return 1 < times <= WRONG_PASSWORD.limit
