"""What the account operations answer."""

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta

from auth_providers.models import Account, Session
from auth_providers.selfservice.own_account.security_history import Page
from customers.consents import Given
from tenants.api.records import Moment, Record
from tenants.clients import Client


class AuthenticatorStatus(Record, rename="camel"):
    is_enrolled: bool
    recovery_codes_left: int


class Enrolment(Record, rename="camel"):
    """What the app needs, shown this once."""

    secret: Annotated[str, Meta(description="Base 32, for who can't scan the image.")]
    uri: Annotated[str, Meta(description="The same as an `otpauth:` address.")]
    qr_svg: Annotated[str, Meta(description="The address as an image, SVG.")]


class RecoveryCodes(Record, rename="camel"):
    """Each logs in once in place of the app; shown this once."""

    recovery_codes: list[str]


Device = Annotated[str | None, Meta(description="Browser and system, as in `Firefox on Windows`; left out if unknown.")]
Address = Annotated[str | None, Meta(description="The network address; left out if unknown or no longer kept.")]


class OwnSession(Record, rename="camel", kw_only=True):
    id: UUID
    is_current: Annotated[bool, Meta(description="Whether it is the session of the token that was shown.")]
    device: Device = None
    address: Address = None
    site: str | None = None
    method: Annotated[str, Meta(description="The provider by which the customer logged in.")]
    second_factor: Annotated[str | None, Meta(description="What was proven on top.")] = None
    started_at: Annotated[Moment, Meta(description="When the customer logged in.")]
    last_used_at: Annotated[Moment, Meta(description="To a minute or two.")]
    expires_at: Annotated[Moment, Meta(description="When the customer has to log in again at the latest.")]


class OwnSessions(Record):
    sessions: list[OwnSession]


class EndedSessions(Record):
    ended: Annotated[int, Meta(description="How many sessions were running.")]


class LogIn(Record, rename="camel"):
    """An e-mail address or a telephone number that one logs in with."""

    kind: Literal["email", "phone"]
    identifier: Annotated[str, Meta(description="The address, or the number in E.164.")]
    is_current: Annotated[bool, Meta(description="Whether this session was logged in with it.")]
    is_proven: Annotated[bool, Meta(description="Whether the customer has shown to receive what is sent there.")]
    has_password: bool
    may_log_in: Annotated[bool, Meta(description="False while it waits to be confirmed.")]
    added_at: Moment


class Identity(Record, rename="camel", kw_only=True):
    """A log-in with another provider."""

    provider: str
    issuer: str
    subject: Annotated[str, Meta(description="What the provider calls the customer.")]
    email: Annotated[str | None, Meta(description="What the provider said.")] = None
    is_current: Annotated[bool, Meta(description="Whether this session was logged in with it.")]
    added_at: Moment


class LogIns(Record, rename="camel"):
    log_ins: list[LogIn]
    identities: list[Identity]


class ConsentStatement(Record, rename="camel"):
    """What the customer said about one purpose."""

    purpose: str
    is_given: bool
    at: Moment
    source: str
    text_version: Annotated[str | None, Meta(description="Which text was shown.")] = None
    locale: str | None = None
    receipt: UUID | None = None


class Consents(Record, rename="camel"):
    in_force: Annotated[dict[str, bool], Meta(description="By purpose.")]
    statements: Annotated[list[ConsentStatement], Meta(description="All there were, newest first.")]


class SecurityEvent(Record, rename="camel", kw_only=True):
    event: Annotated[str, Meta(description="The trail's name of it, such as `log_in` or `change_password`.")]
    is_success: bool
    at: Moment
    by: Annotated[Literal["customer", "shop"], Meta(description="`shop` for its staff.")]
    method: Annotated[str | None, Meta(description="By which provider, or what proved it.")] = None
    device: Device = None
    address: Address = None
    session: Annotated[UUID | None, Meta(description="The session that it was about, or done in.")] = None
    is_current: Annotated[bool, Meta(description="Whether that is the session of the token that was shown.")]


class SecurityHistory(Record, rename="camel"):
    events: list[SecurityEvent]
    before: Annotated[str | None, Meta(description="What to ask for next as `before`; left out at the end.")] = None


def session_of(session: Session, *, current: Session) -> OwnSession:
    return OwnSession.of(
        session,
        is_current=session.pk == current.pk,
        device=Client(user_agent=session.user_agent).in_words or None,
        site=session.site or None,
        second_factor=session.second_factor or None,
        started_at=session.authenticated_at,
    )


def log_ins_of(every: Sequence[Account], *, current: int | None) -> LogIns:
    """The accounts, oldest first; `current` is the key of the one that the session was logged in with."""
    external = [each for each in every if each.kind == Account.Kind.EXTERNAL]
    own = [each for each in every if each.kind != Account.Kind.EXTERNAL]
    return LogIns(
        log_ins=[
            LogIn.of(
                each,
                is_current=each.pk == current,
                is_proven=each.is_verified,
                may_log_in=each.is_permitted,
                added_at=each.created_at,
            )
            for each in own
        ],
        identities=[
            Identity.of(
                each,
                subject=each.identifier,
                email=each.email or None,
                is_current=each.pk == current,
                added_at=each.created_at,
            )
            for each in external
        ],
    )


def consents_of(history: Sequence[Given]) -> Consents:
    """The statements, newest first: of each purpose the newest is in force."""
    return Consents(
        in_force={each.purpose: each.is_given for each in reversed(history)},
        statements=[
            ConsentStatement.of(each, text_version=each.text_version or None, locale=each.locale or None)
            for each in history
        ],
    )


def history_of(page: Page, *, current: Session) -> SecurityHistory:
    events = [
        SecurityEvent.of(
            each,
            event=each.action,
            by="shop" if each.staff_username else "customer",
            method=each.method or None,
            device=Client(user_agent=each.user_agent).in_words or None,
            session=each.session_id,
            is_current=each.session_id == current.pk,
        )
        for each in page.events
    ]
    return SecurityHistory(events=events, before=page.before or None)
