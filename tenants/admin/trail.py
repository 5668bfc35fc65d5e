"""The audit trails in the back office, to read."""

from ipaddress import ip_address

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from tenants.back_office import times
from tenants.back_office.rows import LargeTable, TenantRowAdmin
from tenants.models import AuditEvent, StaffEvent


def in_words(event: AuditEvent) -> str:
    """The action of the event, for people."""
    return f"{event.action} {event.method and f'({event.method})'}".replace("_", " ").strip()


def is_address(text: str) -> bool:
    """Whether it is an IP address: PostgreSQL compares its column with nothing else."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@admin.register(AuditEvent)
class AuditEventAdmin(LargeTable[AuditEvent], TenantRowAdmin[AuditEvent]):
    """Newest first, by the key: the order in which events were written."""

    list_display = ["when", "what", "is_success", "customer_number", "who", "reason", "address"]
    list_filter = ["is_success"]
    search_fields = ["customer_number"]  # shows the search box; `get_search_results` says what it finds
    search_help_text = "Customer number, or user name of a member of staff"

    @admin.display(description="when")
    def when(self, event: AuditEvent) -> str:
        return times.to_the_second(event.at)

    def what(self, event: AuditEvent) -> str:
        return in_words(event)

    def who(self, event: AuditEvent) -> str:
        return event.staff_username or "customer"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        for word in search_term.split():
            queryset = queryset.filter(Q(customer_number=word) if word.isdigit() else Q(staff_username=word))
        return queryset, False


@admin.register(StaffEvent)
class StaffEventAdmin(LargeTable[StaffEvent], admin.ModelAdmin[StaffEvent]):
    """Log-ins and log-outs of staff: for superusers only, whatever rights others are given."""

    list_display = ["when", "what", "username", "is_success", "reason", "address", "user_agent"]
    list_filter = ["is_success"]
    search_fields = ["username"]  # shows the search box; `get_search_results` says what it finds
    search_help_text = "User name as it was typed, or network address"

    @admin.display(description="when")
    def when(self, event: StaffEvent) -> str:
        return times.to_the_second(event.at)

    def what(self, event: StaffEvent) -> str:
        return event.action.replace("_", " ")

    def has_view_permission(self, request: HttpRequest, obj: StaffEvent | None = None) -> bool:
        return bool(request.user.is_superuser)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[StaffEvent], search_term: str
    ) -> tuple[QuerySet[StaffEvent], bool]:
        for word in search_term.split():
            queryset = queryset.filter(Q(address=word) if is_address(word) else Q(username=word))
        return queryset, False
