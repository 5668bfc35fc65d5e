"""Sending a mail again. What a mail said is forgotten as soon as it was sent, dropped or given up; a link is made anew,
as long as its log-in needs it, and staff are told why nothing else is."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_providers.accounts.verification import CONFIRMATION
from auth_providers.messaging import template_tests
from auth_providers.models import Account
from auth_providers.selfservice import deletion, email_change, opt_in, password_reset, staff_actions, staff_log_ins
from customers.models import THERE
from tenants.clients import Client
from tenants.models import Message, Tenant
from tenants.staff import invitations

OF_OPT_IN = (opt_in.TEMPLATE, opt_in.ADDITIONAL_TEMPLATE, CONFIRMATION)
# What nobody but its reader can have made anew, by the beginning of the template's name.
OTHERS = {
    "log_in_code": "Codes end soon: the customer asks for another one at the log-in.",
    "verification_code": "Codes end soon: the customer asks for another one.",
    "second_factor_code": "Codes end soon: the customer asks for another one at the log-in.",
    email_change.REQUEST_TEMPLATE: "The customer asks for the new address once more, or staff change it.",
    deletion.TEMPLATE: "The customer asks for the deletion once more, or staff erase the customer.",
    invitations.TEMPLATE: "Invite the colleague once more.",
    template_tests.TEMPLATE: "Press “Send me a test” on the preview once more.",
}
TOLD = "It told of something that has happened. What it said is not kept; the audit trail has what happened."
GONE = "Nobody logs in with this address any more."


@dataclass(frozen=True, kw_only=True)
class Again:
    """What can be done: the log-in that gets a new mail and what that is called, or None and the reason."""

    account: Account | None
    words: str


def accounts_of(*, tenant: Tenant, message: Message) -> list[Account]:
    """The log-in that the mail was about, if there is one."""
    found = Account.objects.for_tenant(tenant).filter(kind=Account.Kind.EMAIL, identifier=message.recipient)
    return list(
        found.filter(**{f"customer__{name}": value for name, value in THERE.items()}).select_related("customer")
    )


def find(*, message: Message, accounts: Sequence[Account]) -> Again:
    """What can be done about the mail, given the log-ins that it may be about."""
    if not (message.sent_at or message.failed_at or message.dropped_at):
        return Again(account=None, words="It is still to be sent.")
    is_link = message.template in (*OF_OPT_IN, password_reset.REQUEST_TEMPLATE)
    if not is_link or message.channel != Message.Channel.EMAIL:
        return Again(account=None, words=OTHERS.get(message.template, TOLD))
    mine = (each for each in accounts if (each.kind, each.identifier) == (Account.Kind.EMAIL, message.recipient))
    account = next(mine, None)
    if account is None:
        return Again(account=None, words=GONE)
    return _of_opt_in(account) if message.template in OF_OPT_IN else _of_reset(account)


def _of_opt_in(account: Account) -> Again:
    if account.is_verified:
        return Again(account=None, words="The address is confirmed.")
    return Again(account=account, words="Mail a new link to confirm the address")


def _of_reset(account: Account) -> Again:
    if not (account.is_permitted and account.customer.is_active):
        return Again(account=None, words="This log-in may not be used: the page of the customer says why.")
    return Again(account=account, words="Mail a new link to set a password")


def send(*, tenant: Tenant, message: Message, staff_username: str, client: Client) -> None:
    """Mail a new link in place of the old one. Raises `LogInNotFound` and `limits.Throttled`."""
    again = find(message=message, accounts=accounts_of(tenant=tenant, message=message))
    account = again.account
    if account is None:
        raise staff_log_ins.LogInNotFound(again.words)
    act = staff_log_ins.resend_opt_in if message.template in OF_OPT_IN else staff_actions.send_password_reset
    act(
        tenant=tenant,
        customer=account.customer,
        account_id=account.pk,
        staff_username=staff_username,
        client=client,
    )
