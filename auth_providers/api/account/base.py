"""What the account's viewsets share: customers come themselves."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from auth_providers.api.authentication import principal_of
from auth_providers.models import Session
from auth_providers.tokens.bearer import Principal
from customers.models import Customer
from tenants.api.problems import ProblemViewSet


class IsTheCustomer(BasePermission):
    """A customer's own token: no visitor's, and not the one that is made for other services of the shop."""

    def has_permission(self, request: Request, view: object) -> bool:
        caller = request.auth
        return isinstance(caller, Principal) and caller.customer is not None and not caller.is_read_only


class AccountViewSet(ProblemViewSet):
    permission_classes = [IsTheCustomer]


def caller_of(request: Request) -> tuple[Customer, Session]:
    """The customer, in a view that no visitor enters, and the session of the token."""
    principal = principal_of(request)
    if principal.customer is None:
        raise TypeError("a visitor came in")
    return principal.customer, principal.session
