"""Buttons of the customer's page about what a shop records: segments, notes, identifiers."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from customers import identifiers, notes, segments
from customers.models import Customer, Segment
from tenants.back_office import returning
from tenants.back_office.rows import TenantRowAdmin
from tenants.back_office.staff import staff_of
from tenants.errors import DomainError

# The customer's page: the tabs by the names of their addresses, in their order.
TABS = (
    ("timeline", "Timeline"),
    ("change", "Profile"),
    ("addresses", "Addresses"),
    ("log_ins", "Log-ins and sessions"),
    ("consents", "Consents"),
    ("data", "Data"),
)


class CustomerRecordAdmin(TenantRowAdmin[Customer]):
    """Each button makes one call of the core."""

    def get_urls(self) -> list[URLPattern]:
        views: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("assign_segment", "segments/assign/", self.assign_segment_view),
            ("remove_segment", "segments/<int:segment_id>/remove/", self.remove_segment_view),
            ("add_note", "notes/add/", self.add_note_view),
            ("assign_identifier", "identifiers/assign/", self.assign_identifier_view),
            ("remove_identifier", "identifiers/<int:identifier_id>/remove/", self.remove_identifier_view),
        ]
        ours = [
            path(f"<int:customer_id>/{route}", self.admin_site.admin_view(view), name=f"customers_customer_{name}")
            for name, route, view in views
        ]
        return [*ours, *super().get_urls()]

    def customer_to_change(self, request: HttpRequest, customer_id: int) -> Customer:
        """The customer whom a button acts on, if this member of staff may change them."""
        customer = self.get_object(request, str(customer_id))
        if customer is None:
            raise Http404
        if not self.has_change_permission(request, customer):
            raise PermissionDenied
        return customer

    def back_to(self, customer: Customer, request: HttpRequest) -> HttpResponse:
        """Where the button was pressed."""
        return returning.back(request, reverse("admin:customers_customer_timeline", args=[customer.pk]))

    def press(
        self, request: HttpRequest, customer_id: int, act: Callable[[Customer], object], done: str
    ) -> HttpResponse:
        """Act on the customer, say how it ended, and go back. The core takes locks of its own."""
        with transaction.atomic():
            customer = self.customer_to_change(request, customer_id)
        try:
            with transaction.atomic():
                act(customer)
        except DomainError as error:
            self.message_user(request, error.in_words(), messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)
        return self.back_to(customer, request)

    @method_decorator(require_POST)
    @method_decorator(transaction.atomic)
    def assign_segment_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        code = request.POST.get("segment", "")
        return self.press(
            request,
            customer_id,
            lambda customer: segments.assign(tenant=customer.tenant, customer=customer, code=code, **staff_of(request)),
            f"Put the customer into the segment {code}.",
        )

    @method_decorator(require_POST)
    @method_decorator(transaction.atomic)
    def remove_segment_view(self, request: HttpRequest, customer_id: int, segment_id: int) -> HttpResponse:
        def act(customer: Customer) -> None:
            segment = Segment.objects.for_tenant(customer.tenant).filter(pk=segment_id).first()
            if segment is None:
                raise Http404
            segments.remove(tenant=customer.tenant, customer=customer, code=segment.code, **staff_of(request))

        return self.press(request, customer_id, act, "Took the customer out of the segment.")

    @method_decorator(require_POST)
    @method_decorator(transaction.atomic)
    def add_note_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        text = request.POST.get("text", "")
        return self.press(
            request,
            customer_id,
            lambda customer: notes.add(tenant=customer.tenant, customer=customer, text=text, **staff_of(request)),
            "Added the note.",
        )

    @method_decorator(require_POST)
    @method_decorator(transaction.atomic)
    def assign_identifier_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        given = {request.POST.get("name", "").strip(): request.POST.get("value", "").strip()}
        return self.press(
            request,
            customer_id,
            lambda customer: identifiers.assign(
                tenant=customer.tenant, customer=customer, identifiers=given, **staff_of(request)
            ),
            "Added the identifier.",
        )

    @method_decorator(require_POST)
    @method_decorator(transaction.atomic)
    def remove_identifier_view(self, request: HttpRequest, customer_id: int, identifier_id: int) -> HttpResponse:
        return self.press(
            request,
            customer_id,
            lambda customer: identifiers.remove(
                tenant=customer.tenant, customer=customer, identifier_id=identifier_id, **staff_of(request)
            ),
            "Removed the identifier.",
        )
