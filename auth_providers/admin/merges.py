"""Merging two customers from the customer's page: side by side, and back again by one button."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from auth_providers.accounts import accounts
from auth_providers.admin.customer_data import CustomerDataAdmin, may_erase
from auth_providers.selfservice.merging import merge as merges
from auth_providers.selfservice.merging import snapshots, undoing
from auth_providers.selfservice.merging.merge import Choice
from customers import consents, identifiers, merging
from customers.addresses import addresses
from customers.admin.tabs import notes_of
from customers.models import Customer
from tenants.back_office import returning
from tenants.back_office.staff import staff_of
from tenants.errors import DomainError

OTHER = "other"  # the number of the other customer, in addresses
MERGED = "merged"  # whose value is taken, in the form


class MergesAdmin(CustomerDataAdmin):
    """Merging is for those who may erase: one of the two numbers answers no more."""

    def get_urls(self) -> list[URLPattern]:
        views: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("merge", "merge/", self.merge_view),
            ("undo_merge", "merges/<int:merge_id>/undo/", self.undo_merge_view),
        ]
        ours = [
            path(f"<int:customer_id>/{route}", self.admin_site.admin_view(view), name=f"customers_customer_{name}")
            for name, route, view in views
        ]
        return [*ours, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        """On the page of one customer also the merges that can be undone, in the same statement."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        if match is None or not match.kwargs.keys() & {"customer_id", "object_id"}:
            return rows
        return rows.select_related("merged_into").annotate(merges=snapshots.undoable_of_customer())

    def merge_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        """Ask for the other one's number, show both side by side, and merge them."""
        with transaction.atomic():  # the row's lock goes with it: merging locks two in an order of its own
            customer = self.customer_to_change(request, customer_id)
        if not may_erase(request):
            raise PermissionDenied
        number = request.POST.get(OTHER, "") or request.GET.get(OTHER, "")
        other: Customer | None = None
        try:
            if number:
                other = merges.find_other(tenant=customer.tenant, customer=customer, number=number)
                if request.method == "POST":
                    return self._merge(request, customer, other)
        except DomainError as error:
            self.message_user(request, error.in_words(), messages.ERROR)
        return self._compare(request, customer, other, number)

    def _merge(self, request: HttpRequest, customer: Customer, other: Customer) -> HttpResponse:
        """Raises what the core raises."""
        shown = merging.differences(tenant=customer.tenant, kept=customer, merged=other)
        choice = Choice(
            taken=[each.name for each in shown if request.POST.get(each.name) == MERGED],
            kept_version=_number(request.POST.get("kept_version")),
            merged_version=_number(request.POST.get("merged_version")),
        )
        merges.merge(
            tenant=customer.tenant,
            customer=customer,
            merged=other,
            choice=choice,
            reason=request.POST.get("reason", ""),
            **staff_of(request),
        )
        said = f"Customer {other.number} was merged into {customer.number}. It can be undone for 30 days."
        self.message_user(request, said, messages.SUCCESS)
        return self.back_to(customer, request)

    def _compare(self, request: HttpRequest, customer: Customer, other: Customer | None, number: str) -> HttpResponse:
        home = returning.asked(request, reverse("admin:customers_customer_timeline", args=[customer.pk]))
        context: dict[str, Any] = {
            "home": home,
            **self.admin_site.each_context(request),
            "original": customer,
            "other": other,
            "number": number,
            "opts": self.opts,
            "title": "Merge two customers",
        }
        if other is not None:
            context["differences"] = merging.differences(tenant=customer.tenant, kept=customer, merged=other)
            context["contents"] = [(label, count(customer), count(other)) for label, count in CONTENTS.items()]
            context["swapped"] = reverse(
                "admin:customers_customer_merge", args=[other.pk], query={OTHER: customer.number, returning.FIELD: home}
            )
        return render(request, "admin/customers/customer/merge.html", context)

    @method_decorator(require_POST)
    def undo_merge_view(self, request: HttpRequest, customer_id: int, merge_id: int) -> HttpResponse:
        with transaction.atomic():
            customer = self.customer_to_change(request, customer_id)
        if not may_erase(request):
            raise PermissionDenied
        try:
            back = undoing.undo(tenant=customer.tenant, customer=customer, merge_id=merge_id, **staff_of(request))
        except DomainError as error:
            self.message_user(request, error.in_words(), messages.ERROR)
            return self.back_to(customer, request)
        page = reverse("admin:customers_customer_timeline", args=[back.pk])
        said = format_html('Undone: <a href="{}">customer {}</a> is there again.', page, back.number)
        self.message_user(request, said, messages.SUCCESS)
        return self.back_to(customer, request)

    def head(self, request: HttpRequest, customer: Customer, tab: str) -> dict[str, Any]:
        found = getattr(customer, "merges", []) if customer.is_there else []
        return {**super().head(request, customer, tab), "merges": snapshots.undoable(found)}


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() else None


# What moves besides the profile: how many each has.
CONTENTS: dict[str, Callable[[Customer], int]] = {
    "log-ins": lambda each: accounts.of_customer(tenant=each.tenant, customer=each).count(),
    "addresses": lambda each: len(addresses.list_for(tenant=each.tenant, customer=each)),
    "consents": lambda each: len(consents.current(tenant=each.tenant, customer=each)),
    "notes": lambda each: len(notes_of(each)),
    "identifiers": lambda each: len(identifiers.list_for(tenant=each.tenant, customer=each)),
}
