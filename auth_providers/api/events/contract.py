"""The feed of events: what it says of itself."""

from auth_providers.api.events import schema
from auth_providers.api.events.examples import EXAMPLES
from tenants.api.contracts import Contract

CONTRACT = Contract(
    name="events",
    title="Events",
    description="What happened to customers, in the order in which it was committed, for the shop's own systems. "
    "Each type of event has a JSON Schema at `/docs/events/schemas/{type}/1.json`.",
    prefixes=("tenants",),
    security_schemes=schema.SECURITY_SCHEMES,
    descriptions=(schema.DESCRIPTIONS,),
    examples=EXAMPLES,
)
