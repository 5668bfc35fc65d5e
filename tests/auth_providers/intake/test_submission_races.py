"""Many submissions at once, with real threads."""

from collections import Counter
from typing import Any

import pytest

from auth_providers.accounts import verification
from auth_providers.intake import answers, pending_submissions, submission, writing
from auth_providers.intake.entries import Entry
from auth_providers.login import one_time_code
from auth_providers.models import Account, Submission
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.enrichment.fields import fields_of
from customers.models import Customer, CustomerIdentifier
from tenants.models import CheckIn, Message, Tenant
from tests import factories
from tests.contracts.neostore_calls import sent_code
from tests.races import at_once

EMAIL = "grace@example.com"


def answer(tenant: Tenant, issued: one_time_code.Issued, code: str) -> writing.Outcome:
    attempt = LogInAttempt(tenant=tenant, issue=Issue.CUSTOMER_JWT, client=factories.CLIENT)
    return answers.answer(attempt=attempt, challenge_id=str(issued.challenge_id), code=code)


def submit(tenant: Tenant, flow: str = "", **values: Any) -> submission.Outcome:
    entry = Entry(values=fields_of({"email": EMAIL, **values}), identifiers={"card": "7"})
    is_servers = tenant.check_in_policy == CheckIn.NONE
    return submission.submit(
        tenant=tenant, entry=entry, flow=flow, caller=None, client=factories.CLIENT, is_servers=is_servers
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("policy", [CheckIn.PARTIAL, CheckIn.NONE, CheckIn.NO_IDENTIFICATION], ids=str)
def test_many_who_hand_in_one_new_email_make_one_log_in(policy: str) -> None:
    tenant = factories.make_tenant(check_in_policy=policy)
    results = at_once(6, lambda index: submit(tenant, first_name=f"Grace {index}"))
    written = [result for result in results if isinstance(result, submission.Written)]
    assert Account.objects.count() == 1
    assert CustomerIdentifier.objects.count() == (1 if policy == CheckIn.NONE else 0)  # nobody else has proven anything
    expected = {CheckIn.PARTIAL: (1, 1), CheckIn.NONE: (6, 1), CheckIn.NO_IDENTIFICATION: (6, 6)}
    assert (len(written), Customer.objects.count()) == expected[CheckIn(policy)]
    # The others are asked; they share one mailbox, so one code is sent and the rest are too early.
    rest = Counter(type(result).__name__ for result in results if result not in written)
    assert rest == ({"Issued": 1, "Throttled": 4} if policy == CheckIn.PARTIAL else {})


@pytest.mark.django_db(transaction=True)
def test_many_answers_of_one_challenge_write_once() -> None:
    tenant = factories.make_tenant(check_in_policy=CheckIn.FULL)
    issued = submit(tenant, "activation")
    assert isinstance(issued, one_time_code.Issued)
    code = sent_code()
    results = at_once(
        6,
        lambda _: answer(tenant, issued, code),
    )
    assert Counter(type(result) for result in results) == {submission.Written: 1, one_time_code.InvalidCode: 5}
    assert Customer.objects.count() == Account.objects.count() == 1
    assert Message.objects.filter(template="activated").count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_waits_is_spent_once_even_by_two_who_both_had_the_code() -> None:
    """A second check, after the code that is accepted once."""
    tenant = factories.make_tenant(check_in_policy=CheckIn.FULL)
    issued = submit(tenant)
    assert isinstance(issued, one_time_code.Issued)
    waiting = pending_submissions.find(tenant=tenant, challenge_id=issued.challenge_id)
    assert waiting is not None
    results = at_once(4, lambda _: pending_submissions.spend(tenant=tenant, waiting=waiting))
    assert Counter(type(result) for result in results) == {type(None): 1, pending_submissions.SubmissionSpent: 3}
    assert Submission.objects.get().data_encrypted == ""


@pytest.mark.django_db(transaction=True)
def test_two_owners_of_one_unproven_profile_do_not_share_it() -> None:
    tenant = factories.make_tenant()
    for _ in range(5):
        Customer.objects.all().delete()
        submit(tenant, phone="+4915112345678", country="DE")
        accounts = list(Account.objects.select_related("customer"))
        assert len(accounts) == 2
        results = at_once(
            2,
            lambda index, accounts=accounts: verification.verify(  # type: ignore[misc]
                tenant=tenant, account=accounts[index], by=Account.Proof.CODE, client=factories.CLIENT
            ),
        )
        assert Counter(type(result) for result in results) == {Account: 1, verification.AccountGone: 1}
        assert list(Account.objects.values_list("is_permitted", flat=True)) == [True]
