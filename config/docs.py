"""`/docs/`: the contracts, and of each the generated document and a page to read it and try it out. Nothing comes from
another host."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from auth_providers import demo
from config import pages
from tenants.api.contracts import Served, served
from tenants.api.schema import generate
from tenants.back_office.content_policy import CONTENT_SECURITY_POLICY
from tenants.outbox import cloud_events
from tenants.trail.event_types import EventType

# Swagger UI sets `style` attributes for its layout; scripts stay as strict as on every other page.
SWAGGER_POLICY = CONTENT_SECURITY_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """`/docs/`: every contract."""
    return render(request, "docs_index.html", {"contracts": pages.contracts()})


@require_safe
def openapi(request: HttpRequest, contract: str) -> JsonResponse:
    """`/docs/{contract}/openapi.json`."""
    return JsonResponse(document(contract))


@require_safe
def event_schema(request: HttpRequest, kind: str, version: int) -> JsonResponse:
    """`/docs/events/schemas/{type}/{version}.json`: what the data of an event of this type is."""
    if kind not in EventType.values or version != cloud_events.SCHEMA_VERSION:
        raise Http404
    return JsonResponse(cloud_events.schema(EventType(kind)), content_type="application/schema+json")


@require_safe
def swagger(request: HttpRequest, contract: str) -> HttpResponse:
    """`/docs/{contract}/`: the document for people."""
    page = render(request, "docs.html", {"contract": contract, "title": find(contract).contract.title})
    page["Content-Security-Policy"] = SWAGGER_POLICY
    return page


def document(name: str) -> dict[str, Any]:
    """The OpenAPI document of the contract of this name. Raises `Http404`."""
    return _document(find(name))


def find(name: str) -> Served:
    """The contract of this name. Raises `Http404`."""
    found = next((each for each in served() if each.contract.name == name), None)
    if found is None:
        raise Http404
    return found


@cache
def _document(contract: Served) -> dict[str, Any]:
    """Kept: the code it describes does not change while it runs. The demo's has the demo's own values filled in."""
    examples = contract.contract.examples
    return generate(contract, examples.with_demo(demo.card()) if settings.DEMO else examples)
