"""Tokens as the contract shows them, and what a log-in asks for besides."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import QuerySet
from msgspec import Meta, field

from auth_providers.login.one_time_code import Issued
from auth_providers.login.social import SocialLogIn
from auth_providers.models import Session
from auth_providers.tokens.bearer import Principal
from auth_providers.tokens.opaque_tokens import Pair
from auth_providers.tokens.sessions import Started
from tenants.api.emporix.records import Forbidden
from tenants.api.records import Moment, Record, Seconds, seconds_left
from tenants.compiled.queries import compiled
from tenants.models import Tenant

# What a customer's token is good for here, in the names that the contract's own services use.
CUSTOMER_SCOPES = (
    "customer.customer_read_own",
    "customer.customer_manage_own",
    "customer.customerprofile_view",
    "customer.customerprofile_edit",
)

Bearer = Literal["Bearer"]
Method = Literal["totp", "sms", "email"]
SecondsAsText = Annotated[str, Meta(description="Seconds, as text.")]
Minutes = Annotated[int, Meta(description="Minutes.")]
OlderSaasToken = Annotated[str, Meta(description="The older name of `saas_token`.")]
InitialPassword = Annotated[bool, Meta(description="Staff set the password; the customer must change it.")]


class NamedSession(Record, kw_only=True):
    """The session of a token by both of its names: clients read one or the other."""

    session_id: UUID
    sessionId: UUID


class AnonymousToken(NamedSession, kw_only=True):
    """A visitor's token. The pair of a renewal by access token has no refresh token."""

    token_type: Bearer
    access_token: str
    expires_in: Seconds
    scope: str
    refresh_token: str | None = None
    refresh_token_expires_in: Seconds | None = None


class CustomerTokens(NamedSession, kw_only=True):
    """A customer's pair, in today's names and in the older ones."""

    token_type: Bearer
    access_token: str
    refresh_token: str
    accessToken: Annotated[str, Meta(description="The older name of `access_token`.")]
    expiresIn: Annotated[int, Meta(description="The older name of `expires_in`.")]
    refreshToken: Annotated[str, Meta(description="The older name of `refresh_token`.")]
    refreshTokenExpiresIn: Annotated[int, Meta(description="The older name of `refresh_token_expires_in`.")]


class RefreshedTokens(CustomerTokens, kw_only=True):
    """The next pair of a session."""

    expires_in: Seconds
    refresh_token_expires_in: Seconds


class LogInTokens(RefreshedTokens, kw_only=True):
    """What a log-in gives: the pair and a JWT."""

    saas_token: str
    saasToken: OlderSaasToken
    initialPassword: InitialPassword


class ExchangedTokens(LogInTokens, kw_only=True):
    """What a log-in with another provider's token gives."""

    scope: str
    session_idle_time: Minutes
    subject_access_token: Annotated[str, Meta(description="The exchanged token; not after a challenge.")] | None = None


class SocialLogInTokens(CustomerTokens, kw_only=True):
    """What a log-in at a provider gives: text where every other log-in has numbers, as the contract's document says."""

    expires_in: SecondsAsText
    refresh_token_expires_in: SecondsAsText
    saas_token: str
    saasToken: OlderSaasToken
    initialPassword: InitialPassword
    scope: str
    session_idle_time: Minutes
    social_access_token: Annotated[str, Meta(description="The provider's; not after a challenge.")] | None = None
    social_id_token: Annotated[str, Meta(description="The provider's; not after a challenge.")] | None = None


class TokenValidity(NamedSession, kw_only=True):
    """What a valid token allows, and how long."""

    token_type: Bearer
    expires_in: Annotated[int, Meta(description="Seconds left.")]
    scope: str
    email: Annotated[str, Meta(description="Of a customer's log-in.")] | None = None
    legalEntityId: Annotated[str, Meta(description="The company that the customer acts for.")] | None = None


class DueSecondFactor(Record, rename="camel"):
    """What the log-in goes on with."""

    handle: str
    methods: list[Method]
    expires_at: Moment


class CodeChallenge(Record, rename="camel"):
    """The code that the log-in needs: the customer of this e-mail shows that the provider's identity is theirs."""

    challenge_id: UUID = field(name="id")
    type: Literal["otp"]
    channel: Literal["email", "sms"]
    masked_destination: str
    expires_at: Moment


class LogInForbidden(Forbidden, kw_only=True):
    """The token does not allow this, or the log-in needs a second factor."""

    secondFactor: DueSecondFactor | None = None


class FederatedLogInForbidden(LogInForbidden, kw_only=True):
    """The token does not allow this, or the log-in needs a second factor or a proof."""

    challenge: CodeChallenge | None = None


class SentCode(Record, rename="camel"):
    """Where the code went. An authenticator app needs none."""

    method: Method
    masked_destination: str | None = None
    expires_at: Moment | None = None


class SecondFactorSent(Record):
    secondFactor: SentCode


def anonymous_token(*, tenant: Tenant, session: Session, access_token: str, expires_at: datetime) -> AnonymousToken:
    return AnonymousToken(
        token_type="Bearer",  # noqa: S106
        access_token=access_token,
        expires_in=seconds_left(expires_at),
        session_id=session.pk,
        sessionId=session.pk,
        scope=_tenant_scope(tenant),
    )


def anonymous_pair(*, tenant: Tenant, session: Session, pair: Pair) -> AnonymousToken:
    return AnonymousToken(
        token_type="Bearer",  # noqa: S106
        access_token=pair.access_token,
        expires_in=seconds_left(pair.access_expires_at),
        session_id=session.pk,
        sessionId=session.pk,
        scope=_tenant_scope(tenant),
        refresh_token=pair.refresh_token,
        refresh_token_expires_in=seconds_left(pair.refresh_expires_at),
    )


def refreshed_tokens(*, session: Session, pair: Pair) -> RefreshedTokens:
    return RefreshedTokens(**_pair(session, pair))


def log_in_tokens(started: Started) -> LogInTokens:
    return LogInTokens(**_log_in(started))


def exchanged_tokens(started: Started, *, tenant: Tenant, subject_token: str | None = None) -> ExchangedTokens:
    return ExchangedTokens(**_log_in(started), **_federated(tenant), subject_access_token=subject_token)


def social_log_in_tokens(started: Started, *, tenant: Tenant, done: SocialLogIn | None = None) -> SocialLogInTokens:
    """`done` has the provider's tokens; after a challenge there are none."""
    values = _log_in(started)
    texts = {name: str(values[name]) for name in ("expires_in", "refresh_token_expires_in")}
    return SocialLogInTokens(
        **(values | texts),
        **_federated(tenant),
        social_access_token=done.access_token if done else None,
        social_id_token=done.id_token if done else None,
    )


def token_validity(principal: Principal) -> TokenValidity:
    is_customers = principal.customer is not None
    names = _names.first(session_id=principal.session.pk) if is_customers else None
    email, legal_entity_id = names or (None, None)
    return TokenValidity(
        token_type="Bearer",  # noqa: S106
        expires_in=seconds_left(principal.expires_at),
        scope=_customer_scope(principal.tenant) if is_customers else _tenant_scope(principal.tenant),
        session_id=principal.session.pk,
        sessionId=principal.session.pk,
        email=email or None,
        legalEntityId=legal_entity_id or None,
    )


def sent_code(issued: Issued | None) -> SecondFactorSent:
    """Where the code of a second factor went; None stands for an authenticator app, which is sent none."""
    if issued is None:
        return SecondFactorSent(SentCode(method="totp"))
    return SecondFactorSent(SentCode.of(issued, method=issued.channel))


def _pair(session: Session, pair: Pair) -> dict[str, Any]:
    """The values of `RefreshedTokens`."""
    access_seconds, refresh_seconds = seconds_left(pair.access_expires_at), seconds_left(pair.refresh_expires_at)
    return {
        "token_type": "Bearer",
        "access_token": pair.access_token,
        "expires_in": access_seconds,
        "refresh_token": pair.refresh_token,
        "refresh_token_expires_in": refresh_seconds,
        "session_id": session.pk,
        "sessionId": session.pk,
        "accessToken": pair.access_token,
        "expiresIn": access_seconds,
        "refreshToken": pair.refresh_token,
        "refreshTokenExpiresIn": refresh_seconds,
    }


def _log_in(started: Started) -> dict[str, Any]:
    """The values of `LogInTokens`."""
    if started.pair is None:
        raise TypeError("a log-in of this contract issues a pair")
    return _pair(started.session, started.pair) | {
        "saas_token": started.service_jwt,
        "saasToken": started.service_jwt,
        "initialPassword": started.account.is_password_initial,
    }


def _federated(tenant: Tenant) -> dict[str, Any]:
    """The values that only the tokens of a federated log-in have."""
    return {
        "scope": _customer_scope(tenant),
        "session_idle_time": (tenant.session_idle_limit or tenant.customer_refresh_lifetime)
        // 60,  # minutes, by the contract's example
    }


def _tenant_scope(tenant: Tenant) -> str:
    return f"tenant={tenant.code}"


def _customer_scope(tenant: Tenant) -> str:
    return " ".join([*CUSTOMER_SCOPES, _tenant_scope(tenant)])


@compiled
def _names(*, session_id: UUID) -> QuerySet[Any, tuple[str | None, str | None]]:
    """Whom the customer of a session logged in as, and the company they act for."""
    return Session.objects.filter(pk=session_id).values_list("account__identifier", "legal_entity__public_id")


READS_OF_VALIDITY = (_names,)  # what `token_validity` asks, for who reads ahead
