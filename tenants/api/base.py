"""What every contract's viewsets share: the tenant comes first, then who is calling, and every failure has a body."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol, cast

from django.http import HttpRequest
from rest_framework.exceptions import (
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    ParseError,
    PermissionDenied,
)
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from tenants import isolation
from tenants.api.bodies import JsonParser, JsonRenderer, measure
from tenants.api.caller import client_of, client_of_tenant
from tenants.api.failures import Failure, failure_of
from tenants.api.headers import header
from tenants.api.lean import LeanViewSet
from tenants.clients import Client
from tenants.compiled import ahead
from tenants.compiled.queries import CompiledQuery
from tenants.directory import get_tenant
from tenants.models import Tenant
from tenants.telemetry import context

PURPOSES = ("Sec-Purpose", "Purpose", "X-Moz")


class Connections(Protocol):
    """What hangs on a profile."""

    @property
    def log_ins(self) -> list[tuple[str, str]]:
        """What people know it by, and the id at its provider or ""."""

    @property
    def legal_entities(self) -> list[tuple[str, str, str]]:
        """Id, name and id of the assignment."""


class Caller(Protocol):
    """What the authentication class leaves in `request.auth`."""

    @property
    def tenant(self) -> Tenant: ...

    @property
    def site(self) -> str:
        """The site of the visit, "" when the storefront did not say."""

    @property
    def is_read_only(self) -> bool:
        """Whether the token is one that changes nothing."""

    def connections(self) -> Connections:
        """What belongs to the customer who calls."""


class HasToken(BasePermission):
    """Any valid token of the tenant will do, an anonymous one too."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.auth is not None


class JsonOnly(BaseContentNegotiation):
    """The contract speaks JSON, whatever the client says it accepts."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        content_type = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if _matches(parser.media_type, content_type)), None)

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


def _is_prefetch(request: Request) -> bool:
    """Whether a browser fetches what nobody has asked for yet (Fetch, 3.2.9, and what older ones send)."""
    if request.method != "GET":
        return False
    return any("prefetch" in header(request, name).lower() for name in PURPOSES)


def _matches(media_type: str, content_type: str) -> bool:
    if media_type == "application/*+json":
        return content_type.startswith("application/") and content_type.endswith("+json")
    return media_type == content_type


class ContractViewSet(LeanViewSet):
    """A viewset of one contract. A subclass says how it names the tenant and spells a failure."""

    parser_classes = [JsonParser]
    renderer_classes = [JsonRenderer]
    content_negotiation_class: type[BaseContentNegotiation] = JsonOnly
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    # False where a call names its tenant differently from the rest of the contract.
    names_tenant_in_path: ClassVar[bool] = True
    # Actions that a GET leads to and that change something all the same, because the contract has it so.
    changing_gets: ClassVar[frozenset[str]] = frozenset()
    # What actions that change nothing are known to ask for the caller, so that it is read with the token.
    reads_ahead: ClassVar[Mapping[str, Sequence[CompiledQuery[Any, Any]]]] = {}
    # Actions that a POST leads to and that change nothing.
    reading_posts: ClassVar[frozenset[str]] = frozenset()

    tenant: Tenant
    client: Client
    _confinement: isolation.Confinement | None = None

    def tenant_code(self, request: Request) -> str:
        """The tenant's code as the request names it. Raises `UnknownTenant` when it contradicts itself."""
        return str(self.kwargs.get("tenant", ""))

    def render_failure(self, failure: Failure) -> Response:
        """The contract's answer to a failure."""
        raise NotImplementedError

    @classmethod
    def as_view(cls, actions: dict[str, Any] | None = None, **initkwargs: Any) -> Any:
        """The view for these actions by method. HEAD does what GET does only where that changes nothing."""
        if actions and actions.get("get") in cls.changing_gets:
            actions = {**actions, "head": "change_nothing"}
        return super().as_view(actions, **initkwargs)

    def change_nothing(self, request: Request, **kwargs: Any) -> Response:
        """A HEAD of what only GET may do: mail scanners and link checkers send it (RFC 9110, 9.2.1)."""
        return Response(status=204)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            ahead.forget()
            if self._confinement is not None:
                self._confinement.end()

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        measure(request)
        return super().initialize_request(request, *args, **kwargs)

    def confine(self, tenant: Tenant) -> None:
        """From here on the request is this tenant's, and the database shows it no other's rows."""
        self.tenant = tenant
        context.note(tenant=tenant.code)
        self.client = client_of_tenant(self.request, self.client, tenant)
        self._confinement = isolation.Confinement(tenant)
        self._confinement.begin()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if (request.method or "").lower() not in (self.action_map or {}):
            raise MethodNotAllowed(request.method or "")
        if not getattr(request, "is_host_allowed", False):
            request.get_host()  # raises `DisallowedHost`, whose answer the middleware has left to the contract
        if any("\0" in text for name, values in request.query_params.lists() for text in (name, *values)):
            raise ParseError("The query contains a NUL character.")
        if "\0" in request.path_info and any("\0" in str(text) for text in self.kwargs.values()):
            raise ParseError("The path contains a NUL character.")
        if self.action in self.changing_gets and _is_prefetch(request):
            raise PermissionDenied("This is not done ahead of time: repeat the request when it is needed.")
        self.client = client_of(request)
        if self.names_tenant_in_path:
            self.confine(self._resolve_tenant(request))
        self._admit(request)
        caller = cast(Caller | None, request.auth)
        if caller is not None and caller.is_read_only and self._is_change(request):
            raise PermissionDenied("This token is for reading only.")

    def _admit(self, request: Request) -> None:
        """What is left of REST framework's own steps: no contract has versions, format suffixes or throttles of its
        kind."""
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self.perform_authentication(request)
        self.check_permissions(request)

    def _is_change(self, request: Request) -> bool:
        if request.method == "POST" and self.action in self.reading_posts:
            return False
        is_changing_get = request.method == "GET" and self.action in self.changing_gets
        return is_changing_get or request.method not in SAFE_METHODS

    def _resolve_tenant(self, request: Request) -> Tenant:
        """The tenant, from the caller's token where that spares a statement; its own look-up otherwise, before the
        token is judged, so that a wrong tenant is always called wrong."""
        code = self.tenant_code(request)
        try:
            caller = cast(Caller | None, request.auth)
        except Exception:
            get_tenant(code)
            raise
        if caller is not None and caller.tenant.code == code:
            return caller.tenant
        tenant = get_tenant(code)
        if caller is not None:
            raise NotAuthenticated
        return tenant

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> Any:
        raise NotAuthenticated if request.auth is None else PermissionDenied("User not authorized.")

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response]:
        return lambda error, context: self.render_failure(failure_of(error))

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        # Answers carry tokens and personal data; addresses may carry tokens (OWASP ASVS 5.0, 14.2.1 and 14.3.2).
        final.headers["Cache-Control"] = "no-store"
        final.headers["Referrer-Policy"] = "no-referrer"
        return final


class UnknownPath(ContractViewSet):
    """Mixed into a contract's viewset: answers for every path that the contract does not have."""

    names_tenant_in_path = False
    authentication_classes = []
    permission_classes = []

    def refuse(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        raise NotFound("There is no such path.")


EVERY_METHOD: dict[str, Any] = dict.fromkeys(("get", "post", "put", "patch", "delete"), "refuse")
