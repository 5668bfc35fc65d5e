"""Can this customer log in? The verdict of each rule, in the order in which a log-in meets them, and what would help.

The rules are asked where they are: nothing here says a second time when a log-in is refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Exists

from auth_providers import limits
from auth_providers.accounts import accounts
from auth_providers.login import password as password_login
from auth_providers.login import totp
from auth_providers.models import OTP, Account
from auth_providers.providers import registry
from auth_providers.tokens import second_factor_policy, sessions
from customers.models import Customer
from tenants.clients import Client
from tenants.models import AuditEvent, Message, SecondFactor, Tenant
from tenants.trail import audit

LAST = 5  # log-ins that are shown
EVENTS = 50  # that are looked at
VIEWED = "view_profile"  # by staff
REFUSED_PASSWORD = "wrong password"  # noqa: S105 - a reason on the trail
MAILS = ("opt_in", "confirm_email", "additional_log_in", "password_reset", "log_in_code", "email_change")


class Remedy(StrEnum):
    """What staff can do about it at once."""

    ACTIVATE = "activate"
    RELEASE_HOLD = "release_hold"
    RESEND_OPT_IN = "resend_opt_in"
    UNLOCK = "unlock"
    RESET = "reset"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one rule says. `until` is when it will say otherwise by itself, None for never."""

    rule: str
    is_passed: bool
    words: str
    remedy: Remedy | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class LogInCheck:
    """`decisive` is the first verdict that keeps the customer out, None for who can log in; `account` the log-in that
    is meant, None without any; `mail` the one that is waited for. The rest is what was looked at: all log-ins, the
    second factor, and the newest events without those of staff who looked."""

    account: Account | None
    verdicts: tuple[Verdict, ...]
    decisive: Verdict | None
    mail: Message | None
    accounts: tuple[Account, ...]
    second_factor: totp.Status
    events: tuple[AuditEvent, ...]

    @property
    def last(self) -> tuple[AuditEvent, ...]:
        """The newest log-ins and failed ones."""
        return tuple(event for event in self.events if event.action == audit.LOG_IN)[:LAST]

    @property
    def is_possible(self) -> bool:
        """Whether no rule keeps the customer out."""
        return self.decisive is None

    @property
    def remedy(self) -> Remedy | None:
        """What helps: for who could log in and failed with a wrong password, a new one."""
        if self.decisive is not None:
            return self.decisive.remedy
        failed = self.last[0] if self.last and not self.last[0].is_success else None
        is_wrong = failed is not None and failed.reason == REFUSED_PASSWORD
        return Remedy.RESET if is_wrong and self.account is not None else None


def check(*, tenant: Tenant, customer: Customer) -> LogInCheck:
    """The verdicts for the log-in that is kept out least; of several, the oldest."""
    every = accounts.of_customer(tenant=tenant, customer=customer)
    own = list(every.annotate(is_switched_off=Exists(password_login.switched_off(tenant=tenant))))
    for each in own:
        each.tenant, each.customer = tenant, customer
    second_factor = totp.status(tenant=tenant, customer=customer)
    events = _newest_events(tenant, customer)
    shared = tuple(_of_customer(tenant, customer, own))
    checked = (
        [(each, (*shared, *_of_account(tenant, each, second_factor, events))) for each in own]
        if _first_failed(shared) is None
        else []
    )
    account, verdicts = min(checked, key=lambda each: _failures(each[1]), default=(next(iter(own), None), shared))
    decisive = _first_failed(verdicts)
    return LogInCheck(
        account=account,
        verdicts=verdicts,
        decisive=decisive,
        mail=_newest_mail(tenant, account) if decisive and decisive.remedy == Remedy.RESEND_OPT_IN else None,
        accounts=tuple(own),
        second_factor=second_factor,
        events=events,
    )


def _first_failed(verdicts: tuple[Verdict, ...]) -> Verdict | None:
    return next((each for each in verdicts if not each.is_passed), None)


def _failures(verdicts: tuple[Verdict, ...]) -> int:
    return sum(not each.is_passed for each in verdicts)


def _of_customer(tenant: Tenant, customer: Customer, own: Sequence[Account]) -> Iterator[Verdict]:
    """What is the same for every log-in."""
    yield Verdict(
        rule="Shop", is_passed=tenant.is_active, words="is open" if tenant.is_active else "the shop is switched off"
    )
    if customer.erased_at:
        yield Verdict(rule="Customer", is_passed=False, words=f"erased on {customer.erased_at:%Y-%m-%d}")
    elif customer.merged_into is not None:
        yield Verdict(rule="Customer", is_passed=False, words=f"merged into {customer.merged_into.number}")
    elif not own:
        yield Verdict(rule="Log-in", is_passed=False, words="there is none: the customer has never signed up")


def _of_account(
    tenant: Tenant, account: Account, second_factor: totp.Status, events: tuple[AuditEvent, ...]
) -> Iterator[Verdict]:
    yield _provider(tenant, account)
    yield _obstacle(account)
    yield _wait(tenant, account, events)
    yield _second_factor(tenant, account, second_factor)


def _provider(tenant: Tenant, account: Account) -> Verdict:
    """Whether the tenant lets anybody log in this way."""
    name = account.provider if account.kind == Account.Kind.EXTERNAL else OTP
    if account.kind == Account.Kind.EMAIL and not getattr(account, "is_switched_off", False):
        if account.has_password:
            return Verdict(rule="Log-in method", is_passed=True, words="password")
        words, remedy = "no password was chosen, and codes are switched off", Remedy.RESET
    else:
        words, remedy = f"the shop has switched {name} off", None
    try:
        registry.find_provider(tenant=tenant, name=name)
    except registry.UnknownProvider:
        return Verdict(rule="Log-in method", is_passed=False, words=words, remedy=remedy)
    return Verdict(rule="Log-in method", is_passed=True, words=name)


OBSTACLES = {
    sessions.INACTIVE: ("the account is deactivated", Remedy.ACTIVATE),
    sessions.ON_HOLD: ("the customer is on hold", Remedy.RELEASE_HOLD),
    sessions.NOT_OPTED_IN: ("the e-mail is not confirmed", Remedy.RESEND_OPT_IN),
}


def _obstacle(account: Account) -> Verdict:
    """What the core finds against the account itself: deactivated, on hold, not opted in."""
    found = sessions.find_obstacle(account)
    if found is None:
        return Verdict(rule="Account", is_passed=True, words="active, not on hold, permitted")
    words, remedy = OBSTACLES[found]
    return Verdict(rule="Account", is_passed=False, words=words, remedy=remedy)


def _wait(tenant: Tenant, account: Account, events: tuple[AuditEvent, ...]) -> Verdict:
    """Whether an attempt has to wait: from any device, or from the customer's own only."""
    if account.kind != Account.Kind.EMAIL or not account.has_password:
        return Verdict(rule="Wrong passwords", is_passed=True, words="there is no password to guess")
    clients = [Client(address=event.address or "") for event in events if not event.is_success]
    attempts = password_login.attempts_at(account=account, clients=clients)
    waits = limits.find_waits(tenant=tenant, attempts=attempts)
    own = [end for attempt, end in waits.items() if attempt.rule == limits.LOG_IN_BY_DEVICE]
    until = max(own or waits.values(), default=None)
    if until is None:
        return Verdict(rule="Wrong passwords", is_passed=True, words="nobody has to wait")
    whose = "on a device of the customer's" if own else "on devices that we don't know"
    words = f"too many wrong passwords {whose}"
    return Verdict(rule="Wrong passwords", is_passed=False, words=words, remedy=Remedy.UNLOCK, until=until)


def _second_factor(tenant: Tenant, account: Account, status: totp.Status) -> Verdict:
    """Whether one is due that nobody could show."""
    rule = "Second factor"
    if status.is_enrolled:
        return Verdict(rule=rule, is_passed=True, words="the authenticator app is asked for")
    if tenant.second_factor_policy == SecondFactor.OWN:
        return Verdict(rule=rule, is_passed=True, words="none is asked for")
    method = second_factor_policy.find_method(tenant=tenant, account=account, method="")
    if method is None:
        return Verdict(rule=rule, is_passed=False, words="one is asked for, and this customer has none")
    return Verdict(rule=rule, is_passed=True, words=f"a code by {method.method} is asked for")


def _newest_events(tenant: Tenant, customer: Customer) -> tuple[AuditEvent, ...]:
    mine = AuditEvent.objects.for_tenant(tenant).filter(customer_number=customer.number)
    return tuple(mine.exclude(action=VIEWED).order_by("-at", "-pk")[:EVENTS])


def _newest_mail(tenant: Tenant, account: Account | None) -> Message | None:
    """The newest mail of those that a log-in waits for."""
    if account is None or not account.mail_address:
        return None
    sent = Message.objects.for_tenant(tenant).filter(recipient=account.mail_address, template__in=MAILS)
    return sent.order_by("-pk").first()
