"""Double opt-in: a new account logs in only after its owner has followed the link in a mail."""

from dataclasses import replace

from django.db import transaction

from auth_providers import limits
from auth_providers.accounts import mailed_tokens, verification
from auth_providers.models import PASSWORD, Account, MailedToken
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from customers.spelling.emails import normalize_email
from tenants.clients import Client
from tenants.models import Tenant
from tenants.outbox import queue

TEMPLATE = "opt_in"


def ask(*, tenant: Tenant, account: Account) -> None:
    """Write the mail with the link, in the caller's transaction."""
    customer = account.customer
    queue.enqueue(
        tenant=tenant,
        template=TEMPLATE,
        recipient=account.identifier,
        language=customer.preferred_language,
        site=customer.preferred_site,
    )


def resend(*, tenant: Tenant, email: str, client: Client) -> None:
    """Ask for the mail again. Whether anyone waits for it shows neither here nor in the time it takes.

    Raises `limits.Throttled`.
    """
    identifier = normalize_email(email)
    limits.spend_mail(tenant=tenant, destination=identifier, kind=TEMPLATE, client=client)
    queue.enqueue(tenant=tenant, template=TEMPLATE, recipient=identifier)


def confirm(*, attempt: LogInAttempt, token: str) -> sessions.Started:
    """Confirm the account that the token was mailed for and log its customer in.

    Raises `mailed_tokens.InvalidMailedToken`, `sessions.LogInRefused` for a customer who may not log in all the same,
    and what `sessions.start` raises where a second factor is due: the account is confirmed then, too.
    """
    tenant = attempt.tenant
    with transaction.atomic():
        account = mailed_tokens.find_locked(tenant=tenant, purpose=MailedToken.Purpose.OPT_IN, token=token).account
        try:
            verification.confirm_opt_in(tenant=tenant, account=account)
        except verification.AccountGone as error:  # another of the account's tokens was used: they are all spent
            raise mailed_tokens.InvalidMailedToken from error
    proven = replace(attempt, method=PASSWORD, note="opt-in confirmed", is_mailbox_proof=True)
    return sessions.start(attempt=proven, account=account)
