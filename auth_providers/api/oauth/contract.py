"""OAuth: what it says of itself."""

from auth_providers.api.oauth import schema
from auth_providers.api.oauth.examples import EXAMPLES
from tenants.api.contracts import Contract

CONTRACT = Contract(
    name="oauth",
    title="OAuth",
    description="Tokens for clients that speak the standards: exchange (RFC 8693), refreshing, tokens of a shop's "
    "servers; what a token is good for (RFC 7662), giving one up (RFC 7009), and who its customer is (OpenID Connect "
    "Core 1.0, 5.3).",
    prefixes=("tenants", ".well-known"),
    security_schemes=schema.SECURITY_SCHEMES,
    descriptions=(schema.DESCRIPTIONS,),
    examples=EXAMPLES,
)
