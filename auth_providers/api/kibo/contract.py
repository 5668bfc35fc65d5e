"""The Kibo contract: what it says of itself."""

from auth_providers.api.kibo import schema
from auth_providers.api.kibo.authentication import APP_CLAIMS, USER_CLAIMS
from auth_providers.api.kibo.base import CORRELATION, SITE, TENANT
from auth_providers.api.kibo.examples import EXAMPLES
from tenants.api.contracts import Contract

# What the vendor's SDK sends along with every call, also to services that need none of it.
SDK_HEADERS = (APP_CLAIMS, "x-vol-version", "x-vol-dataview-mode", "x-vol-catalog", "x-vol-master-catalog")

CONTRACT = Contract(
    name="kibo",
    title="Kibo auth tickets",
    description="The Kibo storefront auth tickets, as Patron serves them. Every path answers without `/api`, too.",
    prefixes=("api", "commerce", "platform"),
    security_schemes=schema.SECURITY_SCHEMES,
    descriptions=(schema.DESCRIPTIONS,),
    examples=EXAMPLES,
    path_names={"number": "tenantId"},
    described_below="/api/",  # where the vendor's client calls
    request_headers=(CORRELATION, SITE, TENANT, USER_CLAIMS, *SDK_HEADERS),
    response_headers=(CORRELATION,),
    # Below `/api`, where another contract's paths have the tenant's code.
    reserved_codes=("commerce", "platform"),
)
