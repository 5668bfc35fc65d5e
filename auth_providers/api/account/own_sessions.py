"""`/tenants/{tenant}/account/sessions`: customers see where they are logged in, and end it."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.account.base import AccountViewSet, caller_of
from auth_providers.api.account.records import EndedSessions, OwnSessions, session_of
from auth_providers.selfservice.own_account import own_sessions


class OwnSessionViewSet(AccountViewSet):
    def list_running(self, request: Request, **kwargs: Any) -> Response:
        customer, current = caller_of(request)
        running = own_sessions.list_running(tenant=self.tenant, customer=customer)
        return Response(OwnSessions([session_of(each, current=current) for each in running]))

    def destroy(self, request: Request, session: str, **kwargs: Any) -> Response:
        customer, _ = caller_of(request)
        own_sessions.end(tenant=self.tenant, customer=customer, session_id=_id(session), client=self.client)
        return Response(status=204)

    def end_others(self, request: Request, **kwargs: Any) -> Response:
        customer, current = caller_of(request)
        count = own_sessions.end_others(tenant=self.tenant, customer=customer, session=current, client=self.client)
        return Response(EndedSessions(count))


def _id(text: str) -> UUID:
    """Raises `own_sessions.SessionNotFound` for what is none."""
    try:
        return UUID(text)
    except ValueError as error:
        raise own_sessions.SessionNotFound from error
