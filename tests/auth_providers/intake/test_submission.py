"""Submissions in the core: what is stored while a challenge is open, and what a proof leaves of an unproven profile."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from auth_providers import retention
from auth_providers.accounts import mailed_tokens
from auth_providers.intake import answers, pending_submissions, submission, writing
from auth_providers.intake.entries import Entry
from auth_providers.login import one_time_code
from auth_providers.login import password as password_login
from auth_providers.models import Account, MailedToken, Submission
from auth_providers.selfservice import opt_in, password_reset
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from tenants.models import CheckIn, Message, Tenant
from tenants.outbox import worker
from tenants.secrets.encryption import decrypt
from tests import factories
from tests.auth_providers import mailbox

EMAIL, PHONE = "grace@example.com", "+4915112345678"


def answer(tenant: Tenant, issued: one_time_code.Issued, code: str) -> writing.Outcome:
    attempt = LogInAttempt(tenant=tenant, issue=Issue.CUSTOMER_JWT, client=factories.CLIENT)
    return answers.answer(attempt=attempt, challenge_id=str(issued.challenge_id), code=code)


def submit(tenant: Tenant) -> submission.Outcome:
    entry = Entry(values={"email": EMAIL, "phone": PHONE})
    return submission.submit(tenant=tenant, entry=entry, flow="", caller=None, client=factories.CLIENT)


def waiting(tenant: Tenant) -> one_time_code.Issued:
    Tenant.objects.update(check_in_policy=CheckIn.FULL)
    tenant.refresh_from_db()
    issued = submit(tenant)
    assert isinstance(issued, one_time_code.Issued)
    return issued


def test_an_entry_survives_its_wait() -> None:
    entry = Entry(
        values={"email": EMAIL, "birth_date": "1906-12-09"},
        consents={"email": True},
        identifiers={"card": "7"},
        properties={"a": [1, None]},
        derived=("city",),
    )
    assert Entry.from_json(entry.as_json()) == entry


def test_what_nobody_answers_is_forgotten_with_its_challenge(tenant: Tenant) -> None:
    issued = waiting(tenant)
    retention.purge()
    assert pending_submissions.find(tenant=tenant, challenge_id=issued.challenge_id)
    Submission.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert pending_submissions.find(tenant=tenant, challenge_id=issued.challenge_id) is None
    retention.purge()
    assert not Submission.objects.exists()


def newest_code() -> str:
    message = Message.objects.filter(template__endswith="_code").latest("pk")
    return str(json.loads(decrypt(message.context_encrypted))["code"])


def test_a_code_that_no_submission_waits_for_answers_none(tenant: Tenant) -> None:
    """Such as that of a challenge that links an identity: it has the same purpose."""
    issued = one_time_code.request(
        tenant=tenant, purpose=writing.PURPOSE, channel="email", destination=EMAIL, client=factories.CLIENT
    )
    with pytest.raises(one_time_code.InvalidCode):
        answer(tenant, issued, newest_code())
    assert not Account.objects.exists()


def test_a_submission_is_answered_by_its_own_code(tenant: Tenant) -> None:
    issued = waiting(tenant)
    code = newest_code()
    wrong = f"{(int(code) + 1) % 10**6:06}"
    with pytest.raises(one_time_code.InvalidCode):
        answer(tenant, issued, wrong)
    outcome = answer(tenant, issued, code)
    assert isinstance(outcome, submission.Written)
    confirmed = Account.objects.exclude(verified_at=None).values_list("identifier", flat=True)
    assert list(confirmed) == [EMAIL]


def test_another_tenant_finds_nothing(tenant: Tenant, other_tenant: Tenant) -> None:
    issued = waiting(tenant)
    assert pending_submissions.find(tenant=other_tenant, challenge_id=issued.challenge_id) is None


def test_following_a_mailed_link_is_proof_too(tenant: Tenant) -> None:
    submit(tenant)
    account = Account.objects.get(identifier=EMAIL)
    token = mailed_tokens.issue(account=account, purpose=MailedToken.Purpose.OPT_IN)
    opt_in.confirm(attempt=LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=factories.CLIENT), token=token)
    assert list(Account.objects.values_list("identifier", "is_permitted")) == [(EMAIL, True)]


def test_who_forgot_a_password_that_never_was_gets_one(tenant: Tenant, mailoutbox: list[Any]) -> None:
    """The mail is read by the owner of the address: that is proof, too."""
    submit(tenant)
    password_reset.request(tenant=tenant, email=EMAIL, client=factories.CLIENT)
    worker.send_due()
    [token] = mailbox.TOKEN.findall(str(mailoutbox[-1].body))
    password_reset.complete(tenant=tenant, token=token, password=factories.PASSWORD, client=factories.CLIENT)
    assert list(Account.objects.values_list("identifier", "is_permitted")) == [(EMAIL, True)]
    password_login.log_in(
        attempt=LogInAttempt(tenant=tenant, issue=Issue.PAIR, client=factories.CLIENT),
        email=EMAIL,
        password=factories.PASSWORD,
    )
