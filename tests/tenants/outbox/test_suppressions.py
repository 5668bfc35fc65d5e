"""Each tenant's list of addresses that are mailed nothing, and what a mail server's code says of a mailbox."""

from typing import Any

import pytest
from django.utils import timezone

from tenants.models import MailSuppression, Message, Tenant
from tenants.outbox import suppressions
from tenants.outbox.suppressions import Suppressed, Why
from tenants.outbox.worker import Undeliverable

ADA, BOB = "ada@example.com", "bob@example.com"


def rows() -> set[tuple[str, str, str, str]]:
    return set(MailSuppression.objects.values_list("tenant__code", "address", "why", "detail"))


def mailed(tenant: Tenant, recipient: str = ADA, **values: Any) -> Message:
    return Message.objects.create(
        tenant=tenant, template="welcome", recipient=recipient, **{"sent_at": timezone.now()} | values
    )


def test_an_address_on_the_tenants_list_is_refused_with_the_day_and_the_reason(tenant: Tenant) -> None:
    suppressions.add(tenant=tenant, address=ADA, why=Why.COMPLAINED)
    created = MailSuppression.objects.get().created_at
    with pytest.raises(Suppressed) as refused:
        suppressions.check(tenant=tenant, address=ADA)
    assert str(refused.value) == f"The address is on the suppression list since {created:%Y-%m-%d}: complained."
    assert isinstance(refused.value, Undeliverable)


def test_another_address_and_another_tenants_list_refuse_nothing(tenant: Tenant, other_tenant: Tenant) -> None:
    suppressions.add(tenant=other_tenant, address=ADA, why=Why.BOUNCED)
    suppressions.add(tenant=tenant, address=BOB, why=Why.BOUNCED)
    suppressions.check(tenant=tenant, address=ADA)
    suppressions.check(tenant=other_tenant, address=BOB)
    for where, address in ((other_tenant, ADA), (tenant, BOB)):
        with pytest.raises(Suppressed):
            suppressions.check(tenant=where, address=address)


def test_what_is_on_the_list_already_stays_as_it_is(tenant: Tenant, other_tenant: Tenant) -> None:
    suppressions.add(tenant=tenant, address=ADA, why=Why.BOUNCED, detail="550 5.1.1")
    suppressions.add(tenant=tenant, address=ADA, why=Why.STAFF, detail="later")
    suppressions.add(tenant=other_tenant, address=ADA, why=Why.STAFF)
    assert rows() == {("acme", ADA, "bounced", "550 5.1.1"), ("globex", ADA, "staff", "")}


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        ("550 5.1.1\r\n  No such\tuser ", "550 5.1.1 No such user"),
        ("a\0b", "ab"),
        ("x" * 255, "x" * 255),
        ("x" * 256, "x" * 255),
    ],
)
def test_the_words_of_the_server_are_stored_in_one_short_line(tenant: Tenant, said: str, stored: str) -> None:
    suppressions.add(tenant=tenant, address=ADA, why=Why.REFUSED, detail=said)
    assert MailSuppression.objects.get().detail == stored


def test_every_tenant_that_has_mailed_the_address_lists_it_once(tenant: Tenant, other_tenant: Tenant) -> None:
    for each in (tenant, tenant, other_tenant):
        mailed(each)
    done = suppressions.add_where_mailed(address=ADA, why=Why.BOUNCED, detail="gone")
    assert done == 2
    assert rows() == {("acme", ADA, "bounced", "gone"), ("globex", ADA, "bounced", "gone")}


@pytest.mark.parametrize(
    "values", [{"recipient": BOB}, {"sent_at": None}, {"channel": Message.Channel.SMS}, {"channel": "webhook"}]
)
def test_who_has_not_mailed_the_address_lists_nothing(
    tenant: Tenant, other_tenant: Tenant, values: dict[str, Any]
) -> None:
    mailed(tenant, **values)
    assert suppressions.add_where_mailed(address=ADA, why=Why.BOUNCED) == 0
    mailed(other_tenant)
    assert suppressions.add_where_mailed(address=ADA, why=Why.BOUNCED) == 1
    assert rows() == {("globex", ADA, "bounced", "")}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("550 5.1.1 unknown", True),
        ("5.1.0", True),
        ("553 5.1.10", True),
        ("550 5.2.1 disabled", True),
        ("552 5.2.2 full", False),
        ("550 5.2.10", False),
        ("550 5.3.1", False),
        ("550 5.7.1 blocked", False),
        ("450 4.1.1 greylisted", False),
        ("450 4.2.1", False),
        ("250 2.1.5 ok", False),
        ("first 4.7.0 then 5.1.1", False),  # the first code counts
        ("", None),
        ("550 unknown", None),
        ("3.1.1", None),
        ("550 5.1", None),
        ("550 5.1.1.7", None),
        ("192.5.1.1", None),
        ("15.1.1", None),
        ("5.1234.1", None),
        ("(5.1.1)", True),
        ("5.1.1.", True),  # the end of a sentence
    ],
)
def test_what_an_enhanced_status_code_says_of_a_mailbox(reply: str, expected: bool | None) -> None:
    assert suppressions.is_for_good(reply) is expected
