"""`/commerce/customer/authtickets…`: tickets for customers, by password or refresh token, and for visitors."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.kibo.authentication import ApplicationAuthentication, anonymous_session_of
from auth_providers.api.kibo.base import KiboViewSet
from auth_providers.api.kibo.bodies import anonymous_ticket, customer_ticket, ticket_without_tokens, user_claims
from auth_providers.api.kibo.customer_account import customer_account
from auth_providers.api.kibo.records import CustomerAccount
from auth_providers.login import password as password_login
from auth_providers.models import Session
from auth_providers.tokens import bearer, jwts, refresh, sessions
from auth_providers.tokens.client_credentials import Application
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.opaque_tokens import Pair
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from customers.models import Customer
from tenants.api.fields import Body, Text
from tenants.clients import Client, told_device
from tenants.errors import InvalidInput
from tenants.models import ApiKey

# The JWT is made here, with claims of the contract's own.
ISSUE = Issue.RENEWABLE_PAIR
# In the `userId` that a log-in goes on with, between its handle and the device that it began on.
DEVICE_MARK = "."


class Device(Body):
    """What a storefront tells of its customer's device."""

    fingerprint = Text(max_length=1000, required=False, allow_null=True, allow_blank=True)
    region = Text(max_length=255, required=False, allow_null=True, allow_blank=True)


class PasswordRequest(Device):
    username = Text(max_length=254)
    password = Text()


def validated(serializer: serializers.Serializer[Any]) -> dict[str, Any]:
    """The fields of a well-formed body; otherwise a `ValidationError`."""
    serializer.is_valid(raise_exception=True)
    return cast(dict[str, Any], serializer.validated_data)


def device_of(sent: dict[str, Any]) -> str:
    """Which device a body of `Device` tells of."""
    return told_device(fingerprint=sent.get("fingerprint") or "", region=sent.get("region") or "")


class TicketViewSet(KiboViewSet):
    authentication_classes = [ApplicationAuthentication]

    def attempt_by(self, client: Client, anonymous_session: Session | None = None) -> LogInAttempt:
        """A log-in from this client, whose tokens are the application's."""
        return LogInAttempt(
            tenant=self.tenant,
            issue=ISSUE,
            client=client,
            anonymous_session=anonymous_session,
            api_key=self.api_key,
        )

    @property
    def api_key(self) -> ApiKey:
        """The application's."""
        return cast(Application, self.request.auth).api_key

    @property
    def site_code(self) -> str:
        """The site of the call, "" when it names none."""
        return self.site.code if self.site else ""

    def start(self, log_in: Callable[[Client], sessions.Started], *, device: str) -> Response:
        """The ticket of a log-in from this device ("" for one that nobody told of), or one without tokens when a second
        factor is due. The `userId` of that keeps the device, which the client is not going to tell again."""
        try:
            started = log_in(replace(self.client, told_device=device))
        except SecondFactorDue as due:
            user_id = f"{due.handle}{DEVICE_MARK}{device}" if device else due.handle
            return Response(ticket_without_tokens(user_id=user_id))
        if started.pair is None:
            raise TypeError("a log-in of this contract issues a pair")
        return self._ticket(started.session, started.pair)

    def _ticket(self, session: Session, pair: Pair) -> Response:
        if session.customer is None:
            raise TypeError("a customer's session has a customer")
        number = session.customer.number
        jwt = jwts.sign(
            tenant=self.tenant,
            session=session,
            customer_number=number,
            token_class=jwts.CustomerToken,
            claims=user_claims(number),
        )
        account = self._account(session, session.customer) if self.is_wanted("customerAccount") else None
        return Response(customer_ticket(customer=session.customer, account=account, pair=pair, jwt=jwt))

    def _account(self, session: Session, customer: Customer) -> CustomerAccount:
        return customer_account(
            tenant=self.tenant,
            session=session,
            customer=customer,
            is_wanted=lambda part: self.is_wanted("customerAccount", part),
        )


class OwnTicketViewSet(TicketViewSet):
    """Tickets that need no code."""

    changing_gets = frozenset({"open_anonymous"})

    def log_in(self, request: Request) -> Response:
        sent = validated(PasswordRequest(data=request.data))
        anonymous_session = anonymous_session_of(request, self.tenant)

        def log_in(client: Client) -> sessions.Started:
            return password_login.log_in(
                attempt=self.attempt_by(client, anonymous_session),
                email=sent["username"],
                password=sent["password"],
            )

        return self.start(log_in, device=device_of(sent))

    def open_anonymous(self, request: Request) -> Response:
        opened = sessions.open_anonymous(
            api_key=self.api_key,
            context=sessions.Context(site=self.site_code),
            client=self.client,
        )
        return Response(anonymous_ticket(session=opened.session, pair=opened.pair))

    def refresh(self, request: Request) -> Response:
        refresh_token = request.query_params.get("refreshToken", "")
        if not refresh_token:
            raise InvalidInput.field("refreshToken", "This parameter is required.", code="required")
        try:
            return self._refreshed(refresh_token)
        except (bearer.InvalidToken, bearer.TokenExpired) as error:
            # Not what the contract says of a token that the application is to replace: the customer is.
            raise sessions.LogInRefused("The refresh token is not valid.") from error

    def _refreshed(self, refresh_token: str) -> Response:
        """The ticket for a customer's refresh token, or else for a visitor's."""
        try:
            refreshed = refresh.refresh_customer(
                tenant=self.tenant,
                refresh_token=refresh_token,
                client=self.client,
                api_key_id=self.api_key.pk,
                is_renewable=True,
            )
        except bearer.InvalidToken:
            visit = refresh.refresh_anonymous(api_key=self.api_key, refresh_token=refresh_token, client=self.client)
            return Response(anonymous_ticket(session=visit.session, pair=visit.pair))
        return self._ticket(refreshed.session, refreshed.pair)
