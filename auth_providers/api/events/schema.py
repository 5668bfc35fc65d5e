"""The description of the feed, for the generated document."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema

from auth_providers.api.events.feed import EventsViewSet
from auth_providers.api.events.records import Feed
from tenants.api.contracts import Descriptions
from tenants.api.problems import PROBLEM, ProblemDetails
from tenants.api.schema import TENANT_CODE, in_path, in_query
from tenants.outbox import feed

SECURITY_SCHEMES = {
    "application": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token that a server of the shop got by client credentials (RFC 6749, 4.4) with an API key of "
        "the scope `events`.",
    },
}
CURSOR, LIMIT = "^([0-9]{1,18}-[0-9]{1,18})?$", "^[0-9]{1,4}$"
APPLICATION: Any = [{"application": []}]
REFUSALS = {
    400: "The cursor or the limit is not valid.",
    401: "No valid token.",
    403: "The API key lacks the scope.",
    404: "There is no such tenant.",
    410: "What the cursor names was deleted with its month.",
    503: "Not available right now.",
}

DESCRIPTIONS: Descriptions = {
    EventsViewSet: {
        "retrieve": [
            extend_schema(
                operation_id="events-list",
                summary="Read events after a cursor",
                description="Nothing is left out: a cursor is given out once nothing can be committed before it. An "
                "installation may keep the trail for so many months only, four at least. A cursor of a month that was "
                "deleted is answered with 410: begin anew without `after`, which reads what there is, and ignore ids "
                "that you know.",
                tags=["Events"],
                parameters=[
                    in_path("tenant", "Code of the tenant.", pattern=TENANT_CODE),
                    in_query(
                        "after", "The cursor of the page before; left out, the first event there is.", pattern=CURSOR
                    ),
                    in_query(
                        "limit",
                        f"Lines of the trail to read, 1 to {feed.MAX_LIMIT}; each is one event or a few.",
                        pattern=LIMIT,
                    ),
                ],
                auth=APPLICATION,
                responses={
                    200: OpenApiResponse(Feed, "Events, oldest first."),
                    **{(status, PROBLEM): OpenApiResponse(ProblemDetails, told) for status, told in REFUSALS.items()},
                },
            )
        ],
    },
}
