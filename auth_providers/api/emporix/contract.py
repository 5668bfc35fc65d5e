"""The Emporix contract: what it says of itself."""

from auth_providers.api.emporix import schema
from auth_providers.api.emporix.examples import EXAMPLES
from customers.api.emporix import schema as profile_schema
from tenants.api.contracts import Contract
from tenants.api.emporix.base import TENANT_HEADERS
from tenants.api.emporix.schema import SECURITY_SCHEMES

CONTRACT = Contract(
    name="emporix",
    title="Emporix Customer Service",
    description="The customer's own operations of the Emporix Customer Service, as Patron serves them.",
    prefixes=("customer", "customerlogin"),
    security_schemes=SECURITY_SCHEMES,
    descriptions=(profile_schema.DESCRIPTIONS, schema.DESCRIPTIONS),
    examples=EXAMPLES,
    path_names={"address": "addressId"},
    request_headers=("prefer", *(name.lower() for name in TENANT_HEADERS), "session-id"),
    response_headers=("preference-applied",),
)
