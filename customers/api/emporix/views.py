"""What the contract's views of a customer's own data share."""

from typing import cast

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from customers.models import Customer
from tenants.api.bodies import JsonParser, MergePatchParser
from tenants.api.emporix.base import EmporixViewSet
from tenants.api.headers import header
from tenants.api.records import Record


class CustomerDataViewSet(EmporixViewSet):
    """For a customer's token only."""

    parser_classes = [JsonParser, MergePatchParser]
    permission_classes = [IsAuthenticated]

    @property
    def customer(self) -> Customer:
        """The customer who calls."""
        return cast(Customer, self.request.user)


def updated(request: Request, body: Record) -> Response:
    """The updated resource, or nothing where the client prefers that (RFC 7240, 4.2)."""
    if _prefers_minimal(request):
        return Response(status=200, headers={"Preference-Applied": "return=minimal"})
    return Response(body)


def _prefers_minimal(request: Request) -> bool:
    """RFC 7240, 2: a list of preferences, whose values may be quoted and have parameters."""
    sent = header(request, "Prefer").replace(" ", "").replace('"', "").lower().split(",")
    return "return=minimal" in (preference.split(";")[0] for preference in sent)
