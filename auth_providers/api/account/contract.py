"""Our own API for customers' accounts: what it says of itself."""

from auth_providers.api.account import schema
from auth_providers.api.account.examples import EXAMPLES
from tenants.api.contracts import Contract

CONTRACT = Contract(
    name="account",
    title="Account",
    description="What customers see of their account and do to it, whatever contract they came by: sessions, log-ins, "
    "consents, what happened, their data, and an authenticator.",
    prefixes=("tenants",),
    security_schemes=schema.SECURITY_SCHEMES,
    descriptions=(schema.DESCRIPTIONS,),
    examples=EXAMPLES,
)
