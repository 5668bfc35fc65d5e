"""What log-ins and sign-ups send."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from auth_providers.accounts import passwords
from auth_providers.api.emporix.second_factor import CODE_MAX_LENGTH
from customers.api.emporix.serializers import AddressSerializer, ProfileSerializer
from tenants.api.fields import Body, Email, Text
from tenants.models import PASSWORD_MIN_LENGTH


class PasswordAuthentication(Body):
    email = Text(max_length=254)
    password = Text(min_length=6)


class NewPassword(Text):
    """A password to be set; the tenant's policy may ask for a longer one."""

    def __init__(self, **kwargs: Any) -> None:
        form = {"pattern": f"^[^\\u0000]{{{PASSWORD_MIN_LENGTH},}}$", "maxLength": passwords.MAX_LENGTH}
        super().__init__(**({"form": form} | kwargs))


class NewLogIn(Body):
    """What a customer is to log in with."""

    email = Email()
    password = NewPassword(min_length=6)


class LogIn(PasswordAuthentication):
    secondFactorCode = Text(
        source="second_factor_code",
        max_length=CODE_MAX_LENGTH,
        required=False,
        allow_null=True,
        allow_blank=True,
        help_text="What the authenticator app of who has one shows now; needs no second call then.",
    )


class Signup(Body):
    email = Email()
    password = NewPassword()
    customerDetails = ProfileSerializer(source="profile", required=False, allow_null=True)
    customerAddress = AddressSerializer(source="address", required=False, allow_null=True)
    signup = NewLogIn(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The core sees one password only, and it is not this one where `signup` has another."""
        if attrs.get("signup") and len(attrs["password"]) < PASSWORD_MIN_LENGTH:
            message = f"A password has at least {PASSWORD_MIN_LENGTH} characters."
            raise serializers.ValidationError({"password": message}, code="min_length")
        return attrs


class RefreshParameters(Body):
    """What a refresh takes; a company to act for is one of the customer's, and none leaves the company."""

    refreshToken = Text(source="refresh_token")
    legalEntityId = Text(source="legal_entity_id", required=False, allow_blank=True)


def parameter(request: Request, name: str) -> str:
    """A parameter from the body of a POST, so that a token need not stand in an address, or from the query."""
    if request.method == "POST" and isinstance(request.data, dict) and isinstance(request.data.get(name), str):
        return str(request.data[name])
    return request.query_params.get(name, "")
