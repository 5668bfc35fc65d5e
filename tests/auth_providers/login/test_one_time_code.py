"""One-time codes: asked for by anybody, sent to some, answered once."""

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from auth_providers import limits
from auth_providers.accounts.contact_points import ContactPoint
from auth_providers.login import one_time_code, one_time_code_answers
from auth_providers.models import OneTimeCode, Session
from auth_providers.providers import registry
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import Message, Tenant
from tests import codes, factories
from tests.auth_providers import mailbox
from tests.codes import LOG_IN, SECOND_FACTOR, VERIFICATION, answer, ask, refuse, stored_code
from tests.factories import CLIENT, EMAIL

PassTime = Callable[[timedelta], None]
Statements = Callable[[Callable[[], Any]], list[str]]
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
UNKNOWN = "nobody@example.com"


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    """A customer of a tenant whose customers log in by code; no new ones are created."""
    codes.add_provider(tenant, is_provisioning=False)
    return factories.make_customer(tenant)


# -- asking -----------------------------------------------------------------------------------------------------------


def test_a_code_is_mailed_and_proves_the_address_once(tenant: Tenant, customer: Customer) -> None:
    issued = ask(tenant, " Ada@Example.com ")
    assert (issued.channel, issued.masked_destination) == ("email", "a***@example.com")
    assert issued.expires_at - stored_code().issued_at == timedelta(minutes=10)
    [code] = codes.receive()
    assert answer(tenant, issued, f" {code[:3]} {code[3:]}\n") == one_time_code.Proven(
        purpose=LOG_IN, point=ContactPoint(channel="email", destination=EMAIL), customer_number=""
    )
    refuse(tenant, issued, code)


def test_a_second_factor_is_no_first_one(tenant: Tenant, customer: Customer) -> None:
    proven = one_time_code.Proven(
        purpose=SECOND_FACTOR,
        point=ContactPoint(channel="email", destination=EMAIL),
        customer_number=customer.number,
    )
    attempt = LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=CLIENT)
    with pytest.raises(ValueError, match="no first one"):
        one_time_code.log_in(attempt=attempt, proven=proven)
    assert not Session.objects.exists()


def test_who_is_unknown_gets_the_same_answer_and_no_mail(
    tenant: Tenant, customer: Customer, statements: Statements, pass_time: PassTime
) -> None:
    def ask_both() -> tuple[list[str], list[str]]:
        known, unknown = statements(lambda: ask(tenant)), statements(lambda: ask(tenant, UNKNOWN))
        return [each.split(" ")[0] for each in known], [each.split(" ")[0] for each in unknown]

    known, unknown = ask_both()
    assert known == unknown == ["SELECT", "SELECT", "INSERT", "INSERT", "INSERT"]
    assert [str(mail.to[0]) for mail in mailbox.receive()] == [EMAIL]
    pass_time(31 * SECOND)
    known, unknown = ask_both()
    assert known == unknown == ["SELECT", "SELECT", "INSERT", "UPDATE", "INSERT"]
    assert ask_while_cool(tenant, EMAIL) == ask_while_cool(tenant, UNKNOWN)


def ask_while_cool(tenant: Tenant, to: str) -> int | None:
    with pytest.raises(limits.Throttled) as failure:
        ask(tenant, to)
    return failure.value.retry_after


def test_a_wrong_answer_costs_the_same_for_known_and_unknown(
    tenant: Tenant, customer: Customer, statements: Statements
) -> None:
    known, unknown = ask(tenant), ask(tenant, UNKNOWN)
    counts = [len(statements(lambda issued=each: refuse(tenant, issued, "nothing"))) for each in (known, unknown)]  # type: ignore[misc]
    assert counts == [7, 7]


@pytest.mark.parametrize(("is_active", "is_sent"), [(True, True), (False, False)])
def test_a_customer_who_may_not_log_in_gets_no_code(
    tenant: Tenant, customer: Customer, is_active: bool, is_sent: bool
) -> None:
    Customer.objects.update(is_active=is_active)
    ask(tenant)
    assert bool(codes.receive()) is is_sent


def test_who_is_new_gets_a_code_where_new_customers_are_taken(tenant: Tenant) -> None:
    codes.add_provider(tenant)
    ask(tenant, UNKNOWN)
    assert len(codes.receive(UNKNOWN)) == 1


@pytest.mark.parametrize("purpose", [VERIFICATION, SECOND_FACTOR])
def test_other_codes_are_mailed_to_anybody_without_a_provider(tenant: Tenant, purpose: str) -> None:
    issued = ask(tenant, UNKNOWN, purpose)
    [code] = codes.receive(UNKNOWN)
    assert answer(tenant, issued, code).purpose == purpose


def test_codes_of_two_purposes_live_side_by_side(tenant: Tenant, customer: Customer) -> None:
    log_in, verification = ask(tenant), ask(tenant, purpose=VERIFICATION)
    first, second = codes.receive()
    refuse(tenant, log_in, first, purposes=(VERIFICATION,))
    answer(tenant, log_in, first, purposes=(LOG_IN,))
    answer(tenant, verification, second, purposes=(VERIFICATION,))


def test_a_second_factors_code_is_its_customers(tenant: Tenant, customer: Customer) -> None:
    other = factories.make_customer(tenant, email="grace@example.com")
    first, second = (ask(tenant, purpose=SECOND_FACTOR, customer=each) for each in (customer, other))
    ones, others = codes.receive()
    assert answer(tenant, first, ones).customer_number == customer.number
    assert answer(tenant, second, others).customer_number == other.number


@pytest.mark.parametrize("settings", [None, {"is_enabled": False}, {"settings": {"channels": ["sms"]}}])
def test_a_tenant_that_lets_nobody_in_by_mailed_code(tenant: Tenant, settings: dict[str, Any] | None) -> None:
    if settings is not None:
        provider = codes.add_provider(tenant)
        for field, value in settings.items():
            setattr(provider, field, value)
        provider.save()
    for to in (EMAIL, "nonsense"):
        with pytest.raises(registry.UnknownProvider):
            ask(tenant, to)


@pytest.mark.parametrize("purpose", [LOG_IN, SECOND_FACTOR, VERIFICATION])
def test_text_messages_need_a_gateway_and_a_tenant_who_wants_them(
    tenant: Tenant, settings: Settings, purpose: str
) -> None:
    provider = codes.add_provider(tenant, "email", "sms")
    with pytest.raises(registry.UnknownProvider):
        ask(tenant, "+491712345678", purpose, channel="sms")
    settings.SMS_URL = "console:"
    issued = ask(tenant, "+49 (171) 234 56 78", purpose, channel="sms")
    assert issued.masked_destination == "+49 ******5678"
    assert Message.objects.get().recipient == stored_code().destination == "+491712345678"
    provider.delete()
    with pytest.raises(limits.Throttled if purpose == VERIFICATION else registry.UnknownProvider):
        ask(tenant, "+491712345678", purpose, channel="sms")


@pytest.mark.parametrize("channel", ["pigeon", ""])
def test_an_unknown_channel(tenant: Tenant, channel: str) -> None:
    with pytest.raises(registry.UnknownProvider):
        ask(tenant, channel=channel, purpose=VERIFICATION)


@pytest.mark.parametrize(
    ("channel", "to"),
    [
        ("email", ""),
        ("email", "ada"),
        ("email", "ada@example.com\0"),
        ("email", f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 30}"),
        ("sms", ""),
        ("sms", "ada@example.com"),
        ("sms", "+49"),
        ("sms", "0171 2345678"),  # of no country, or not of this one
        ("sms", "+499001234567"),  # premium rate
        ("sms", "+448001111"),  # toll free
        ("sms", "9" * 500),
        ("sms", "+4917\0"),
    ],
)
def test_a_destination_that_is_none(tenant: Tenant, settings: Settings, channel: str, to: str) -> None:
    settings.SMS_URL = "console:"
    with pytest.raises(InvalidInput) as failure:
        ask(tenant, to, VERIFICATION, channel=channel)
    assert [detail.field for detail in failure.value.details] == ["to"]
    with pytest.raises(one_time_code.InvalidCode):
        one_time_code.verify_by_destination(
            tenant=tenant, purpose=VERIFICATION, channel=channel, destination=to, code="123456", client=CLIENT
        )


def test_a_new_code_replaces_the_old_one_after_the_cooldown(
    tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    first = ask(tenant)
    with pytest.raises(limits.Throttled) as failure:
        ask(tenant)
    assert failure.value.retry_after in (29, 30)
    [old] = codes.receive()
    pass_time(31 * SECOND)
    second = ask(tenant)
    assert OneTimeCode.objects.count() == 1
    refuse(tenant, first, old)
    assert stored_code().wrong_answers == 0
    [new] = codes.receive()
    answer(tenant, second, new)
    ask(tenant)  # after a right code there is no wait for the next


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(("seconds", "is_cool"), [(29, False), (30, True)])
def test_a_cooldown_is_over_after_thirty_seconds(
    tenant: Tenant, customer: Customer, pass_time: PassTime, seconds: int, is_cool: bool
) -> None:
    ask(tenant)
    pass_time(seconds * SECOND)
    if is_cool:
        assert ask(tenant)
        return
    assert ask_while_cool(tenant, EMAIL) == 1


def test_a_new_code_takes_the_place_of_its_own_kind_alone(
    tenant: Tenant, other_tenant: Tenant, customer: Customer, pass_time: PassTime
) -> None:
    """Each of the others differs in one thing."""
    later = timezone.now() + timedelta(hours=1)
    kept = {"code_hmac": b"0" * 32, "expires_at": later, "kept_until": later, "wrong_in_a_row": 40}
    same = {"tenant": tenant, "purpose": LOG_IN, "channel": "email", "destination": EMAIL, "customer_number": ""}
    differences: list[dict[str, Any]] = [
        {"tenant": other_tenant},
        {"purpose": VERIFICATION},
        {"channel": "sms"},
        {"destination": UNKNOWN},
        {"customer_number": customer.number},
    ]
    others = [OneTimeCode.objects.create(**same | each, **kept) for each in differences]
    before = list(OneTimeCode.objects.order_by("pk").values())
    own = OneTimeCode.objects.get(challenge_id=ask(tenant).challenge_id)
    OneTimeCode.objects.filter(pk=own.pk).update(wrong_answers=2, wrong_on_known_devices=1)
    pass_time(31 * SECOND)
    codes.receive()
    issued = ask(tenant)
    renewed = OneTimeCode.objects.get(challenge_id=issued.challenge_id)
    assert (renewed.pk, renewed.wrong_answers, renewed.wrong_on_known_devices) == (own.pk, 0, 0)
    [code] = codes.receive()  # of six digits: nobody has guessed at this one
    assert one_time_code.verify_by_destination(
        tenant=tenant, purpose=LOG_IN, channel="email", destination=EMAIL, code=code, client=CLIENT
    )
    assert list(OneTimeCode.objects.exclude(pk=own.pk).order_by("pk").values()) == before
    assert len(before) == len(others)


def test_ten_codes_an_hour_for_one_destination(tenant: Tenant, customer: Customer, pass_time: PassTime) -> None:
    for _ in range(10):
        ask(tenant)
        pass_time(31 * SECOND)
    with pytest.raises(limits.Throttled):
        ask(tenant)
    assert Message.objects.count() == 10


def test_what_is_asked_for_in_a_transaction_goes_with_it(tenant: Tenant, customer: Customer) -> None:
    with transaction.atomic():
        ask(tenant)
        transaction.set_rollback(True)
    assert not OneTimeCode.objects.exists()
    assert not Message.objects.exists()


# -- what rests, and what is sent -------------------------------------------------------------------------------------


def test_a_code_rests_hashed_and_encrypted(
    tenant: Tenant, customer: Customer, monkeypatch: pytest.MonkeyPatch, stored: Callable[[], str], caplog: Any
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setattr(secrets, "randbelow", lambda limit: 42 if limit == 10**6 else 0)
    issued = ask(tenant)
    assert "000042" not in stored()
    assert codes.receive() == ["000042"]
    assert "000042" not in stored()
    answer(tenant, issued, "000042")
    assert "000042" not in caplog.text
    assert Message.objects.get(template="log_in_code").context_encrypted == ""


def test_a_code_is_bound_to_tenant_purpose_destination_customer_and_challenge(tenant: Tenant) -> None:
    code = OneTimeCode(tenant=tenant, purpose=LOG_IN, channel="email", destination=EMAIL, challenge_id=uuid4())
    hashes = {one_time_code_answers.keyed_hash(code, "123456"), one_time_code_answers.keyed_hash(code, "123457")}
    changes = {"tenant_id": 0, "purpose": VERIFICATION, "destination": UNKNOWN, "customer_number": "10000001"}
    for field, value in {**changes, "challenge_id": uuid4()}.items():
        setattr(code, field, value)
        hashes.add(one_time_code_answers.keyed_hash(code, "123456"))
    assert len(hashes) == 7


WHY_DROPPED = {
    "expired": "the code had expired",
    "replaced": "a newer code has taken its place",
    "spent": "the code was used, or had become void",
}


@pytest.mark.parametrize("reason", WHY_DROPPED)
def test_a_code_that_is_good_no_more_is_not_sent(
    tenant: Tenant, customer: Customer, pass_time: PassTime, reason: str
) -> None:
    ask(tenant)
    if reason == "expired":
        pass_time(30 * MINUTE + SECOND)
    elif reason == "spent":
        OneTimeCode.objects.update(spent_at=timezone.now())
    else:
        pass_time(31 * SECOND)
        ask(tenant)
    assert len(codes.receive()) == (1 if reason == "replaced" else 0)
    assert not Message.objects.exclude(context_encrypted="").exists()
    [dropped] = Message.objects.filter(dropped_at__isnull=False, sent_at=None)
    assert dropped.last_error == WHY_DROPPED[reason]


@pytest.mark.parametrize(
    ("language", "preferred", "subject"),
    [("", "de", "Ihr Anmeldecode für acme"), ("fr", "de", "Votre code de connexion pour acme")],
)
def test_a_code_comes_in_the_readers_language(
    tenant: Tenant, customer: Customer, language: str, preferred: str, subject: str
) -> None:
    Customer.objects.update(preferred_language=preferred)
    ask(tenant, language=language)
    assert mailbox.subjects() == [subject]
