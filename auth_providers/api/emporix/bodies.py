"""Tokens in the contract's words, and the requests that ask for them."""

from datetime import datetime
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request

from auth_providers.api.emporix.second_factor import CODE_MAX_LENGTH
from auth_providers.models import Session
from auth_providers.tokens.bearer import Principal
from auth_providers.tokens.opaque_tokens import Pair
from auth_providers.tokens.sessions import Started
from customers.api.emporix.serializers import AddressSerializer, ProfileSerializer
from tenants.models import Tenant

# What a customer's token is good for here, in the names that the contract's own services use.
CUSTOMER_SCOPES = (
    "customer.customer_read_own",
    "customer.customer_manage_own",
    "customer.customerprofile_view",
    "customer.customerprofile_edit",
)


class PasswordAuthentication(serializers.Serializer[Any]):
    email = serializers.CharField(min_length=1, max_length=254)
    password = serializers.CharField(min_length=6, trim_whitespace=False)


class LogIn(PasswordAuthentication):
    secondFactorCode = serializers.CharField(
        source="second_factor_code",
        max_length=CODE_MAX_LENGTH,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="What the authenticator app of who has one shows now; needs no second call then.",
    )


class Signup(serializers.Serializer[Any]):
    email = serializers.CharField(min_length=1, max_length=254)
    password = serializers.CharField(min_length=1, trim_whitespace=False)
    customerDetails = ProfileSerializer(source="profile", required=False, allow_null=True)
    customerAddress = AddressSerializer(source="address", required=False, allow_null=True)
    signup = PasswordAuthentication(required=False, allow_null=True)


class RefreshParameters(serializers.Serializer[Any]):
    refreshToken = serializers.CharField(source="refresh_token")
    legalEntityId = serializers.CharField(source="legal_entity_id", required=False)


def parameter(request: Request, name: str) -> str:
    """A parameter from the body of a POST, so that a token need not stand in an address, or from the query."""
    if request.method == "POST" and isinstance(request.data, dict) and isinstance(request.data.get(name), str):
        return str(request.data[name])
    return request.query_params.get(name, "")


def seconds_until(moment: datetime) -> int:
    """Whole seconds left."""
    return max(0, int((moment - timezone.now()).total_seconds()))


def anonymous_token(*, tenant: Tenant, session: Session, access_token: str, expires_at: datetime) -> dict[str, Any]:
    return {
        "token_type": "Bearer",
        "access_token": access_token,
        "expires_in": seconds_until(expires_at),
        "sessionId": str(session.pk),
        "scope": f"tenant={tenant.code}",
    }


def anonymous_pair(*, tenant: Tenant, session: Session, pair: Pair) -> dict[str, Any]:
    body = anonymous_token(
        tenant=tenant, session=session, access_token=pair.access_token, expires_at=pair.access_expires_at
    )
    return body | {
        "refresh_token": pair.refresh_token,
        "refresh_token_expires_in": seconds_until(pair.refresh_expires_at),
    }


def customer_pair(*, session: Session, pair: Pair) -> dict[str, Any]:
    """The pair in today's names and in the deprecated ones, which older storefronts read."""
    access_seconds, refresh_seconds = (
        seconds_until(pair.access_expires_at),
        seconds_until(pair.refresh_expires_at),
    )
    return {
        "token_type": "Bearer",
        "access_token": pair.access_token,
        "expires_in": access_seconds,
        "refresh_token": pair.refresh_token,
        "refresh_token_expires_in": refresh_seconds,
        "session_id": str(session.pk),
        "accessToken": pair.access_token,
        "expiresIn": access_seconds,
        "refreshToken": pair.refresh_token,
        "refreshTokenExpiresIn": refresh_seconds,
    }


def customer_token(*, started: Started) -> dict[str, Any]:
    if started.pair is None:
        raise TypeError("a log-in of this contract issues a pair")
    return customer_pair(session=started.session, pair=started.pair) | {
        "saas_token": started.service_jwt,
        "saasToken": started.service_jwt,
        "initialPassword": started.account.is_password_initial,
    }


def validation(principal: Principal) -> dict[str, Any]:
    """What a valid token is worth."""
    tenant_scope = f"tenant={principal.tenant.code}"
    body: dict[str, Any] = {
        "token_type": "Bearer",
        "expires_in": seconds_until(principal.expires_at),
        "scope": tenant_scope,
        "sessionId": str(principal.session.pk),
    }
    if principal.customer is not None:
        body["scope"] = " ".join([*CUSTOMER_SCOPES, tenant_scope])
        body |= _log_in_of(principal.session)
    return body


def _log_in_of(session: Session) -> dict[str, str]:
    """Whom the customer logged in as, and the company they act for; in one statement."""
    row = Session.objects.filter(pk=session.pk).values_list("account__identifier", "legal_entity__public_id").first()
    return {name: text for name, text in zip(("email", "legalEntityId"), row or (), strict=False) if text}
