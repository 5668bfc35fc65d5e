"""Can this customer log in? The verdict of each rule, in the order in which a log-in meets them, and what would help.

The rules are asked where they are: nothing here says a second time when a log-in is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Case, Exists, F, OuterRef, Value, When

from auth_providers import limits
from auth_providers.accounts import accounts, known_devices
from auth_providers.login import password as password_login
from auth_providers.login import totp
from auth_providers.models import OTP, Account
from auth_providers.providers import registry
from auth_providers.tokens import second_factor_policy, sessions
from customers.models import Customer
from tenants.clients import Client
from tenants.models import AuditEvent, Message, SecondFactor, Tenant
from tenants.subqueries import RowsOf
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


@dataclass(frozen=True, kw_only=True)
class _LogIn:
    """A log-in with what the rules ask about it: what its log-ins go by besides a password, whether the tenant lets
    anybody in by that and by password, the customer's authenticator, and their devices."""

    account: Account
    method: str
    is_method_on: bool
    is_password_off: bool
    second_factor: totp.Status
    devices: list[str]

    @property
    def has_password(self) -> bool:
        """Whether there is a password that could be guessed."""
        return self.account.kind == Account.Kind.EMAIL and self.account.has_password


def check(*, tenant: Tenant, customer: Customer) -> LogInCheck:
    """The verdicts for the log-in that is kept out least; of several, the oldest."""
    own = _log_ins(tenant, customer)
    events = _newest_events(tenant, customer)
    shared = tuple(_of_customer(tenant, customer, own))
    checked = list(_of_each(tenant, own, events)) if _first_failed(shared) is None else []
    oldest = own[0].account if own else None
    account, verdicts = min(checked, key=lambda each: _failures(each[1]), default=(oldest, ()))
    verdicts = (*shared, *verdicts)
    decisive = _first_failed(verdicts)
    return LogInCheck(
        account=account,
        verdicts=verdicts,
        decisive=decisive,
        mail=_newest_mail(tenant, account) if decisive and decisive.remedy == Remedy.RESEND_OPT_IN else None,
        accounts=tuple(each.account for each in own),
        second_factor=own[0].second_factor if own else totp.status(tenant=tenant, customer=customer),
        events=events,
    )


def _first_failed(verdicts: tuple[Verdict, ...]) -> Verdict | None:
    return next((each for each in verdicts if not each.is_passed), None)


def _failures(verdicts: tuple[Verdict, ...]) -> int:
    return sum(not each.is_passed for each in verdicts)


def _of_customer(tenant: Tenant, customer: Customer, own: Sequence[_LogIn]) -> Iterator[Verdict]:
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


def _log_ins(tenant: Tenant, customer: Customer) -> list[_LogIn]:
    """Those of the customer, the oldest first, in one statement."""
    rows = accounts.of_customer(tenant=tenant, customer=customer).annotate(
        method=Case(When(kind=Account.Kind.EXTERNAL, then=F("provider")), default=Value(OTP)),
        is_method_on=Exists(registry.enabled(tenant=tenant).filter(name=OuterRef("method"))),
        is_password_off=Exists(password_login.switched_off(tenant=tenant)),
        codes_left=totp.recovery_codes_left(tenant=tenant, customer=customer),
        devices=RowsOf(known_devices.of_customer(tenant=tenant, customer=customer), "device"),
    )
    found = []
    for row in rows:
        row.tenant, row.customer = tenant, customer
        log_in = _LogIn(
            account=row,
            method=row.method,
            is_method_on=row.is_method_on,
            is_password_off=row.is_password_off,
            second_factor=totp.status_of(row.codes_left),
            devices=[device for (device,) in row.devices],
        )
        found.append(log_in)
    return found


def _of_each(
    tenant: Tenant, log_ins: Sequence[_LogIn], events: Sequence[AuditEvent]
) -> Iterator[tuple[Account, tuple[Verdict, ...]]]:
    """What is said of each log-in by itself."""
    waits = _waits(tenant, log_ins, events)
    every = [each.account for each in log_ins]
    asked_for = tenant.second_factor_policy != SecondFactor.OWN and not log_ins[0].second_factor.is_enrolled
    number = second_factor_policy.find_number(tenant=tenant, every=every) if asked_for else ""
    for each, ends in zip(log_ins, waits, strict=True):
        factor = second_factor_policy.sent_method(each.account, every, number=number) if asked_for else None
        yield each.account, (_method(each), _obstacle(each.account), _wait(each, ends), _second(tenant, each, factor))


def _method(log_in: _LogIn) -> Verdict:
    """Whether the tenant lets anybody log in this way."""
    rule, is_email = "Log-in method", log_in.account.kind == Account.Kind.EMAIL
    if log_in.has_password and not log_in.is_password_off:
        return Verdict(rule=rule, is_passed=True, words="password")
    if log_in.is_method_on:
        return Verdict(rule=rule, is_passed=True, words=log_in.method)
    if is_email and not log_in.is_password_off:
        words = "no password was chosen, and codes are switched off"
        return Verdict(rule=rule, is_passed=False, words=words, remedy=Remedy.RESET)
    return Verdict(rule=rule, is_passed=False, words=f"the shop has switched {log_in.method} off")


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


def _waits(
    tenant: Tenant, log_ins: Sequence[_LogIn], events: Sequence[AuditEvent]
) -> list[dict[limits.Attempt, datetime]]:
    """When the waits of each log-in end, in one statement for all of them."""
    clients = [Client(address=event.address or "") for event in events if not event.is_success]
    counted = [
        limits.of_account(identifier=each.account.identifier, devices=each.devices, clients=clients)
        if each.has_password
        else ()
        for each in log_ins
    ]
    together = [attempt for attempts in counted for attempt in attempts]
    ends = limits.find_waits(tenant=tenant, attempts=together) if together else {}
    return [{attempt: ends[attempt] for attempt in attempts if attempt in ends} for attempts in counted]


def _wait(log_in: _LogIn, waits: Mapping[limits.Attempt, datetime]) -> Verdict:
    """Whether an attempt has to wait: from any device, or from the customer's own only."""
    rule = "Wrong passwords"
    if not log_in.has_password:
        return Verdict(rule=rule, is_passed=True, words="there is no password to guess")
    own = [end for attempt, end in waits.items() if attempt.rule == limits.LOG_IN_BY_DEVICE]
    until = max(own or waits.values(), default=None)
    if until is None:
        return Verdict(rule=rule, is_passed=True, words="nobody has to wait")
    whose = "on a device of the customer's" if own else "on devices that we don't know"
    words = f"too many wrong passwords {whose}"
    return Verdict(rule=rule, is_passed=False, words=words, remedy=Remedy.UNLOCK, until=until)


def _second(tenant: Tenant, log_in: _LogIn, sent: second_factor_policy.SecondFactorMethod | None) -> Verdict:
    """Whether one is due that nobody could show; `sent` is the code that could be."""
    rule = "Second factor"
    if log_in.second_factor.is_enrolled:
        return Verdict(rule=rule, is_passed=True, words="the authenticator app is asked for")
    if tenant.second_factor_policy == SecondFactor.OWN:
        return Verdict(rule=rule, is_passed=True, words="none is asked for")
    if sent is None:
        return Verdict(rule=rule, is_passed=False, words="one is asked for, and this customer has none")
    return Verdict(rule=rule, is_passed=True, words=f"a code by {sent.method} is asked for")


def _newest_events(tenant: Tenant, customer: Customer) -> tuple[AuditEvent, ...]:
    mine = AuditEvent.objects.for_tenant(tenant).filter(customer_number=customer.number)
    return tuple(mine.exclude(action=VIEWED).order_by("-at", "-pk")[:EVENTS])


def _newest_mail(tenant: Tenant, account: Account | None) -> Message | None:
    """The newest mail of those that a log-in waits for."""
    if account is None or not account.mail_address:
        return None
    sent = Message.objects.for_tenant(tenant).filter(recipient=account.mail_address, template__in=MAILS)
    return sent.order_by("-pk").first()
