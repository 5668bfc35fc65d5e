"""The head of the customer's page, which says whether the customer can log in, and the tabs about log-ins and time."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST, require_safe

from auth_providers.models import Session
from auth_providers.selfservice import log_in_check, mail_again, staff_actions, staff_log_ins
from auth_providers.selfservice.log_in_check import LogInCheck, Remedy
from auth_providers.tokens import session_limits
from customers.admin.customers import CustomerAdmin
from customers.admin.tabs import notes_of
from customers.models import Customer
from tenants.admin.trail import in_words
from tenants.back_office import times
from tenants.back_office.staff import staff_of
from tenants.models import Message, Tenant

TIMELINE_LENGTH = 50
SESSIONS_SHOWN = 20  # a customer of years has thousands
KINDS = ("events", "mails", "notes")
BUTTONS = {
    Remedy.ACTIVATE: "Activate",
    Remedy.RELEASE_HOLD: "Release the hold",
    Remedy.RESEND_OPT_IN: "Send the confirmation mail again",
    Remedy.UNLOCK: "End the wait",
    Remedy.RESET: "Send a password reset",
}


class LogInTabsAdmin(CustomerAdmin):
    """Each button makes one call of the core."""

    def get_urls(self) -> list[URLPattern]:
        views: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("timeline", "timeline/", self.timeline_view),
            ("log_ins", "log-ins/", self.log_ins_view),
            ("end_session", "sessions/<uuid:session_id>/end/", self.end_session_view),
            ("reset", "log-ins/<int:account_id>/reset/", self.reset_view),
            ("resend_opt_in", "log-ins/<int:account_id>/resend-opt-in/", self.resend_opt_in_view),
            ("permit", "log-ins/<int:account_id>/permit/", self.permit_view),
            ("change_email", "log-ins/<int:account_id>/change-email/", self.change_email_view),
            ("unlock", "log-ins/<int:account_id>/unlock/", self.unlock_view),
        ]
        ours = [
            path(f"<int:customer_id>/{route}", self.admin_site.admin_view(view), name=f"customers_customer_{name}")
            for name, route, view in views
        ]
        return [*ours, *super().get_urls()]

    def head(self, request: HttpRequest, customer: Customer, tab: str) -> dict[str, Any]:
        check = log_in_check.check(tenant=customer.tenant, customer=customer)
        own = {"check": check, "sentence": sentence_of(check, customer), **remedy_of(check, customer)}
        return {**super().head(request, customer, tab), **own}

    @method_decorator(require_safe)
    def timeline_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        shown = request.GET.get("show", "")
        return self.tab_page(
            request,
            customer_id,
            "timeline",
            lambda customer, head: {
                "timeline": _timeline(customer, head["check"], shown if shown in KINDS else ""),
                "kinds": KINDS,
                "shown": shown,
            },
        )

    @method_decorator(require_safe)
    def log_ins_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        return self.tab_page(request, customer_id, "log_ins", _log_ins)

    @method_decorator(require_POST)
    @method_decorator(transaction.atomic)
    def end_session_view(self, request: HttpRequest, customer_id: int, session_id: UUID) -> HttpResponse:
        customer = self.customer_to_change(request, customer_id)
        if staff_actions.end_session(
            tenant=customer.tenant, customer=customer, session_id=session_id, **staff_of(request)
        ):
            self.message_user(request, "Ended the session.", messages.SUCCESS)
        else:
            self.message_user(request, "This session is not running any more.", messages.WARNING)
        return self.back_to(customer, request)

    @method_decorator(require_POST)
    def reset_view(self, request: HttpRequest, customer_id: int, account_id: int) -> HttpResponse:
        """Staff start a reset; the new password is the customer's alone."""
        return self._on_log_in(
            request,
            customer_id,
            lambda tenant, customer: staff_actions.send_password_reset(
                tenant=tenant, customer=customer, account_id=account_id, **staff_of(request)
            ),
            "A mail with a link to set a new password will be sent.",
        )

    @method_decorator(require_POST)
    def resend_opt_in_view(self, request: HttpRequest, customer_id: int, account_id: int) -> HttpResponse:
        return self._on_log_in(
            request,
            customer_id,
            lambda tenant, customer: staff_log_ins.resend_opt_in(
                tenant=tenant, customer=customer, account_id=account_id, **staff_of(request)
            ),
            "The mail with the link that confirms the address will be sent again.",
        )

    @method_decorator(require_POST)
    def permit_view(self, request: HttpRequest, customer_id: int, account_id: int) -> HttpResponse:
        return self._on_log_in(
            request,
            customer_id,
            lambda tenant, customer: staff_log_ins.permit_by_hand(
                tenant=tenant,
                customer=customer,
                account_id=account_id,
                reason=request.POST.get("reason", ""),
                **staff_of(request),
            ),
            "The customer may log in; the address is still not proven.",
        )

    @method_decorator(require_POST)
    def change_email_view(self, request: HttpRequest, customer_id: int, account_id: int) -> HttpResponse:
        return self._on_log_in(
            request,
            customer_id,
            lambda tenant, customer: staff_log_ins.change_email(
                tenant=tenant,
                customer=customer,
                account_id=account_id,
                new_email=request.POST.get("email", ""),
                reason=request.POST.get("reason", ""),
                **staff_of(request),
            ),
            "Changed the address that one logs in with. The customer is told, and asked to confirm the new one.",
        )

    @method_decorator(require_POST)
    def unlock_view(self, request: HttpRequest, customer_id: int, account_id: int) -> HttpResponse:
        return self._on_log_in(
            request,
            customer_id,
            lambda tenant, customer: staff_log_ins.unlock(
                tenant=tenant, customer=customer, account_id=account_id, **staff_of(request)
            ),
            "Nobody has to wait for this log-in any more.",
        )

    def _on_log_in(
        self, request: HttpRequest, customer_id: int, act: Callable[[Tenant, Customer], object], done: str
    ) -> HttpResponse:
        return self.press(request, customer_id, lambda customer: act(customer.tenant, customer), done)


def sentence_of(check: LogInCheck, customer: Customer) -> str:
    """The answer to the call "I can't log in"."""
    decisive = check.decisive
    if decisive is not None:
        until = f", until {times.moment(decisive.until)}" if decisive.until else ""
        mail = f"; {_fate(check.mail)}" if check.mail and decisive.remedy == Remedy.RESEND_OPT_IN else ""
        return f"No: {decisive.words}{until}{mail}."
    newest = next(iter(check.last), None)
    if newest is None:
        at = customer.last_login_at
        return f"Yes. The last log-in was at {times.moment(at)}." if at else "Yes. Nobody has tried yet."
    if newest.is_success:
        return f"Yes. The last log-in was at {times.moment(newest.at)}."
    return f"Yes, but the last try failed at {times.moment(newest.at)}: {newest.reason}."


def _fate(mail: Message) -> str:
    """What became of a mail. "Sent" is said only of what was handed over."""
    if mail.sent_at:
        return f"the mail was handed over at {times.moment(mail.sent_at)}"
    if mail.failed_at:
        return f"the mail was given up at {times.moment(mail.failed_at)}: {mail.last_error}"
    if mail.dropped_at:
        why = f": {mail.last_error}" if mail.last_error else ""
        return f"there was nothing to send any more at {times.moment(mail.dropped_at)}{why}"
    tried = f", tried {mail.attempts} times: {mail.last_error}" if mail.attempts else ""
    return f"the mail has waited since {times.moment(mail.created_at)}{tried}"


def remedy_of(check: LogInCheck, customer: Customer) -> dict[str, str]:
    """The button for what would help: its label and where it leads; nothing where there is no such thing."""
    remedy = check.remedy
    if remedy is None:
        return {}
    is_of_customer = remedy in (Remedy.ACTIVATE, Remedy.RELEASE_HOLD)
    if not is_of_customer and check.account is None:
        return {}
    name, args = ("action", [remedy.value]) if is_of_customer else (remedy.value, [check.account and check.account.pk])
    return {
        "remedy": BUTTONS[remedy],
        "remedy_action": reverse(f"admin:customers_customer_{name}", args=[customer.pk, *args]),
    }


def _log_ins(customer: Customer, head: dict[str, Any]) -> dict[str, Any]:
    tenant, check = customer.tenant, head["check"]
    newest = Session.objects.for_tenant(tenant).filter(customer=customer).order_by("-authenticated_at")
    return {
        "accounts": check.accounts,
        "sessions": newest[:SESSIONS_SHOWN],
        "running_sessions": session_limits.running(tenant=tenant, customer=customer).count(),
        "second_factor": check.second_factor,
    }


def _timeline(customer: Customer, check: LogInCheck, shown: str) -> list[dict[str, Any]]:
    """Events, mails and notes together, newest first."""
    made = {"events": _events, "mails": _mails, "notes": _notes}
    rows = [row for kind, make in made.items() if shown in ("", kind) for row in make(customer, check)]
    return sorted(rows, key=lambda row: row["at"], reverse=True)[:TIMELINE_LENGTH]


def _events(customer: Customer, check: LogInCheck) -> list[dict[str, Any]]:
    """Without views, which would crowd out what the customer and the shop did."""
    return [
        {
            "kind": "event",
            "at": event.at,
            "what": in_words(event) + ("" if event.is_success else ": failed"),
            "who": event.staff_username or "customer",
            "more": event.reason,
            "from": event.address or "",
            "failed": not event.is_success,
        }
        for event in check.events
    ]


def _mails(customer: Customer, check: LogInCheck) -> list[dict[str, Any]]:
    addresses = {each.mail_address for each in check.accounts}
    recipients = sorted({*addresses, customer.contact_email or "", customer.contact_phone or ""} - {""})
    sent = Message.objects.for_tenant(customer.tenant).filter(recipient__in=recipients).order_by("-pk")
    return [
        {
            "kind": "mail",
            "at": mail.created_at,
            "what": f"{mail.template.replace('_', ' ')} ({mail.get_channel_display().lower()})",
            "who": mail.recipient,
            "more": _fate(mail),
            "from": "",
            "failed": mail.failed_at is not None,
            "mail": mail.pk,
            "again": mail_again.find(message=mail, accounts=check.accounts),
        }
        for mail in sent[:TIMELINE_LENGTH]
    ]


def _notes(customer: Customer, check: LogInCheck) -> list[dict[str, Any]]:
    return [
        {
            "kind": "note",
            "at": note.created_at,
            "what": "note",
            "who": note.staff_username,
            "more": note.text,
            "from": "",
            "failed": False,
        }
        for note in notes_of(customer)[:TIMELINE_LENGTH]
    ]
