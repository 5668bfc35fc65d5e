"""`/docs/`: the generated document of each contract, and a page to read it and try it out. Nothing on the page comes
from another host."""

from functools import cache
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from auth_providers.api.account import schema as account_schema
from auth_providers.api.emporix import schema as log_ins_of_emporix
from auth_providers.api.kibo import schema as kibo_schema
from auth_providers.api.neostore import schema as neostore_schema
from auth_providers.api.oauth import schema as oauth_schema
from config.contracts import account, emporix, kibo, neostore, oauth
from config.middleware import CONTENT_SECURITY_POLICY
from customers.api.emporix import schema as profiles_of_emporix
from tenants.api.emporix import schema
from tenants.api.schema import Contract, describe, generate

# Swagger UI sets `style` attributes for its layout; scripts stay as strict as on every other page.
SWAGGER_POLICY = CONTENT_SECURITY_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")

CONTRACTS = {
    "emporix": Contract(
        title="Patron: Emporix Customer Service",
        description="The customer's own operations of the Emporix Customer Service, as Patron serves them.",
        patterns=emporix.urlpatterns,
        security_schemes=schema.SECURITY_SCHEMES,
        path_names={"address": "addressId"},
    ),
    "neostore": Contract(
        title="Patron: Neostore customer API",
        description="The Neostore customer API, as Patron serves it.",
        patterns=neostore.urlpatterns,
        security_schemes=neostore_schema.SECURITY_SCHEMES,
        path_names={"tenant": "tenantId"},
    ),
    "kibo": Contract(
        title="Patron: Kibo auth tickets",
        description="The Kibo storefront auth tickets, as Patron serves them. Every path answers without `/api`, too.",
        patterns=kibo.described,
        security_schemes=kibo_schema.SECURITY_SCHEMES,
        path_names={"number": "tenantId"},
    ),
    "account": Contract(
        title="Patron: account",
        description="What customers do to their account whatever contract they came by.",
        patterns=account.urlpatterns,
        security_schemes=account_schema.SECURITY_SCHEMES,
    ),
    "oauth": Contract(
        title="Patron: token endpoint",
        description="Token exchange (RFC 8693) and refreshing, for clients that speak the standard.",
        patterns=oauth.described,
        security_schemes=oauth_schema.SECURITY_SCHEMES,
    ),
}

for descriptions in (
    account_schema,
    profiles_of_emporix,
    log_ins_of_emporix,
    kibo_schema,
    neostore_schema,
    oauth_schema,
):
    describe(descriptions.DESCRIPTIONS)


@cache
def document(contract: str) -> dict[str, Any]:
    """The contract's OpenAPI document; the code it describes does not change while it runs."""
    return generate(CONTRACTS[contract])


@require_safe
def openapi(request: HttpRequest, contract: str) -> JsonResponse:
    """`/docs/{contract}/openapi.json`."""
    return JsonResponse(document(_known(contract)))


@require_safe
def swagger(request: HttpRequest, contract: str) -> HttpResponse:
    """`/docs/{contract}/`: the document for people."""
    page = render(request, "docs.html", {"contract": contract, "title": CONTRACTS[_known(contract)].title})
    page["Content-Security-Policy"] = SWAGGER_POLICY
    return page


def _known(contract: str) -> str:
    if contract not in CONTRACTS:
        raise Http404
    return contract
