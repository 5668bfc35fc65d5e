"""The Neostore contract: what it says of itself."""

from auth_providers.api.neostore import schema
from auth_providers.api.neostore.examples import EXAMPLES
from tenants.api.contracts import Contract

CONTRACT = Contract(
    name="neostore",
    title="Neostore customer API",
    description="The Neostore customer API, as Patron serves it.",
    prefixes=("api",),
    security_schemes=schema.SECURITY_SCHEMES,
    descriptions=(schema.DESCRIPTIONS,),
    examples=EXAMPLES,
    path_names={"tenant": "tenantId"},
)
