"""Finding customers by their log-ins, and what staff do to a customer's access."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from auth_providers.accounts import accounts, notices
from auth_providers.admin.merges import MergesAdmin
from auth_providers.login import totp
from auth_providers.models import Account
from auth_providers.selfservice import staff_actions, staff_log_ins
from auth_providers.tokens import sessions
from customers.admin.results import ViewFilter
from customers.models import Customer
from tenants.back_office.staff import Staff, staff_of
from tenants.errors import DomainError
from tenants.models import Tenant


@dataclass(frozen=True, kw_only=True)
class AccessAction:
    """What staff do to a customer's access, from the list or from the customer's page; what `hurts` needs a reason."""

    name: str
    label: str
    done: str
    act: Callable[[Customer, Staff, str], object]
    hurts: bool = False


def _activate(customer: Customer, by: Staff, reason: str) -> None:
    staff_actions.set_active(tenant=customer.tenant, customer=customer, is_active=True, reason=reason, **by)


def _deactivate(customer: Customer, by: Staff, reason: str) -> None:
    staff_actions.set_active(tenant=customer.tenant, customer=customer, is_active=False, reason=reason, **by)


def _put_on_hold(customer: Customer, by: Staff, reason: str) -> None:
    staff_actions.set_on_hold(tenant=customer.tenant, customer=customer, is_on_hold=True, reason=reason, **by)


def _release_hold(customer: Customer, by: Staff, reason: str) -> None:
    staff_actions.set_on_hold(tenant=customer.tenant, customer=customer, is_on_hold=False, reason=reason, **by)


def _end_sessions(customer: Customer, by: Staff, reason: str) -> None:
    sessions.end_all(tenant=customer.tenant, customer=customer, reason="ended by staff", **by)


def _remove_second_factor(customer: Customer, by: Staff, reason: str) -> None:
    totp.remove_by_staff(tenant=customer.tenant, customer=customer, reason=reason, **by)


ACTIVATE = AccessAction(name="activate", label="Activate", done="Activated", act=_activate)
DEACTIVATE = AccessAction(
    name="deactivate",
    label="Deactivate and end sessions",
    done="Deactivated, and every session ended",
    act=_deactivate,
    hurts=True,
)
PUT_ON_HOLD = AccessAction(
    name="put_on_hold",
    label="Put on hold and end sessions",
    done="Put on hold, and every session ended",
    act=_put_on_hold,
    hurts=True,
)
RELEASE_HOLD = AccessAction(name="release_hold", label="Release the hold", done="Released the hold", act=_release_hold)
END_SESSIONS = AccessAction(name="end_sessions", label="End sessions", done="Ended every session", act=_end_sessions)
# On the customer's page only, where staff see whom it is about.
REMOVE_SECOND_FACTOR = AccessAction(
    name="remove_second_factor",
    label="Remove the authenticator",
    done="Removed the authenticator, and wrote a mail about it",
    act=_remove_second_factor,
    hurts=True,
)
ACCESS_ACTIONS = {action.name: action for action in (ACTIVATE, DEACTIVATE, PUT_ON_HOLD, RELEASE_HOLD, END_SESSIONS)}


def _actions_for(customer: Customer) -> list[AccessAction]:
    """Those that would change something."""
    offered = [DEACTIVATE if customer.is_active else ACTIVATE, RELEASE_HOLD if customer.is_on_hold else PUT_ON_HOLD]
    return [*offered, END_SESSIONS] if customer.can_log_in else offered


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
class CustomerWithAccessAdmin(MergesAdmin):
    list_filter = [ViewWithLogInsFilter]
    actions = [_list_action(action) for action in ACCESS_ACTIONS.values()]

    def by_log_in(self, tenant: Tenant, word: str, *, is_whole: bool = False) -> list[int]:
        """An address or a number that somebody logs in with need not be on the profile."""
        return accounts.search_log_ins(tenant=tenant, word=word, is_whole=is_whole)

    def get_urls(self) -> list[URLPattern]:
        views: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("action", "actions/<str:name>/", self.action_view),
            ("remove_second_factor", "second-factor/remove/", self.remove_second_factor_view),
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
        return self.back_to(customer, request)

    @method_decorator(require_POST)
    @method_decorator(transaction.atomic)
    def remove_second_factor_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        """For a customer who has lost the app and the recovery codes, and has told the clerk who they are."""
        customer = self.customer_to_change(request, customer_id)
        self.act_on(request, REMOVE_SECOND_FACTOR, [customer])
        return self.back_to(customer, request)

    def act_on(self, request: HttpRequest, action: AccessAction, customers: Iterable[Customer]) -> None:
        """From the list, the reason is the same for all of them."""
        reason = request.POST.get("reason", "")
        for customer in customers:
            try:
                why = staff_log_ins.check_reason(reason) if action.hurts else ""
                action.act(customer, staff_of(request), why)
            except DomainError as error:
                self.message_user(request, f"{customer}: {error.in_words()}", messages.ERROR)
            else:
                self.message_user(request, f"{action.done}: {customer}.", messages.SUCCESS)

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        """The customer is told of contact data that staff change."""
        before = Customer.objects.get(pk=obj.pk)
        super().save_model(request, obj, form, change)
        after = Customer.objects.get(pk=obj.pk)
        notices.tell_of_changed_contact(tenant=obj.tenant, before=before, after=after)

    def head(self, request: HttpRequest, customer: Customer, tab: str) -> dict[str, Any]:
        return {
            **super().head(request, customer, tab),
            "access_actions": _actions_for(customer),
            "remove_second_factor": REMOVE_SECOND_FACTOR,
        }
