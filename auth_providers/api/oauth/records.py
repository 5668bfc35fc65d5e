"""What the token endpoint answers: tokens (RFC 6749, 5.1; RFC 8693, 2.2.1), or an error (RFC 6749, 5.2)."""

from typing import Final, Literal
from uuid import UUID

from auth_providers.login.federated import LinkNeeded
from auth_providers.tokens import jwts
from auth_providers.tokens.opaque_tokens import Pair
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from auth_providers.tokens.sessions import Started
from tenants.api.records import Moment, Record, Seconds, seconds_left
from tenants.errors import DomainError

# RFC 8693, 3
ACCESS_TOKEN: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105
ID_TOKEN: Final = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105
JWT: Final = "urn:ietf:params:oauth:token-type:jwt"

IssuedType = Literal["urn:ietf:params:oauth:token-type:access_token", "urn:ietf:params:oauth:token-type:jwt"]


class TokenResponse(Record):
    """RFC 8693, 2.2.1, and RFC 6749, 5.1."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: Seconds
    issued_token_type: IssuedType | None = None
    refresh_token: str | None = None
    scope: str | None = None


class TokenError(Record):
    """RFC 6749, 5.2. With `interaction_required` comes what another contract needs to ask the customer."""

    error: str
    error_description: str
    handle: str | None = None
    methods: list[str] | None = None
    challenge_id: UUID | None = None
    channel: str | None = None
    masked_destination: str | None = None
    expires_at: Moment | None = None


def tokens_of_pair(pair: Pair, *, issued_type: IssuedType | None = None) -> TokenResponse:
    return TokenResponse(
        access_token=pair.access_token,
        token_type="Bearer",  # noqa: S106
        expires_in=seconds_left(pair.access_expires_at),
        issued_token_type=issued_type,
        refresh_token=pair.refresh_token,
    )


def exchanged_tokens(started: Started, *, issued_type: IssuedType) -> TokenResponse:
    """A pair, or where a JWT was asked for, that."""
    if started.pair is not None:
        return tokens_of_pair(started.pair, issued_type=issued_type)
    return TokenResponse(
        access_token=started.customer_jwt,
        token_type="Bearer",  # noqa: S106
        expires_in=seconds_left(jwts.verify(started.customer_jwt).expires_at),
        issued_token_type=issued_type,
    )


def token_error(error: str, description: str, *, cause: DomainError | None) -> TokenError:
    """The error, with what a client needs to go on where the customer can be asked: this endpoint can't ask anybody."""
    if isinstance(cause, SecondFactorDue):
        methods = list(cause.methods)
        return TokenError(error, description, handle=cause.handle, methods=methods, expires_at=cause.expires_at)
    if isinstance(cause, LinkNeeded) and cause.issued is not None:
        return TokenError(
            error,
            description,
            challenge_id=cause.issued.challenge_id,
            channel=cause.issued.channel,
            masked_destination=cause.issued.masked_destination,
            expires_at=cause.issued.expires_at,
        )
    return TokenError(error, description)
