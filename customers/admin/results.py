"""The list of customers: what a search finds, a page after another by key, and the views that staff come back to."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from customers.models import THERE, Customer
from customers.search import finding
from tenants.back_office.staff import tenant_of

if TYPE_CHECKING:
    from customers.admin.customers import CustomerAdmin

BEFORE = "before"
NEW = timedelta(days=7)
LONG_GONE = timedelta(days=365)


class ViewFilter(admin.SimpleListFilter):
    """The saved views."""

    title = parameter_name = "view"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("on_hold", "On hold"),
            ("inactive", "Deactivated"),
            ("waiting", "Waiting for opt-in"),
            ("new", "New this week"),
            ("gone", "No log-in for a year"),
            ("erased", "Erased"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        if self.value() == "waiting":
            return self.waiting(queryset)
        return queryset.filter(self._condition(self.value() or ""))

    def waiting(self, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        """Those who have not confirmed a log-in that needs it. The next app knows log-ins."""
        return queryset.none()

    def _condition(self, name: str) -> Q:
        now = timezone.now()
        return {
            "on_hold": Q(is_on_hold=True),
            "inactive": Q(is_active=False, **THERE),
            "new": Q(created_at__gte=now - NEW),
            "gone": Q(last_login_at__lt=now - LONG_GONE, **THERE),
            "erased": Q(erased_at__isnull=False),
        }.get(name, Q())


class FoundCustomers(ChangeList):
    """Django's list, with the pages by key (`finding`) in place of its numbers, for which it would count every row."""

    model_admin: "CustomerAdmin"

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        return {name: value for name, value in super().get_filters_params(params).items() if name != BEFORE}

    def get_results(self, request: HttpRequest) -> None:
        tenant, rows, found = tenant_of(request), self.queryset, finding.NOTHING
        if tenant is not None:
            found = finding.find(
                tenant=tenant,
                rows=rows,
                term=self.query,
                before=_key(request.GET.get(BEFORE, "")),
                by_log_in=self.model_admin.by_log_in,
            )
        by_key = {customer.pk: customer for customer in self.root_queryset.filter(pk__in=found.keys)}
        self.result_list = [by_key[key] for key in found.keys if key in by_key]
        self.found = found
        self.result_count = len(found.keys) if found.count is None else found.count
        self.full_result_count = self.result_count
        self.show_full_result_count = self.show_admin_actions = True
        self.can_show_all, self.multi_page = True, False
        self.next_page = self.get_query_string({BEFORE: found.keys[-1], "q": self.query}) if found.has_more else ""


def _key(text: str) -> int | None:
    """A key as it stands in a link; None for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < finding.KEY_DIGITS else None
