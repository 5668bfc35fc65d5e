"""What is answered: tokens (RFC 6749, 5.1; RFC 8693, 2.2.1), what a token is good for, who a customer is, or an error
(RFC 6749, 5.2)."""

from datetime import date, datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta

from auth_providers.accounts.proven_contacts import ProvenContacts
from auth_providers.login.federated import LinkNeeded
from auth_providers.tokens import jwts
from auth_providers.tokens.introspection import TokenInfo
from auth_providers.tokens.opaque_tokens import Pair
from auth_providers.tokens.second_factor_policy import SecondFactorDue
from auth_providers.tokens.sessions import Started
from customers.models import Customer
from tenants.api.records import Moment, Record, Seconds, seconds_left
from tenants.errors import DomainError
from tenants.models import Tenant

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


Epoch = Annotated[int, Meta(description="Seconds since 1970 (RFC 7519, 2, NumericDate).")]
Subject = Annotated[str, Meta(description="The customer's number, the same in every token and answer.")]


class Introspection(Record):
    """RFC 7662, 2.2. Of what is not good, `active` alone."""

    active: bool
    token_type: Annotated[
        Literal["Bearer"] | None, Meta(description="Of an access token; a refresh token has none, and opens nothing.")
    ] = None
    client_id: Annotated[str | None, Meta(description="The client that it was issued to, where one was named.")] = None
    scope: Annotated[str | None, Meta(description="Of an application's token, separated by spaces.")] = None
    sub: Annotated[
        str | None, Meta(description="The customer's number; none for a visitor's and an application's token.")
    ] = None
    sid: Annotated[str | None, Meta(description="The session, which a log-in keeps.")] = None
    amr: Annotated[list[str] | None, Meta(description="How the customer logged in (RFC 8176).")] = None
    auth_time: Annotated[Epoch | None, Meta(description="When the customer logged in.")] = None
    iss: str | None = None
    aud: Annotated[str | None, Meta(description="The tenant's code.")] = None
    iat: Epoch | None = None
    exp: Epoch | None = None


class Userinfo(Record):
    """OpenID Connect Core 1.0, 5.1: what the profile has of it."""

    sub: Subject
    name: str | None = None
    given_name: str | None = None
    middle_name: str | None = None
    family_name: str | None = None
    birthdate: date | None = None
    locale: Annotated[str | None, Meta(description="RFC 5646.")] = None
    updated_at: Epoch | None = None
    email: Annotated[str | None, Meta(description="An address that the customer has proven; no other is told.")] = None
    email_verified: Literal[True] | None = None
    phone_number: Annotated[str | None, Meta(description="E.164.")] = None
    phone_number_verified: bool | None = None


def introspection_of(info: TokenInfo | None, *, tenant: Tenant) -> Introspection:
    """The answer about a token, "not active" about none."""
    if info is None:
        return Introspection(active=False)
    answer = Introspection(
        active=True,
        token_type="Bearer" if info.is_access else None,
        client_id=info.client_id or None,
        scope=" ".join(sorted(info.scopes)) or None,
        iss=jwts.issuer(tenant.code),
        aud=tenant.code,
        iat=_epoch(info.issued_at),
        exp=_epoch(info.expires_at),
        sid=str(info.session.pk) if info.session else None,
    )
    if info.session is not None and info.customer is not None:
        answer.sub = info.customer.number
        answer.amr = jwts.authentication_methods(info.session) or None
        answer.auth_time = _epoch(info.session.authenticated_at)
    return answer


def userinfo_of(customer: Customer, contacts: ProvenContacts) -> Userinfo:
    names = (customer.first_name, customer.middle_name, customer.last_name)
    return Userinfo(
        sub=customer.number,
        name=" ".join(each for each in names if each) or None,
        given_name=customer.first_name or None,
        middle_name=customer.middle_name or None,
        family_name=customer.last_name or None,
        birthdate=customer.birth_date,
        locale=customer.preferred_language.replace("_", "-") or None,
        updated_at=_epoch(customer.updated_at),
        email=contacts.email or None,
        email_verified=True if contacts.email else None,
        phone_number=contacts.phone or None,
        phone_number_verified=contacts.is_phone_proven if contacts.phone else None,
    )


def _epoch(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())


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
