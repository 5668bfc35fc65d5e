"""What happened to a customer's access, for the customer to look through."""

from collections.abc import Sequence
from dataclasses import dataclass

from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tenants.secrets.encryption import CannotDecrypt, decrypt, encrypt

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
# Of the trail's actions those about who can get in, and who has the data.
ACTIONS = (
    *("sign_up", "create_customer", "complete_sign_up", "log_in", "end_session", "end_all_sessions"),
    *("end_other_sessions", "revoke_token", "change_password", "reset_password", "send_password_reset"),
    *("request_email_change", "change_email", "add_log_in", "link_identity", "detach_account", "verify_account"),
    "release_address",
    *("evict_unproven", "second_factor_added", "second_factor_removed", "recovery_codes_renewed", "undo_changes"),
    *("request_deletion", "export_customer", "deactivate", "activate", "put_on_hold", "release_hold"),
)


@dataclass(frozen=True, kw_only=True)
class Page:
    """Events, newest first, and what to ask for next as `before`; "" at the end."""

    events: Sequence[AuditEvent]
    before: str


def read(*, tenant: Tenant, customer: Customer, before: str, limit: int) -> Page:
    """The customer's newest events, or with the `before` of another page those after it, in one statement. Raises
    `InvalidInput` for a `before` that is none."""
    own = AuditEvent.objects.for_tenant(tenant).filter(customer_number=customer.number, action__in=ACTIONS)
    if before:
        own = own.filter(pk__lt=_position(before))
    found = list(own.order_by("-pk")[: limit + 1])
    # Encrypted: how many events there are is the shop's business.
    return Page(events=found[:limit], before=encrypt(str(found[limit - 1].pk)) if len(found) > limit else "")


def _position(before: str) -> int:
    try:
        return int(decrypt(before))
    except (CannotDecrypt, ValueError) as error:
        raise InvalidInput.field("before", "This is not what a page said.") from error
