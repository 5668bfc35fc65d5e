"""What the customer's page shows besides the profile: segments, notes, identifiers and consents."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from customers import consents, identifiers, notes, segments
from customers.models import Customer, Segment
from tenants.back_office.rows import TenantRowAdmin
from tenants.back_office.staff import staff_of
from tenants.errors import DomainError

NOTES_SHOWN = 50
CONSENTS_SHOWN = 50


class CustomerRecordAdmin(TenantRowAdmin[Customer]):
    """Buttons and panels; each button makes one call of the core."""

    def get_urls(self) -> list[URLPattern]:
        views: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("assign_segment", "segments/assign/", self.assign_segment_view),
            ("remove_segment", "segments/<int:segment_id>/remove/", self.remove_segment_view),
            ("add_note", "notes/add/", self.add_note_view),
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

    def back_to(self, customer: Customer) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:customers_customer_change", args=[customer.pk]))

    @method_decorator(require_POST)
    @method_decorator(transaction.atomic)
    def assign_segment_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        code = request.POST.get("segment", "")
        return self._press(
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

        return self._press(request, customer_id, act, "Took the customer out of the segment.")

    @method_decorator(require_POST)
    @method_decorator(transaction.atomic)
    def add_note_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        text = request.POST.get("text", "")
        return self._press(
            request,
            customer_id,
            lambda customer: notes.add(tenant=customer.tenant, customer=customer, text=text, **staff_of(request)),
            "Added the note.",
        )

    @method_decorator(require_POST)
    @method_decorator(transaction.atomic)
    def remove_identifier_view(self, request: HttpRequest, customer_id: int, identifier_id: int) -> HttpResponse:
        return self._press(
            request,
            customer_id,
            lambda customer: identifiers.remove(
                tenant=customer.tenant, customer=customer, identifier_id=identifier_id, **staff_of(request)
            ),
            "Removed the identifier.",
        )

    def _press(
        self, request: HttpRequest, customer_id: int, act: Callable[[Customer], object], done: str
    ) -> HttpResponse:
        customer = self.customer_to_change(request, customer_id)
        try:
            act(customer)
        except DomainError as error:
            said = " ".join(detail.message for detail in error.details) or error.message
            self.message_user(request, said, messages.ERROR)
        else:
            self.message_user(request, done, messages.SUCCESS)
        return self.back_to(customer)

    def panels(self, customer: Customer) -> dict[str, Any]:
        """The panels' content, by name."""
        tenant = customer.tenant
        mine = segments.list_for(tenant=tenant, customer=customer)
        others = Segment.objects.for_tenant(tenant).exclude(pk__in=[segment.pk for segment in mine])
        return {
            "segments": mine,
            "other_segments": list(others.order_by("code")),
            "notes": notes.list_for(tenant=tenant, customer=customer)[:NOTES_SHOWN],
            "notes_max_length": notes.MAX_LENGTH,
            "identifiers": identifiers.list_for(tenant=tenant, customer=customer),
            "consents": consents.current(tenant=tenant, customer=customer),
            "consent_history": consents.history(tenant=tenant, customer=customer)[:CONSENTS_SHOWN],
        }
