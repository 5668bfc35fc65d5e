"""The back office's start page: what waits for somebody, what happened of late, and what the shop's set-up lacks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDay, TruncHour
from django.urls import reverse
from django.utils import timezone

from auth_providers.models import OTP, Account, AuthProvider
from customers.models import Customer
from tenants.models import AuditEvent, Message, SigningKey, Tenant
from tenants.subqueries import CountOf
from tenants.trail import audit

COUNTED = 1000  # beyond that a tile says "more than"
OLD_KEY = timedelta(days=365)
DAY, MONTH = timedelta(hours=24), timedelta(days=30)
MOST_SHARES, WIDTH = 10, 160  # rows; pixels
HEIGHT, BAR, GAP = 60, 12, 4  # of a plot, in pixels


@dataclass(frozen=True, kw_only=True)
class Tile:
    """How many there are of something, and the list of them. `count` is in words."""

    label: str
    count: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Bar:
    """What happened in one hour or on one day, and the rectangle that shows it, in pixels."""

    label: str
    count: int
    x: int
    y: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Plot:
    """Bars side by side, oldest first, on a surface of `width` times `height` pixels."""

    title: str
    bars: tuple[Bar, ...]
    width: int
    total: int
    height: int = HEIGHT


@dataclass(frozen=True, kw_only=True)
class Share:
    """How often something happened in 24 hours and in 30 days, and how long its bar is, in pixels."""

    label: str
    day: int
    month: int
    width: int


@dataclass(frozen=True, kw_only=True)
class Shares:
    """What happened most in 30 days, the most frequent first."""

    title: str
    what: str
    rows: tuple[Share, ...]
    width: int = WIDTH


@dataclass(frozen=True, kw_only=True)
class Lack:
    """Something that the shop's set-up should have, and the page where it is given."""

    words: str
    address: str


def tiles(tenant: Tenant) -> list[Tile]:
    """What waits for somebody, each with the list behind it."""
    today = timezone.now() - DAY
    customers, mails = reverse("admin:customers_customer_changelist"), reverse("admin:tenants_message_changelist")
    trail = reverse("admin:tenants_auditevent_changelist")
    unconfirmed = Account.objects.filter(customer=OuterRef("pk"), tenant=tenant, is_permitted=False)
    own = Customer.objects.for_tenant(tenant).filter(erased_at=None)
    messages = Message.objects.for_tenant(tenant)
    failed = AuditEvent.objects.for_tenant(tenant).filter(action=audit.LOG_IN, is_success=False, at__gte=today)
    codes = messages.filter(template__startswith="log_in_code", sent_at__gte=today)
    log_ins = AuditEvent.objects.for_tenant(tenant).filter(action=audit.LOG_IN, is_success=True, at__gte=today)
    by_code = "is_success__exact=1&action__exact=log_in&method__exact=otp"
    return _counted(
        tenant,
        ("Mails given up", messages.filter(failed_at__isnull=False), f"{mails}?state=failed"),
        ("Waiting for opt-in", own.filter(Exists(unconfirmed)), f"{customers}?view=waiting"),
        ("On hold", own.filter(is_on_hold=True), f"{customers}?view=on_hold"),
        ("Failed log-ins of 24 hours", failed, f"{trail}?is_success__exact=0"),
        ("Codes sent in 24 hours", codes, f"{mails}?state=sent"),
        ("Codes answered in 24 hours", log_ins.filter(method=OTP), f"{trail}?{by_code}"),
    )


def _counted(tenant: Tenant, *tiles: tuple[str, QuerySet[Any], str]) -> list[Tile]:
    """Tiles of labels, rows and addresses, counted in one statement."""
    columns = [CountOf(rows, most=COUNTED + 1) for _, rows, _ in tiles]
    counts = Tenant.objects.filter(pk=tenant.pk).values_list(*columns).get()
    return [
        Tile(label=label, count=str(count) if count <= COUNTED else f"more than {COUNTED:,}", address=address)
        for (label, _, address), count in zip(tiles, counts, strict=True)
    ]


def lacking(tenant: Tenant) -> list[Lack]:
    """What the set-up of the shop still lacks."""
    mail = reverse("admin:tenants_tenant_mail", args=[tenant.pk])
    keys = reverse("admin:tenants_tenant_signing_keys", args=[tenant.pk])
    providers = reverse("admin:auth_providers_authprovider_changelist")
    signs = SigningKey.objects.for_tenant(tenant).filter(is_revoked=False).order_by("-signs_from").first()
    links = {
        "confirm an e-mail address": tenant.opt_in_link,
        "set a new password": tenant.password_reset_link,
        "change an e-mail address": tenant.email_change_link,
        "confirm a deletion": tenant.deletion_link,
    }
    found = [
        Lack(words=f"No page of the storefront to {what}: mails lead to one of ours.", address=mail)
        for what, link in links.items()
        if not link
    ]
    if not tenant.mail_sender:
        found.insert(0, Lack(words="Mails come from this installation, not from the shop.", address=mail))
    if not AuthProvider.objects.for_tenant(tenant).filter(is_enabled=True).exists():
        found.append(Lack(words="Customers log in by password only.", address=providers))
    if signs is None or signs.signs_from < timezone.now() - OLD_KEY:
        found.append(Lack(words="The key that signs is older than a year.", address=keys))
    return found


def plots(tenant: Tenant) -> list[Plot]:
    """Sign-ups, log-ins and failures, by hour of the last day and by day of the last month."""
    made = []
    for span, words, trunc, step in (
        (DAY, "24 hours", TruncHour, timedelta(hours=1)),
        (MONTH, "30 days", TruncDay, timedelta(days=1)),
    ):
        start = timezone.now() - span
        events = AuditEvent.objects.for_tenant(tenant).filter(at__gte=start, action__in=[audit.SIGN_UP, audit.LOG_IN])
        rows = events.order_by().annotate(slot=trunc("at")).values("slot")
        counted = rows.annotate(
            sign_ups=Count("pk", filter=Q(action=audit.SIGN_UP, is_success=True)),
            log_ins=Count("pk", filter=Q(action=audit.LOG_IN, is_success=True)),
            failures=Count("pk", filter=Q(action=audit.LOG_IN, is_success=False)),
        )
        found: dict[Any, dict[str, Any]] = {row["slot"]: {**row} for row in counted}
        slots = list(_slots(start, step, span))
        for name, title in (("sign_ups", "Sign-ups"), ("log_ins", "Log-ins"), ("failures", "Failed log-ins")):
            counts = [(slot, found[slot][name] if slot in found else 0) for slot in slots]
            made.append(_plot(f"{title}, {words}", counts, "%H:%M" if step < DAY else "%m-%d"))
    return made


def shares(tenant: Tenant) -> list[Shares]:
    """By what customers logged in, and why they could not."""
    month = timezone.now() - MONTH
    log_ins = AuditEvent.objects.for_tenant(tenant).filter(action=audit.LOG_IN, at__gte=month)
    return [
        _shares("Log-ins by provider", "Provider", log_ins.filter(is_success=True), "method"),
        _shares("Failed log-ins by reason", "Reason", log_ins.filter(is_success=False), "reason"),
    ]


def _shares(title: str, what: str, events: QuerySet[AuditEvent], name: str) -> Shares:
    today = timezone.now() - DAY
    counted = events.order_by().values_list(name)
    found = counted.annotate(month=Count("pk"), day=Count("pk", filter=Q(at__gte=today))).order_by("-month")
    rows = list(found[:MOST_SHARES])
    most = max((month for _, month, _ in rows), default=0) or 1
    made = (
        Share(label=label or "not said", day=day, month=month, width=max(1, round(month / most * WIDTH)))
        for label, month, day in rows
    )
    return Shares(title=title, what=what, rows=tuple(made))


def _slots(start: datetime, step: timedelta, span: timedelta) -> Iterable[datetime]:
    """The beginnings of the hours or days, oldest first."""
    first = start.replace(minute=0, second=0, microsecond=0)
    if step == timedelta(days=1):
        first = first.replace(hour=0)
    return (first + step * index for index in range(span // step + 1))


def _plot(title: str, counts: list[tuple[datetime, int]], form: str) -> Plot:
    most = max((count for _, count in counts), default=0) or 1
    bars = []
    for index, (slot, count) in enumerate(counts):
        height = round(count / most * HEIGHT)
        x = index * (BAR + GAP)
        bars.append(Bar(label=f"{slot:{form}}", count=count, x=x, y=HEIGHT - height, height=height))
    return Plot(title=title, bars=tuple(bars), width=len(bars) * (BAR + GAP), total=sum(count for _, count in counts))
