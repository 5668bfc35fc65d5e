"""Who uses the same credential later sees what was done before: every lock, with two transactions in a known order."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from auth_providers.accounts import mailed_tokens, verification
from auth_providers.accounts.contact_points import EMAIL as MAIL
from auth_providers.login import one_time_code, totp
from auth_providers.management.commands import reencrypt
from auth_providers.models import Account, MailedToken, OneTimeCode, Token
from auth_providers.tenant_files import changes, documents
from auth_providers.tokens import refresh, revocation, sessions
from auth_providers.tokens.bearer import InvalidToken
from customers.models import Customer, Segment
from tenants.models import AuditEvent, Message, Tenant
from tenants.outbox import queue
from tests import authenticators, codes, factories
from tests.factories import CLIENT, EMAIL
from tests.races import behind

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant)


# -- accounts --------------------------------------------------------------------------------------------------------
def unproven(customer: Customer) -> Account:
    account = factories.account_of(customer)
    Account.objects.filter(pk=account.pk).update(verified_at=None, verified_by="")
    account.refresh_from_db()
    return account


def prove(account: Account, by: Account.Proof) -> Account:
    return verification.verify(tenant=account.tenant, account=account, by=by, client=CLIENT)


def test_what_is_proven_twice_is_proven_by_the_first(customer: Customer) -> None:
    account = unproven(customer)
    seen = behind(
        lambda: prove(factories.account_of(customer), Account.Proof.LINK), lambda: prove(account, Account.Proof.CODE)
    )
    assert isinstance(seen, Account)
    assert seen.verified_by == Account.Proof.LINK
    assert AuditEvent.objects.filter(action="verify_account").count() == 1


def test_an_address_that_was_just_proven_is_not_released(customer: Customer) -> None:
    unproven(customer)

    @transaction.atomic
    def release() -> None:
        verification.release(tenant=customer.tenant, email=EMAIL, client=CLIENT)

    assert behind(lambda: prove(factories.account_of(customer), Account.Proof.LINK), release) is None
    assert factories.account_of(customer).is_verified


def test_who_follows_a_mailed_link_waits_for_who_has_followed_it(customer: Customer) -> None:
    tenant, purpose = customer.tenant, MailedToken.Purpose.PASSWORD_RESET
    token = mailed_tokens.issue(account=factories.account_of(customer), purpose=purpose)

    @transaction.atomic
    def follow() -> MailedToken:
        return mailed_tokens.find_locked(tenant=tenant, purpose=purpose, token=token)

    assert isinstance(behind(follow, follow), MailedToken)
    spent = behind(lambda: mailed_tokens.spend(tenant=tenant, purpose=purpose, token=token), follow)
    assert isinstance(spent, mailed_tokens.InvalidMailedToken)


# -- log-ins ---------------------------------------------------------------------------------------------------------
def answer_by_destination(tenant: Tenant, _: one_time_code.Issued, code: str) -> one_time_code.Proven:
    return one_time_code.verify_by_destination(
        tenant=tenant, purpose=codes.LOG_IN, channel=MAIL, destination=EMAIL, code=code, client=codes.ELSEWHERE
    )


@pytest.mark.parametrize("answer", [codes.answer, answer_by_destination])
def test_a_code_that_was_just_spent_is_refused(answer: Callable[..., object], customer: Customer) -> None:
    codes.add_provider(customer.tenant)
    issued = codes.ask(customer.tenant)
    [code] = codes.receive()
    seen = behind(
        lambda: OneTimeCode.objects.update(spent_at=timezone.now()), lambda: answer(customer.tenant, issued, code)
    )
    assert isinstance(seen, one_time_code.InvalidCode)


def test_a_code_of_an_app_is_good_once(customer: Customer) -> None:
    authenticators.enrol(customer)
    code = authenticators.current_code(customer)

    def verify() -> str:
        return totp.verify(tenant=customer.tenant, customer=customer, code=code, client=CLIENT)

    assert isinstance(behind(verify, verify), totp.WrongCode)


# -- tokens ----------------------------------------------------------------------------------------------------------
def test_a_refresh_waits_for_a_log_out_that_has_begun(customer: Customer) -> None:
    tenant, logged_in = customer.tenant, factories.log_in(customer)
    refused = behind(
        lambda: sessions.end(tenant=tenant, session=logged_in.session),
        lambda: refresh.refresh_customer(tenant=tenant, refresh_token=logged_in.refresh_token, client=CLIENT),
    )
    assert isinstance(refused, InvalidToken)
    assert Token.objects.filter(kind=Token.Kind.CUSTOMER_REFRESH).count() == 1


def test_a_token_that_is_given_up_takes_its_newest_successor_along(tenant: Tenant) -> None:
    api_key, visit = factories.api_key_of(tenant), factories.open_anonymous(tenant)
    token = visit.pair.refresh_token
    given_up = behind(
        lambda: refresh.refresh_anonymous(api_key=api_key, refresh_token=token, client=CLIENT),
        lambda: revocation.revoke(tenant=tenant, token=token, api_key=api_key, client=CLIENT),
    )
    assert given_up is None
    assert not Token.objects.exists()


# -- what commands do -------------------------------------------------------------------------------------------------
def test_a_secret_that_was_just_forgotten_is_not_encrypted_anew(tenant: Tenant) -> None:
    queue.enqueue(tenant=tenant, template="activated", recipient=EMAIL, context={"code": "123456"})
    message = Message.objects.get()
    assert message.context_encrypted
    seen = behind(
        lambda: Message.objects.update(context_encrypted=""),
        lambda: reencrypt._reencrypt(Message, "context_encrypted", message.pk),
    )
    assert (seen, Message.objects.get().context_encrypted) == (0, "")


def test_a_tenants_file_that_was_just_applied_changes_nothing(tenant: Tenant) -> None:
    document = documents.of_tenant(tenant)
    Tenant.objects.filter(pk=tenant.pk).update(name="Another")
    Segment.objects.create(tenant=tenant, code="vip", name="VIP")

    def apply() -> list[Any]:
        return changes.apply(document, environment={})

    assert behind(apply, apply) == []
