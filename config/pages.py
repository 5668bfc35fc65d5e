"""Pages for people: the start page, and what a wrong address shows."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from auth_providers import demo
from tenants.api.contracts import served


def version(request: HttpRequest) -> dict[str, str]:
    """A context processor: what the foot of a page shows."""
    return {"version": settings.VERSION}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The start page: the contracts' documents and, in the demo, how to use it."""
    contracts = [each.contract for each in served()]
    return render(request, "home.html", {"card": demo.card() if settings.DEMO else None, "contracts": contracts})


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "problem.html", {"title": "There is no such page"}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    return render(request, "problem.html", {"title": "Something went wrong on our side"}, status=500)
