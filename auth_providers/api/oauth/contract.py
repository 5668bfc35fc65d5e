"""The token endpoint: what it says of itself."""

from auth_providers.api.oauth import schema
from auth_providers.api.oauth.examples import EXAMPLES
from tenants.api.contracts import Contract

CONTRACT = Contract(
    name="oauth",
    title="Token endpoint",
    description="Token exchange (RFC 8693), refreshing, and tokens of a shop's servers, for clients that speak the "
    "standard.",
    prefixes=("tenants", ".well-known"),
    security_schemes=schema.SECURITY_SCHEMES,
    descriptions=(schema.DESCRIPTIONS,),
    examples=EXAMPLES,
)
