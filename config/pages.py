"""Pages for people: the start page, and the answer to a wrong address. Programs get problem details (RFC 9457)."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from auth_providers import demo
from tenants.api.base import ContractViewSet
from tenants.api.contracts import served
from tenants.api.problems import PROBLEM


def version(request: HttpRequest) -> dict[str, str]:
    """A context processor: what the foot of a page shows."""
    return {"version": settings.VERSION}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The start page: the contracts' documents and, in the demo, how to use it."""
    return render(request, "home.html", {"card": demo.card() if settings.DEMO else None, "contracts": contracts()})


def contracts() -> list[dict[str, str]]:
    """What a page tells of each contract."""
    every = [each.contract for each in served()]
    return [{"name": each.name, "title": each.title, "description": _as_html(each.description)} for each in every]


def _as_html(description: str) -> SafeString:
    """What stands between backticks is code, as in the documents, whose descriptions are Markdown."""
    parts = enumerate(description.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", part) if at % 2 else part,) for at, part in parts)
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """For a request that no view has seen, such as one for a host that is not ours: there the contract whose path it is
    answers in its own shape."""
    view = _contract_view(request) if isinstance(exception, DisallowedHost) else None
    if view is not None:
        return view(request)
    return _failure(request, 400, "bad_request", "The request is malformed")


def _contract_view(request: HttpRequest) -> Callable[[HttpRequest], HttpResponse] | None:
    """The contract's view of the path; None for a page's and for none."""
    try:
        match = resolve(request.path_info)
    except Resolver404:
        return None
    is_contracts = issubclass(getattr(match.func, "cls", object), ContractViewSet)
    return partial(match.func, **match.kwargs) if is_contracts else None


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """For a page that the caller's role does not show."""
    return _failure(request, 403, "forbidden", "You may not see this page")


def not_from_our_page(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For a form of the back office that came without the page's token, such as one that was open through a log-out."""
    title = "This form is out of date: open its page again"
    return _failure(request, 403, "csrf_failed", title)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _failure(request, 404, "not_found", "There is no such page")


def server_error(request: HttpRequest) -> HttpResponse:
    return _failure(request, 500, "internal_error", "Something went wrong on our side")


def _failure(request: HttpRequest, status: int, code: str, title: str) -> HttpResponse:
    """A page where `Accept` names HTML, as browsers' does, else a problem."""
    if "text/html" in request.headers.get("Accept", "").lower():
        return render(request, "problem.html", {"title": title}, status=status)
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": f"{title}.",
        "instance": request.path,
        "code": code,
    }
    answer = JsonResponse(problem, status=status, content_type=PROBLEM)
    answer.headers["Cache-Control"] = "no-store"
    return answer
