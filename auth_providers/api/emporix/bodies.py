"""What log-ins and sign-ups send."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from auth_providers.api.emporix.second_factor import CODE_MAX_LENGTH
from customers.api.emporix.serializers import AddressSerializer, ProfileSerializer


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
