"""Calls from browsers (CORS): which paths other origins may call, and with which headers."""

from typing import Any

from corsheaders import middleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from tenants.api.contracts import served


class ContractCorsMiddleware(middleware.CorsMiddleware):
    """Allows the paths of the contracts only, for the headers of the settings and those of the contracts."""

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        contracts = [each.contract for each in served()]
        self.prefixes = frozenset(prefix for each in contracts for prefix in each.prefixes)
        self.headers = {
            middleware.ACCESS_CONTROL_ALLOW_HEADERS: [name for each in contracts for name in each.request_headers],
            middleware.ACCESS_CONTROL_EXPOSE_HEADERS: [name for each in contracts for name in each.response_headers],
        }

    def is_enabled(self, request: HttpRequest) -> bool:
        return request.path_info.lstrip("/").partition("/")[0] in self.prefixes

    def add_response_headers(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if "HTTP_ORIGIN" not in request.META and self.is_enabled(request):
            patch_vary_headers(response, ("origin",))  # all that it would do, without reading every header
            return response
        answer = super().add_response_headers(request, response)
        for header, names in self.headers.items():
            if header in answer.headers:
                answer.headers[header] = ", ".join([answer.headers[header], *names])
        return answer
