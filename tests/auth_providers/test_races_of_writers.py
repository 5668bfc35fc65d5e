"""Two writers of one profile, of one set of addresses: exactly one wins, and what must be true stays true."""

from collections import Counter

import pytest

from auth_providers.accounts import mailed_tokens, verification
from auth_providers.accounts.mailed_tokens import InvalidMailedToken
from auth_providers.models import Account, MailedToken
from auth_providers.selfservice import additional_log_in, email_change, log_in_limit, password_reset
from customers import profiles
from customers.addresses import addresses
from customers.models import Address, Customer
from tenants.outbox import queue, worker
from tests import factories
from tests.authenticators import just_logged_in
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def kinds(results: list[object]) -> Counter[str]:
    return Counter(type(result).__name__ for result in results)


def test_two_changes_of_the_same_version_make_one_conflict() -> None:
    tenant = factories.make_tenant()
    customer = factories.make_customer(tenant)
    results = at_once(
        8,
        lambda index: profiles.update(
            tenant=tenant, customer=customer, changes={"first_name": f"Ada {index}"}, expected_version=1
        ),
    )
    assert kinds(list(results)) == {"Customer": 1, "StaleVersion": 7}
    customer.refresh_from_db()
    assert customer.version == 2


def test_deleting_the_default_while_adding_leaves_exactly_one_default() -> None:
    tenant = factories.make_tenant()
    customer = factories.make_customer(tenant)
    for _ in range(5):
        default = addresses.add(
            tenant=tenant, customer=customer, values={"contact_name": "Ada", "is_default": True}
        ).public_id

        def act(index: int, default: str = default) -> None:
            if index == 0:
                addresses.remove(tenant=tenant, customer=customer, public_id=default)
            else:
                addresses.add(
                    tenant=tenant, customer=customer, values={"contact_name": "Ada", "is_default": index == 1}
                )

        assert not [result for result in at_once(4, act) if isinstance(result, Exception)]
        assert Address.objects.filter(is_default=True).count() == 1


def test_one_reset_token_used_at_once_sets_one_password() -> None:
    tenant = factories.make_tenant()
    account = factories.account_of(factories.make_customer(tenant))
    token = mailed_tokens.issue(account=account, purpose=MailedToken.Purpose.PASSWORD_RESET)
    results = at_once(
        6,
        lambda index: password_reset.complete(
            tenant=tenant, token=token, password=f"another battery {index}", client=factories.CLIENT
        ),
    )
    assert kinds(list(results)) == {"NoneType": 1, InvalidMailedToken.__name__: 5}


def test_two_workers_send_a_mail_once(mailoutbox: list[object]) -> None:
    tenant = factories.make_tenant()
    for index in range(5):
        queue.enqueue(tenant=tenant, template="password_changed", recipient=f"ada{index}@example.com")
    results = at_once(4, lambda _: worker.send_due())
    assert sum(result for result in results if isinstance(result, int)) == 5


def test_log_ins_added_at_once_stop_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_in_limit, "MAX_LOG_INS", 3)
    tenant = factories.make_tenant()
    customer = factories.make_customer(tenant)
    session = factories.log_in(customer).session
    results = at_once(
        6,
        lambda index: additional_log_in.add(
            tenant=tenant,
            session=session,
            email=f"ada{index}@example.com",
            password=factories.PASSWORD,
            client=factories.CLIENT,
        ),
    )
    assert kinds(list(results)) == {"Account": 2, "InvalidInput": 4}
    assert Account.objects.filter(customer=customer).count() == 3


def change_token(customer: Customer, email: str) -> str:
    """Of a mail that was sent to the address, to which the customer's log-in is to move."""
    details = mailed_tokens.EmailChange(email=email, is_contact_email_synced=False)
    account = Account.objects.filter(customer=customer).earliest("pk")
    return mailed_tokens.issue(account=account, purpose=MailedToken.Purpose.EMAIL_CHANGE, details=details)


def test_an_address_that_is_proven_in_two_ways_at_once_has_one_owner() -> None:
    tenant = factories.make_tenant()
    for number in range(5):
        address = f"wanted{number}@example.com"
        ada = factories.make_customer(tenant, email=f"ada{number}@example.com")
        held = factories.account_of(factories.make_customer(tenant, email=address))
        Account.objects.filter(pk=held.pk).update(verified_at=None, verified_by="")
        held.refresh_from_db()
        token = change_token(ada, address)

        def act(index: int, token: str = token, held: Account = held, ada: Customer = ada) -> object:
            if index == 0:
                email_change.confirm(tenant=tenant, token=token, client=factories.CLIENT, caller=just_logged_in(ada))
                return None
            return verification.verify(tenant=tenant, account=held, by=Account.Proof.CODE, client=factories.CLIENT)

        won = kinds(list(at_once(2, act)))
        assert won in ({"NoneType": 1, "AccountGone": 1}, {"EmailTaken": 1, "Account": 1})
        assert Account.objects.get(identifier=address).is_verified


def test_two_who_move_to_addresses_that_the_other_has_typed_in_wait_for_nobody() -> None:
    tenant = factories.make_tenant()
    ada, grace = (factories.make_customer(tenant, email=f"{name}@example.com") for name in ("ada", "grace"))
    for number in range(5):
        wanted = {ada: f"a{number}@example.com", grace: f"g{number}@example.com"}
        for customer, address in ((grace, wanted[ada]), (ada, wanted[grace])):
            Account.objects.create(
                tenant=tenant, customer=customer, kind="email", identifier=address, password="x", is_additional=True
            )
        moves = [(change_token(customer, address), customer) for customer, address in wanted.items()]
        results = at_once(
            2,
            lambda index, moves=moves: email_change.confirm(  # type: ignore[misc]
                tenant=tenant, token=moves[index][0], client=factories.CLIENT, caller=just_logged_in(moves[index][1])
            ),
        )
        assert results == [None, None]
