"""The customer's page in full: log-ins, sessions, what happened; and what staff do to the customer's access."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from auth_providers.accounts import accounts, notices
from auth_providers.login import totp
from auth_providers.models import Account, Session
from auth_providers.selfservice import deletion, staff_actions
from auth_providers.tokens import sessions
from customers import search
from customers.admin.customers import VIEWED, CustomerAdmin
from customers.admin.results import ViewFilter
from customers.models import Customer
from customers.spelling.emails import normalize_email
from tenants.admin.trail import in_words
from tenants.back_office.staff import Staff, staff_of
from tenants.errors import DomainError
from tenants.models import AuditEvent, Tenant

TRAIL_LENGTH = 50
MOST_BY_LOG_IN = 200
SHORTEST_PHONE = 6  # digits that a search has to name of a telephone number that somebody logs in with
SESSIONS_SHOWN = 20  # a customer of years has thousands


@dataclass(frozen=True, kw_only=True)
class AccessAction:
    """What staff do to a customer's access, from the list or from the customer's page."""

    name: str
    label: str
    done: str
    act: Callable[[Customer, Staff], object]


def _activate(customer: Customer, by: Staff) -> None:
    staff_actions.set_active(tenant=customer.tenant, customer=customer, is_active=True, **by)


def _deactivate(customer: Customer, by: Staff) -> None:
    staff_actions.set_active(tenant=customer.tenant, customer=customer, is_active=False, **by)


def _put_on_hold(customer: Customer, by: Staff) -> None:
    staff_actions.set_on_hold(tenant=customer.tenant, customer=customer, is_on_hold=True, **by)


def _release_hold(customer: Customer, by: Staff) -> None:
    staff_actions.set_on_hold(tenant=customer.tenant, customer=customer, is_on_hold=False, **by)


def _end_sessions(customer: Customer, by: Staff) -> None:
    sessions.end_all(tenant=customer.tenant, customer=customer, reason="ended by staff", **by)


def _remove_second_factor(customer: Customer, by: Staff) -> None:
    totp.remove_by_staff(tenant=customer.tenant, customer=customer, **by)


ACTIVATE = AccessAction(name="activate", label="Activate", done="Activated", act=_activate)
DEACTIVATE = AccessAction(
    name="deactivate",
    label="Deactivate and end sessions",
    done="Deactivated, and every session ended",
    act=_deactivate,
)
PUT_ON_HOLD = AccessAction(
    name="put_on_hold",
    label="Put on hold and end sessions",
    done="Put on hold, and every session ended",
    act=_put_on_hold,
)
RELEASE_HOLD = AccessAction(name="release_hold", label="Release the hold", done="Released the hold", act=_release_hold)
END_SESSIONS = AccessAction(name="end_sessions", label="End sessions", done="Ended every session", act=_end_sessions)
# On the customer's page only, where staff see whom it is about.
REMOVE_SECOND_FACTOR = AccessAction(
    name="remove_second_factor",
    label="Remove the authenticator",
    done="Removed the authenticator, and wrote a mail about it",
    act=_remove_second_factor,
)
ACCESS_ACTIONS = {action.name: action for action in (ACTIVATE, DEACTIVATE, PUT_ON_HOLD, RELEASE_HOLD, END_SESSIONS)}


def _actions_for(customer: Customer, has_sessions: bool) -> list[AccessAction]:
    """Those that would change something."""
    offered = [DEACTIVATE if customer.is_active else ACTIVATE, RELEASE_HOLD if customer.is_on_hold else PUT_ON_HOLD]
    return [*offered, END_SESSIONS] if has_sessions else offered


def may_erase(request: HttpRequest) -> bool:
    """Erasing is for those who may delete; support clerks may not."""
    return bool(request.user.has_perm("customers.delete_customer"))


def _list_action(action: AccessAction) -> Any:
    """The same as an action of Django's list of customers."""

    @admin.action(description=action.label, permissions=["change"])
    def act(model_admin: "CustomerWithAccessAdmin", request: HttpRequest, queryset: QuerySet[Customer]) -> None:
        if request.POST.get("select_across") == "1":
            model_admin.message_user(request, "Choose customers one page at a time.", messages.ERROR)
            return
        model_admin.act_on(request, action, queryset)

    act.__name__ = action.name
    return act


class ViewWithLogInsFilter(ViewFilter):
    """The saved views, with the one about log-ins."""

    def waiting(self, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        unconfirmed = Account.objects.filter(customer=OuterRef("pk"), tenant=OuterRef("tenant"), is_permitted=False)
        return queryset.filter(Exists(unconfirmed), erased_at=None)


@admin.register(Customer)
class CustomerWithAccessAdmin(CustomerAdmin):
    list_filter = [ViewWithLogInsFilter]
    actions = [_list_action(action) for action in ACCESS_ACTIONS.values()]

    def by_log_in(self, tenant: Tenant, word: str) -> list[int]:
        """An address or a number that somebody logs in with need not be on the profile."""
        if "@" in word:
            return accounts.customers_by_log_in(tenant=tenant, part=normalize_email(word), limit=MOST_BY_LOG_IN)
        digits = "".join(filter(str.isdigit, word)).lstrip("0") if search.is_number_word(word) else ""
        if len(digits) < SHORTEST_PHONE:
            return []
        return accounts.customers_by_log_in(tenant=tenant, part=digits, limit=MOST_BY_LOG_IN)

    def get_urls(self) -> list[URLPattern]:
        views: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("action", "actions/<str:name>/", self.action_view),
            ("end_session", "sessions/<uuid:session_id>/end/", self.end_session_view),
            ("reset", "log-ins/<int:account_id>/reset/", self.reset_view),
            ("remove_second_factor", "second-factor/remove/", self.remove_second_factor_view),
            ("erase", "erase/", self.erase_view),
        ]
        ours = [
            path(f"<int:customer_id>/{route}", self.admin_site.admin_view(view), name=f"customers_customer_{name}")
            for name, route, view in views
        ]
        return [*ours, *super().get_urls()]

    @method_decorator(require_POST)
    @method_decorator(transaction.atomic)
    def action_view(self, request: HttpRequest, customer_id: int, name: str) -> HttpResponse:
        """A button on the customer's page."""
        customer = self.customer_to_change(request, customer_id)
        if name not in ACCESS_ACTIONS:
            raise Http404
        self.act_on(request, ACCESS_ACTIONS[name], [customer])
        return self.back_to(customer)

    @method_decorator(require_POST)
    @method_decorator(transaction.atomic)
    def remove_second_factor_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        """For a customer who has lost the app and the recovery codes, and has told the clerk who they are."""
        customer = self.customer_to_change(request, customer_id)
        self.act_on(request, REMOVE_SECOND_FACTOR, [customer])
        return self.back_to(customer)

    def act_on(self, request: HttpRequest, action: AccessAction, customers: Iterable[Customer]) -> None:
        for customer in customers:
            try:
                action.act(customer, staff_of(request))
            except DomainError as error:
                self.message_user(request, f"{customer}: {error.message}", messages.ERROR)
            else:
                self.message_user(request, f"{action.done}: {customer}.", messages.SUCCESS)

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
        return self.back_to(customer)

    @method_decorator(require_POST)
    def reset_view(self, request: HttpRequest, customer_id: int, account_id: int) -> HttpResponse:
        """Staff start a reset; the new password is the customer's alone."""
        with transaction.atomic():
            customer = self.customer_to_change(request, customer_id)
        try:
            staff_actions.send_password_reset(
                tenant=customer.tenant, customer=customer, account_id=account_id, **staff_of(request)
            )
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.message_user(request, "A mail with a link to set a new password will be sent.", messages.SUCCESS)
        return self.back_to(customer)

    def erase_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        """Ask first: an erasure can't be undone."""
        with transaction.atomic():  # the row's lock goes with it: erasing takes its locks in an order of its own
            customer = self.customer_to_change(request, customer_id)
        if not may_erase(request):
            raise PermissionDenied
        if request.method != "POST":
            context = {**self.admin_site.each_context(request), "original": customer, "opts": self.opts}
            return render(request, "admin/customers/customer/erase.html", {**context, "title": "Erase a customer"})
        try:
            deletion.erase_by_staff(tenant=customer.tenant, customer=customer, **staff_of(request))
        except DomainError as error:  # someone else was faster
            self.message_user(request, error.message, messages.ERROR)
        else:
            self.message_user(request, f"Erased customer {customer.number}.", messages.SUCCESS)
        return self.back_to(customer)

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        """The customer is told of contact data that staff change."""
        before = Customer.objects.get(pk=obj.pk)
        super().save_model(request, obj, form, change)
        after = Customer.objects.get(pk=obj.pk)
        notices.tell_of_changed_contact(tenant=obj.tenant, before=before, after=after)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        return super().render_change_form(request, {**context, "may_erase": may_erase(request)}, *args, **kwargs)

    def panels(self, customer: Customer) -> dict[str, Any]:
        tenant = customer.tenant
        newest = Session.objects.for_tenant(tenant).filter(customer=customer).order_by("-authenticated_at")
        running = newest.filter(ended_at=None, expires_at__gt=timezone.now()).count()
        events = AuditEvent.objects.for_tenant(tenant).filter(customer_number=customer.number)
        return {
            **super().panels(customer),
            "accounts": accounts.of_customer(tenant=tenant, customer=customer),
            "sessions": newest[:SESSIONS_SHOWN],
            "running_sessions": running,
            "second_factor": totp.status(tenant=tenant, customer=customer),
            "access_actions": _actions_for(customer, running > 0),
            # Views would crowd out what the customer and the shop did.
            "events": [(event, in_words(event)) for event in events.exclude(action=VIEWED)[:TRAIL_LENGTH]],
        }
