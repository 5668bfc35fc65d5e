"""`/api/{tenantId}/customer`: who the caller is, and what storefronts hand in about a customer."""

from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn, cast

from rest_framework.exceptions import NotAuthenticated, ParseError
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.authentication import principal_of
from auth_providers.api.neostore import bodies
from auth_providers.api.neostore.base import NeostoreViewSet
from auth_providers.api.neostore.records import code_sent
from auth_providers.intake import answers, submission
from auth_providers.intake.entries import Entry
from auth_providers.intake.flows import UnknownFlow
from auth_providers.login import one_time_code
from auth_providers.tokens.bearer import Principal
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from customers import full_profiles
from customers.models import Customer
from tenants import api_keys
from tenants.api.failures import Failure
from tenants.errors import FieldError, InvalidInput, Kind, Reason, fields_renamed
from tenants.models import Scope

API_KEY = "X-API-KEY"
# Of data that is handed in, by the kind of the failure: the contract has no 400, 403, 404 and 409 for what it says.
STATUS_OF_DATA = {Kind.INVALID: 412, Kind.FORBIDDEN: 401, Kind.NOT_FOUND: 401, Kind.CONFLICT: 401, Kind.CHALLENGE: 401}


class CustomerViewSet(NeostoreViewSet):
    reads_ahead: ClassVar = {"retrieve": full_profiles.READS}

    def get_permissions(self) -> list[BasePermission]:
        return [IsAuthenticated()] if self.action == "retrieve" else []

    def permission_denied(self, request: Request, message: str | None = None, code: str | None = None) -> NoReturn:
        """The contract knows no 403: a visitor is not authenticated as a customer."""
        raise NotAuthenticated

    def failure_status(self, failure: Failure) -> int:
        status = super().failure_status(failure)
        if self.action != "create" or failure.error is None or failure.reason is Reason.UNKNOWN_TENANT:
            return status
        return 401 if failure.reason is Reason.INVALID_CODE else STATUS_OF_DATA.get(failure.error.kind, status)

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        caller = principal_of(request)
        profile = full_profiles.read(tenant=self.tenant, customer=cast(Customer, caller.customer))
        return Response(bodies.profile_body(caller=caller, profile=profile))

    def create(self, request: Request, **kwargs: Any) -> Response:
        body = request.data
        if not isinstance(body, Mapping):
            raise ParseError("The body is not an object.")
        is_servers, is_answer = self._is_servers(request), body.get("challenge") is not None
        try:
            with fields_renamed(bodies.contract_name):
                outcome = self._answer(body) if is_answer else self._submit(request, body, is_servers)
        except SecondFactorDue as due:
            return Response(self.second_factor(due), status=202)
        if isinstance(outcome, one_time_code.Issued):
            return Response(code_sent(outcome), status=202)
        profile = full_profiles.read(tenant=self.tenant, customer=outcome.customer)
        return Response(bodies.written_body(outcome, profile))

    def _is_servers(self, request: Request) -> bool:
        """Whether a server of the shop shows a key that may write customers. Raises `api_keys.InvalidApiKey` for a key
        that may not."""
        secret = request.headers.get(API_KEY)
        if secret is None:
            return False
        api_keys.authenticate(tenant=self.tenant, secret=secret, scope=Scope.CUSTOMERS_WRITE)
        return True

    def _submit(self, request: Request, body: Mapping[str, Any], is_servers: bool) -> submission.Outcome:
        entry, errors = bodies.entry_of(body)
        flow = request.query_params.get("flow", "")
        if errors:
            self._refuse(entry, flow, errors)
        caller = cast(Principal | None, request.auth)
        return submission.submit(
            tenant=self.tenant,
            entry=entry,
            flow=flow,
            caller=caller.customer if caller else None,
            client=self.client,
            is_servers=is_servers,
        )

    def _refuse(self, entry: Entry, flow: str, errors: list[FieldError]) -> NoReturn:
        """With everything that is wrong, at once."""
        try:
            submission.check(tenant=self.tenant, entry=entry, flow=flow)
        except (InvalidInput, UnknownFlow) as error:
            errors = [*errors, *error.details]
        raise InvalidInput(details=tuple(errors))

    def _answer(self, body: Mapping[str, Any]) -> submission.Outcome:
        """Write the data that waits for the challenge; anything else in the body is ignored."""
        challenge_id, code, errors = bodies.answer_of(body)
        if errors:
            raise InvalidInput(details=tuple(errors))
        attempt = LogInAttempt(tenant=self.tenant, issue=Issue.CUSTOMER_JWT, client=self.client)
        return answers.answer(attempt=attempt, challenge_id=challenge_id, code=code)
