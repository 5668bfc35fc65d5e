"""`/tenants/{tenant}/events`: the tenant's events, page by page, for servers of the shop."""

from typing import Any

from msgspec import convert
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.authentication import ApplicationBearer
from auth_providers.api.events.records import CloudEvent, Feed
from auth_providers.tokens.client_credentials import Application
from tenants.api.problems import ProblemViewSet
from tenants.errors import InvalidInput
from tenants.models import Scope
from tenants.outbox import feed


class MayReadEvents(BasePermission):
    """A server of the shop whose API key has the scope `events`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, Application) and request.auth.has_scope(Scope.EVENTS)


class EventsViewSet(ProblemViewSet):
    authentication_classes = [ApplicationBearer]
    permission_classes = [MayReadEvents]

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        after = feed.parse_cursor(request.query_params.get("after", ""))
        page = feed.read(tenant=self.tenant, after=after, limit=_limit(request))
        return Response(
            Feed(
                events=[convert(event, CloudEvent) for event in page.events],
                cursor=str(page.cursor),
                is_last=page.is_last,
            )
        )


def _limit(request: Request) -> int:
    text = request.query_params.get("limit", str(feed.DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= feed.MAX_LIMIT):
        raise InvalidInput.field("limit", f"This is a number from 1 to {feed.MAX_LIMIT}.")
    return int(text)
