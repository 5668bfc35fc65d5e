"""An address that nobody has proven may be a stranger's, whom nobody floods with notices about a profile."""

from collections.abc import Callable

import pytest

from auth_providers import limits
from auth_providers.models import Account, Flow
from tenants.models import CheckIn, Message, Tenant
from tests import factories
from tests.contracts.calls import call
from tests.contracts.neostore_calls import hand_in
from tests.contracts.visits import Visit, visit

STRANGER, PASSWORDS = "vera@example.com", ("a password of mallory", "another of mallory")
TIMES = limits.NOTICE_BY_MAILBOX.limit + 2


def change_contact(attacker: Visit, turn: int) -> None:
    """Away from the stranger's address, and back again."""
    for address in (f"mallory{turn}@example.com", STRANGER):
        body = {"contactEmail": address}
        assert call("PATCH", "/customer/acme/me", token=attacker.tokens[-1], json=body).status_code == 200


def change_password(attacker: Visit, turn: int) -> None:
    current, new = PASSWORDS[turn % 2], PASSWORDS[(turn + 1) % 2]
    body = {"currentPassword": current, "newPassword": new}
    assert attacker.post("password/change", body, token=attacker.tokens[-1]).status_code == 204


def log_in_elsewhere(attacker: Visit, turn: int) -> None:
    answer = call(
        "POST",
        "/customer/acme/login",
        token=attacker.anonymous,
        json={"email": STRANGER, "password": PASSWORDS[0]},
        headers={"User-Agent": f"browser{turn}/1.0 (Windows NT 10.0)"},
    )
    assert answer.status_code == 200


CHANGES = [change_contact, change_password, log_in_elsewhere]


def told() -> list[str]:
    return list(
        Message.objects.filter(recipient=STRANGER).exclude(template="opt_in").values_list("template", flat=True)
    )


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("is_proven", [False, True], ids=["unproven", "proven"])
def test_an_address_is_told_few_times_an_hour_unless_it_is_proven(
    tenant: Tenant, change: Callable[[Visit, int], None], is_proven: bool
) -> None:
    attacker = visit(tenant)
    assert attacker.sign_up(PASSWORDS[0], STRANGER).status_code == 201
    assert attacker.log_in(PASSWORDS[0], STRANGER).status_code == 200
    if is_proven:
        Account.objects.update(**factories.VERIFIED)
    for turn in range(TIMES):
        change(attacker, turn)
    times = 2 * TIMES if change is change_contact else TIMES
    assert len(told()) == (times if is_proven else limits.NOTICE_BY_MAILBOX.limit)


def test_a_contact_address_of_a_stranger_is_told_few_times_an_hour(tenant: Tenant) -> None:
    attacker = visit(tenant)
    assert attacker.sign_up(PASSWORDS[0], "mallory@example.com").status_code == 201
    assert attacker.log_in(PASSWORDS[0], "mallory@example.com").status_code == 200
    Account.objects.update(**factories.VERIFIED)
    for turn in range(TIMES):
        change_contact(attacker, turn)
    assert len(told()) == limits.NOTICE_BY_MAILBOX.limit


def test_sign_ups_again_and_again_mail_few_links(tenant: Tenant) -> None:
    """A stranger signs up with the address, moves on, and signs up with it again."""
    Tenant.objects.update(is_confirmation_mailed=True)
    for turn in range(limits.MAIL_BY_MAILBOX.limit + 2):
        attacker = visit(tenant)
        assert attacker.sign_up(PASSWORDS[0], STRANGER).status_code == 201
        Account.objects.filter(identifier=STRANGER).update(identifier=f"mallory{turn}@example.com")
    assert Message.objects.filter(recipient=STRANGER, template="opt_in").count() == limits.MAIL_BY_MAILBOX.limit


def test_what_a_flow_sends_is_sent_few_times_an_hour(tenant: Tenant) -> None:
    Tenant.objects.update(check_in_policy=CheckIn.NO_IDENTIFICATION)
    Flow.objects.create(tenant=tenant, name="hello", steps=[{"step": "send_message", "template": "welcome"}])
    for _ in range(limits.MAIL_BY_MAILBOX.limit + 2):
        assert hand_in({"email": STRANGER}, flow="hello").status_code == 200
    assert Message.objects.filter(recipient=STRANGER, template="welcome").count() == limits.MAIL_BY_MAILBOX.limit
