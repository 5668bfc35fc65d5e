"""What a mail's facts are when it is sent: which template, whose link, what a link belongs to, and for how long a code
is good."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from auth_providers.messaging import mail_rendering
from auth_providers.models import (
    OTP,
    Account,
    AuthProvider,
    MailedToken,
    MessageTemplate,
    OneTimeCode,
    PendingSignUp,
    Session,
)
from customers.models import Customer
from tenants.models import Message, Tenant
from tenants.outbox import queue
from tenants.outbox.worker import NothingToSend
from tests import factories
from tests.factories import EMAIL

pytestmark = pytest.mark.usefixtures("stopped_clock", "names")

PHONE = "+442079460003"
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
TEMPLATES = ("opt_in", "confirm_email", "additional_log_in", "already_registered", "password_reset", "email_in_use")
LATER = timedelta(minutes=3)


@pytest.fixture
def names(tenant: Tenant) -> None:
    """Each mail says how its template is called."""
    for name in (*TEMPLATES, "log_in_code", "log_in_code.sms", "verification_code"):
        for language in ("en", "de"):
            words = {"subject": f"{name} {language}", "text": "{{ minutes }} {{ token }}"}
            MessageTemplate.objects.create(tenant=tenant, template=name, language=language, **words)


def enqueue(tenant: Tenant, template: str, *, recipient: str = EMAIL, language: str = "en", **context: Any) -> Message:
    return queue.enqueue(tenant=tenant, template=template, recipient=recipient, context=context, language=language)


def subject(tenant: Tenant, template: str, **facts: Any) -> str:
    """Which template it is, and in which language."""
    return mail_rendering.render(enqueue(tenant, template, **facts)).subject


def newest_token() -> MailedToken:
    return MailedToken.objects.latest("pk")


def make(tenant: Tenant, email: str = EMAIL, **fields: Any) -> Account:
    customer = factories.make_customer(tenant, email=email)
    Account.objects.filter(customer=customer).update(**factories.UNVERIFIED | {"is_additional": False} | fields)
    return factories.account_of(customer)


# -- opt-ins ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "expected"),
    [({}, "opt_in en"), ({"is_permitted": True}, "confirm_email en")],
    ids=["awaited", "logged in with already"],
)
def test_a_link_confirms_what_may_be_logged_in_with_and_opens_the_rest(
    tenant: Tenant, fields: dict[str, Any], expected: str
) -> None:
    make(tenant, "beside@example.com", is_permitted=not fields)
    make(tenant, **fields)
    assert subject(tenant, "opt_in") == expected


def test_who_is_proven_is_sent_no_opt_in(tenant: Tenant) -> None:
    make(tenant, **factories.VERIFIED)
    with pytest.raises(NothingToSend):
        subject(tenant, "opt_in")


def test_an_account_that_staff_have_deactivated_is_sent_no_opt_in(tenant: Tenant) -> None:
    account = make(tenant)
    Customer.objects.filter(pk=account.customer_id).update(is_active=False)
    with pytest.raises(NothingToSend):
        subject(tenant, "opt_in")
    Account.objects.filter(pk=account.pk).update(is_additional=True)
    assert subject(tenant, "additional_log_in") == "additional_log_in en"


@pytest.mark.parametrize(("is_additional", "page"), [(True, "log-in"), (False, None)])
def test_only_an_additional_log_in_is_mailed_the_link_of_one(
    tenant: Tenant, is_additional: bool, page: str | None
) -> None:
    account = make(tenant, is_additional=is_additional)
    message = enqueue(tenant, "additional_log_in")
    MessageTemplate.objects.update(text="{{ link }}")
    if page is None:
        with pytest.raises(NothingToSend):
            mail_rendering.render(message)
        return
    assert f"/pages/acme/{page}?" in mail_rendering.render(message).text
    assert newest_token().account == account


def waiting(account: Account, session: Session, *, lasts: timedelta = LATER) -> int:
    """The key of a sign-up with the account's address, handed in in this session."""
    made = PendingSignUp.objects.create(
        tenant=account.tenant,
        account=account,
        session_id=session.pk,
        data_encrypted="x",
        expires_at=timezone.now() + lasts,
    )
    return made.pk


def asked_in(account: Account, session: Session | None, **context: Any) -> dict[str, Any]:
    """What the link belongs to that is asked for in this session."""
    if session is not None:
        context["session"] = str(session.pk)
    mail_rendering.render(enqueue(account.tenant, "opt_in", **context))
    return {name: newest_token().details[name] for name in ("pending_sign_up", "is_own")}


def test_a_link_belongs_to_the_newest_sign_up_of_its_session(tenant: Tenant) -> None:
    account, beside = make(tenant), make(tenant, "beside@example.com")
    one, other = (factories.open_anonymous(tenant).session for _ in range(2))
    waiting(account, one)
    newest = waiting(account, one)
    of_other = waiting(account, other)
    waiting(beside, one)
    waiting(account, one, lasts=timedelta(0))
    assert asked_in(account, one) == {"pending_sign_up": newest, "is_own": False}
    assert asked_in(account, other) == {"pending_sign_up": of_other, "is_own": False}
    assert asked_in(account, one, pending_sign_up=of_other) == {"pending_sign_up": of_other, "is_own": False}
    assert asked_in(account, None) == {"pending_sign_up": 0, "is_own": False}


def test_a_sign_up_that_has_expired_is_belonged_to_no_more(tenant: Tenant) -> None:
    account, session = make(tenant), factories.open_anonymous(tenant).session
    waiting(account, session, lasts=timedelta(0))
    assert asked_in(account, session)["pending_sign_up"] == 0
    alive = waiting(account, session, lasts=SECOND)
    assert asked_in(account, session)["pending_sign_up"] == alive


def test_what_waits_in_a_session_of_the_customers_own_is_no_sign_up(tenant: Tenant) -> None:
    account = make(tenant)
    session = factories.open_anonymous(tenant).session
    key = waiting(account, session)
    assert asked_in(account, session)["pending_sign_up"] == key
    Session.objects.filter(pk=session.pk).update(customer=account.customer, authenticated_at=timezone.now())
    assert asked_in(account, session)["pending_sign_up"] == 0
    beside = make(tenant, "beside@example.com").customer
    Session.objects.filter(pk=session.pk).update(customer=beside)
    assert asked_in(account, session)["pending_sign_up"] == key


@pytest.mark.parametrize(
    ("fields", "is_own"),
    [({}, True), ({"is_permitted": True}, False), ({"is_additional": True}, False), ({"password": "!"}, False)],
    ids=["awaited", "permitted", "additional", "without a password"],
)
def test_any_link_is_that_of_the_only_sign_up_there_is(tenant: Tenant, fields: dict[str, Any], is_own: bool) -> None:
    account, beside = make(tenant, **fields), make(tenant, "beside@example.com")
    waiting(beside, factories.open_anonymous(tenant).session)
    assert asked_in(account, None) == {"pending_sign_up": 0, "is_own": is_own}
    assert asked_in(account, None, is_own=True)["is_own"] is True
    waiting(account, factories.open_anonymous(tenant).session)
    assert asked_in(account, None)["is_own"] is False


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "opt_in en"),
        ({"is_permitted": True}, "password_reset en"),
        ({"is_additional": True}, "password_reset en"),
        ({"password": "!"}, "password_reset en"),
    ],
)
def test_who_asks_for_a_new_password_before_the_opt_in_is_mailed_that_once_more(
    tenant: Tenant, fields: dict[str, Any], expected: str
) -> None:
    make(tenant, **fields)
    assert subject(tenant, "password_reset") == expected
    assert newest_token().details.get("is_own", False) is False, "whoever asks may be another one"


# -- changes of the address -------------------------------------------------------------------------------------------
def test_a_new_address_that_somebody_has_proven_is_told_that_it_is_in_use(tenant: Tenant, other_tenant: Tenant) -> None:
    make(other_tenant, "new@example.com", **factories.VERIFIED)
    mover, holder = make(tenant, **factories.VERIFIED), make(tenant, "new@example.com")
    asked = {"recipient": "new@example.com", "account": mover.pk, "is_contact_email_synced": True}
    assert subject(tenant, "email_change", **asked) != "email_in_use en"
    assert newest_token().details == {"email": "new@example.com", "is_contact_email_synced": True}
    Account.objects.filter(pk=holder.pk).update(**factories.VERIFIED)
    assert subject(tenant, "email_change", **asked) == "email_in_use en"


def test_an_additional_address_that_somebody_has_proven_is_told_so(tenant: Tenant) -> None:
    owner, holder = make(tenant, **factories.VERIFIED), make(tenant, "new@example.com")
    asked = {"recipient": "new@example.com", "account": owner.pk, "pending_log_in": 7}
    assert subject(tenant, "additional_log_in", **asked) == "additional_log_in en"
    token = newest_token()
    assert (token.account, token.details["pending_log_in"], token.details["email"]) == (owner, 7, "new@example.com")
    assert (token.details["is_own"], token.details["pending_sign_up"]) == (False, 0)
    Account.objects.filter(pk=holder.pk).update(**factories.VERIFIED)
    assert subject(tenant, "additional_log_in", **asked) == "already_registered en"


# -- codes ------------------------------------------------------------------------------------------------------------
def code_of(
    tenant: Tenant, *, channel: str = "email", purpose: str = "log_in", to: str = EMAIL, ago: timedelta = timedelta(0)
) -> OneTimeCode:
    """A code that was asked for so long ago."""
    now = timezone.now()
    return OneTimeCode.objects.create(
        tenant=tenant,
        purpose=purpose,
        channel=channel,
        destination=to,
        code_hmac=b"0" * 32,
        issued_at=now - ago,
        expires_at=now - ago + SECOND,
        kept_until=now + HOUR,
    )


def message_of(code: OneTimeCode, *, is_language_chosen: bool = False, language: str = "en") -> Message:
    return enqueue(
        code.tenant,
        f"{code.purpose}_code",
        recipient=code.destination,
        language=language,
        code="123 456",
        challenge_id=str(code.challenge_id),
        is_language_chosen=is_language_chosen,
    )


def add_provider(tenant: Tenant, **fields: Any) -> AuthProvider:
    return AuthProvider.objects.create(tenant=tenant, **{"name": OTP, "kind": OTP} | fields)


def test_a_mailed_code_is_good_for_ten_minutes_from_its_hand_over(tenant: Tenant) -> None:
    make(tenant, **factories.VERIFIED)
    code = code_of(tenant, ago=timedelta(minutes=29))
    beside = code_of(tenant, purpose="verification")
    assert mail_rendering.render(message_of(code)).text == "10 123 456"
    until = beside.expires_at
    for each in (code, beside):
        each.refresh_from_db()
    assert (code.expires_at, beside.expires_at) == (timezone.now() + timedelta(minutes=10), until)


def test_a_code_by_text_message_is_good_for_three_minutes_from_its_request(tenant: Tenant) -> None:
    add_provider(tenant)
    code = code_of(tenant, channel="sms", to=PHONE, ago=SECOND)
    until = code.expires_at
    assert mail_rendering.render_text_message(message_of(code)) == "3 123 456"
    code.refresh_from_db()
    assert code.expires_at == until


@pytest.mark.parametrize(("channel", "to", "minutes"), [("email", EMAIL, 30), ("sms", PHONE, 3)])
def test_a_code_waits_only_so_long_for_its_hand_over(tenant: Tenant, channel: str, to: str, minutes: int) -> None:
    add_provider(tenant)
    code = code_of(tenant, channel=channel, to=to, ago=timedelta(minutes=minutes) - SECOND)
    message = message_of(code)
    mail_rendering.render(message)
    OneTimeCode.objects.filter(pk=code.pk).update(issued_at=code.issued_at - SECOND)
    with pytest.raises(NothingToSend, match=r"^the code had expired$"):
        mail_rendering.render(message)


def test_a_code_that_was_spent_or_replaced_is_not_sent(tenant: Tenant, other_tenant: Tenant) -> None:
    add_provider(tenant)
    code, theirs = code_of(tenant), code_of(other_tenant)
    message = message_of(code)
    mail_rendering.render(message)
    OneTimeCode.objects.filter(pk=code.pk).update(spent_at=timezone.now())
    with pytest.raises(NothingToSend, match=r"^the code was used, or had become void$"):
        mail_rendering.render(message)
    OneTimeCode.objects.filter(pk=code.pk).update(spent_at=None, challenge_id=uuid4())
    OneTimeCode.objects.filter(pk=theirs.pk).update(challenge_id=code.challenge_id)
    with pytest.raises(NothingToSend, match=r"^a newer code has taken its place$"):
        mail_rendering.render(message)


@pytest.mark.parametrize(
    ("fields", "is_sent"),
    [({}, True), ({"is_provisioning": False}, False), ({"is_enabled": False}, False), (None, False)],
    ids=["makes customers", "makes none", "off", "not there"],
)
def test_a_stranger_is_mailed_a_code_where_one_would_become_a_customer(
    tenant: Tenant, other_tenant: Tenant, fields: dict[str, Any] | None, is_sent: bool
) -> None:
    add_provider(tenant, name="corporate", kind="oidc", issuer="https://issuer.example")
    add_provider(other_tenant)
    if fields is not None:
        add_provider(tenant, **fields)
    message = message_of(code_of(tenant))
    if is_sent:
        assert mail_rendering.render(message).subject == "log_in_code en"
        return
    with pytest.raises(NothingToSend, match=r"^nobody logs in with this address or number, or may$"):
        mail_rendering.render(message)
    other = message_of(code_of(tenant, purpose="verification"))
    assert mail_rendering.render(other).subject == "verification_code en", "it logs nobody in"


@pytest.mark.parametrize(
    ("is_active", "is_additional", "is_sent"),
    [(True, False, True), (True, True, True), (False, True, True), (False, False, False)],
)
def test_who_was_deactivated_is_mailed_no_code(
    tenant: Tenant, is_active: bool, is_additional: bool, is_sent: bool
) -> None:
    add_provider(tenant)
    account = make(tenant, is_additional=is_additional)
    Customer.objects.filter(pk=account.customer_id).update(is_active=is_active)
    message = message_of(code_of(tenant))
    if is_sent:
        mail_rendering.render(message)
        return
    with pytest.raises(NothingToSend):
        mail_rendering.render(message)


@pytest.mark.parametrize(
    ("is_customer", "is_chosen", "expected"), [(True, False, "de"), (True, True, "en"), (False, False, "en")]
)
def test_a_code_is_in_the_customers_language_unless_another_was_chosen(
    tenant: Tenant, is_customer: bool, is_chosen: bool, expected: str
) -> None:
    add_provider(tenant)
    account = make(tenant, EMAIL if is_customer else "beside@example.com", **factories.VERIFIED)
    Customer.objects.filter(pk=account.customer_id).update(preferred_language="de")
    message = message_of(code_of(tenant), is_language_chosen=is_chosen)
    assert mail_rendering.render(message).subject == f"log_in_code {expected}"
