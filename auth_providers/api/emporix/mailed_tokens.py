"""What a visitor does with a token from a mail: confirm an account or an e-mail, set a new password."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.authentication import principal_of
from auth_providers.api.emporix.bodies import NewPassword
from auth_providers.api.emporix.records import log_in_tokens
from auth_providers.api.emporix.second_factor import LogInViewSet
from auth_providers.selfservice import email_change, opt_in, password_reset
from tenants.api.base import HasToken
from tenants.api.failures import in_the_words_of
from tenants.api.fields import Body, Text


class ResetRequest(Body):
    email = Text(max_length=254)
    site = Text(max_length=64, required=False, allow_null=True, allow_blank=True)


class ResetCompletion(Body):
    token = Text(trim_whitespace=True)
    password = NewPassword()


class MailedToken(Body):
    token = Text(trim_whitespace=True)


class WhoWaits(Body):
    email = Text(max_length=254)


class MailedTokenViewSet(LogInViewSet):
    permission_classes = [HasToken]
    changing_gets = frozenset({"opt_in"})

    def request_reset(self, request: Request, **kwargs: Any) -> Response:
        data = _valid(ResetRequest(data=request.data))
        password_reset.request(
            tenant=self.tenant,
            email=data["email"],
            site=data.get("site") or "",
            client=self.client,
            session_id=principal_of(request).session.pk,
        )
        return Response(status=204)

    def complete_reset(self, request: Request, **kwargs: Any) -> Response:
        serializer = ResetCompletion(data=request.data)
        data = _valid(serializer)
        with in_the_words_of(serializer):
            password_reset.complete(tenant=self.tenant, client=self.client, **data)
        return Response(status=204)

    def confirm_email_change(self, request: Request, **kwargs: Any) -> Response:
        data = _valid(MailedToken(data=request.data))
        caller = principal_of(request).session
        email_change.confirm(tenant=self.tenant, client=self.client, caller=caller, **data)
        return Response(status=204)

    def opt_in(self, request: Request, **kwargs: Any) -> Response:
        started = opt_in.confirm(
            attempt=self.attempt_of(request), token=self.kwargs["token"], caller=principal_of(request).session
        )
        return Response(log_in_tokens(started))

    def resend_opt_in(self, request: Request, **kwargs: Any) -> Response:
        data = _valid(WhoWaits(data=request.data))
        opt_in.resend(tenant=self.tenant, client=self.client, session_id=principal_of(request).session.pk, **data)
        return Response(status=202)


def _valid(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    data: dict[str, Any] = serializer.validated_data
    return data
