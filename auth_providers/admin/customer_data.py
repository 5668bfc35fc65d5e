"""Buttons of the customer's page about all of their data: a copy of it, and its erasure."""

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from auth_providers.admin.log_in_tabs import LogInTabsAdmin
from auth_providers.selfservice import data_export, deletion, staff_log_ins
from customers.models import Customer
from tenants.back_office import returning
from tenants.back_office.staff import staff_of
from tenants.errors import DomainError

FORMATS = {"json": "application/json", "html": "text/html"}


def may_erase(request: HttpRequest) -> bool:
    """Erasing is for those who may delete; support clerks may not."""
    return bool(request.user.has_perm("customers.delete_customer"))


class CustomerDataAdmin(LogInTabsAdmin):
    """Each button makes one call of the core."""

    def get_urls(self) -> list[URLPattern]:
        views: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("export", "export/<str:kind>/", self.export_view),
            ("erase", "erase/", self.erase_view),
        ]
        ours = [
            path(f"<int:customer_id>/{route}", self.admin_site.admin_view(view), name=f"customers_customer_{name}")
            for name, route, view in views
        ]
        return [*ours, *super().get_urls()]

    @method_decorator(require_POST)
    def export_view(self, request: HttpRequest, customer_id: int, kind: str) -> HttpResponse:
        """All that is held about the customer, as a file to hand over."""
        if kind not in FORMATS:
            raise Http404
        with transaction.atomic():  # the row's lock goes with it
            customer = self.customer_to_change(request, customer_id)
        try:
            found = data_export.export(tenant=customer.tenant, customer=customer, **staff_of(request))
        except DomainError as error:  # erased meanwhile
            self.message_user(request, error.message, messages.ERROR)
            return self.back_to(customer, request)
        made = _as_json(found) if kind == "json" else _as_html(customer, found)
        return HttpResponse(
            made,
            content_type=f"{FORMATS[kind]}; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="customer-{customer.number}.{kind}"'},
        )

    def erase_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        """Show first what goes and what stays: an erasure can't be undone."""
        with transaction.atomic():  # the row's lock goes with it: erasing takes its locks in an order of its own
            customer = self.customer_to_change(request, customer_id)
        if not may_erase(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask(request, customer)
        try:
            why = staff_log_ins.check_reason(request.POST.get("reason", ""))
            deletion.erase_by_staff(tenant=customer.tenant, customer=customer, reason=why, **staff_of(request))
        except DomainError as error:  # no reason, or someone else was faster
            self.message_user(request, error.in_words(), messages.ERROR)
            return self.back_to(customer, request)
        self.message_user(request, f"Erased customer {customer.number}.", messages.SUCCESS)
        return self.back_to(customer, request)

    def _ask(self, request: HttpRequest, customer: Customer) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "original": customer,
            "opts": self.opts,
            "home": returning.asked(request, reverse("admin:customers_customer_timeline", args=[customer.pk])),
            "title": "Erase a customer",
            "fates": deletion.preview(tenant=customer.tenant, customer=customer),
        }
        return render(request, "admin/customers/customer/erase.html", context)

    def head(self, request: HttpRequest, customer: Customer, tab: str) -> dict[str, Any]:
        return {**super().head(request, customer, tab), "may_erase": may_erase(request)}


def _as_json(found: dict[str, list[data_export.Row]]) -> str:
    return json.dumps(found, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)


def _as_html(customer: Customer, found: dict[str, list[data_export.Row]]) -> str:
    """A page of its own, to be read outside of the back office."""
    tables = [(name, [_lines(row) for row in rows]) for name, rows in found.items() if rows]
    context = {"customer": customer, "shop": customer.tenant.name, "tables": tables, "at": timezone.now()}
    return render_to_string("admin/customers/customer/export.html", context)


def _lines(row: data_export.Row) -> list[tuple[str, object]]:
    """What says something, with its name as people write it."""
    return [
        (name.replace("_", " "), json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value)
        for name, value in row.items()
        if value not in (None, "", [], {})
    ]
