"""Mailed tokens: accepted once, for one purpose, in one tenant, for a limited time from sending, and not stored."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from auth_providers.accounts import mailed_tokens
from auth_providers.accounts.mailed_tokens import EmailChange, InvalidMailedToken
from auth_providers.models import Account, MailedToken
from customers.models import Customer
from tenants.models import Tenant
from tenants.outbox import queue, worker
from tenants.secrets.random_tokens import digest
from tests import factories
from tests.auth_providers import mailbox

Purpose = MailedToken.Purpose
OF_ACCOUNTS = [purpose for purpose in Purpose if purpose is not Purpose.UNDO]
SECOND = timedelta(seconds=1)


@pytest.fixture
def account(tenant: Tenant) -> Account:
    return factories.account_of(factories.make_customer(tenant))


def issue(account: Account, purpose: MailedToken.Purpose = Purpose.PASSWORD_RESET) -> str:
    return mailed_tokens.issue(account=account, purpose=purpose)


def spend(tenant: Tenant, token: str, purpose: MailedToken.Purpose = Purpose.PASSWORD_RESET) -> MailedToken:
    return mailed_tokens.spend(tenant=tenant, purpose=purpose, token=token)


def is_refused(tenant: Tenant, token: str, purpose: MailedToken.Purpose = Purpose.PASSWORD_RESET) -> bool:
    try:
        spend(tenant, token, purpose)
    except InvalidMailedToken as error:
        return [each.field for each in error.details] == ["token"]
    return False


def test_spend_once(account: Account) -> None:
    token = issue(account)
    assert spend(account.tenant, token).account == account
    assert is_refused(account.tenant, token)


def test_spend_uses_up_every_other_of_the_account(account: Account) -> None:
    older, other = issue(account), issue(account, Purpose.EMAIL_CHANGE)
    spend(account.tenant, issue(account))
    assert is_refused(account.tenant, older)
    assert is_refused(account.tenant, other, Purpose.EMAIL_CHANGE)


def test_spend_leaves_other_accounts_alone(account: Account) -> None:
    others = issue(factories.account_of(factories.make_customer(account.tenant, email="grace@example.com")))
    spend(account.tenant, issue(account))
    assert not is_refused(account.tenant, others)


@pytest.mark.parametrize("made_for", OF_ACCOUNTS)
@pytest.mark.parametrize("used_for", OF_ACCOUNTS)
def test_spend_for_its_purpose_only(
    account: Account, made_for: MailedToken.Purpose, used_for: MailedToken.Purpose
) -> None:
    token = issue(account, made_for)
    assert is_refused(account.tenant, token, used_for) is (made_for is not used_for)


def test_spend_in_its_tenant_only(account: Account, other_tenant: Tenant) -> None:
    token = issue(account)
    assert is_refused(other_tenant, token)
    assert not is_refused(account.tenant, token)


@pytest.mark.parametrize("token", ["", " ", "unknown", "\x00", "é" * 43, "x" * 100_000])
def test_spend_what_was_never_issued(account: Account, token: str) -> None:
    issue(account)
    assert is_refused(account.tenant, token)


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("purpose", OF_ACCOUNTS)
def test_spend_until_it_expires(
    account: Account, purpose: MailedToken.Purpose, pass_time: Callable[[timedelta], None]
) -> None:
    first, second = issue(account, purpose), issue(account, purpose)
    MailedToken.objects.filter(token_hash=digest(second)).update(account=second_account(account))
    pass_time(mailed_tokens.LIFETIMES[purpose] - SECOND)
    assert not is_refused(account.tenant, first, purpose)
    pass_time(SECOND)
    assert is_refused(account.tenant, second, purpose)


def second_account(account: Account) -> Account:
    return factories.account_of(factories.make_customer(account.tenant, email="grace@example.com"))


def test_a_reset_lasts_an_hour() -> None:
    assert mailed_tokens.LIFETIMES[Purpose.PASSWORD_RESET] == timedelta(hours=1)


def test_it_expires_from_the_sending_of_its_mail(
    account: Account, pass_time: Callable[[timedelta], None], mailoutbox: list[object]
) -> None:
    queue.enqueue(tenant=account.tenant, template="password_reset", recipient=account.identifier)
    assert not MailedToken.objects.exists()
    pass_time(timedelta(hours=5))  # the mail server was down
    assert worker.send_due() == 1
    body = str(getattr(mailoutbox[0], "body", ""))
    [token] = mailbox.TOKEN.findall(body)
    pass_time(timedelta(minutes=59))
    assert not is_refused(account.tenant, token)


def test_the_database_never_holds_the_token(account: Account, stored: Callable[[], str]) -> None:
    token = issue(account)
    for part in (token, token[:20], token[-20:]):
        assert part not in stored()
    assert MailedToken.objects.get().token_hash == digest(token)


def test_spend_for_an_erased_customer(account: Account) -> None:
    token = issue(account)
    Customer.objects.update(erased_at=account.created_at)
    assert is_refused(account.tenant, token)


def test_spend_own_of_someone_else(account: Account) -> None:
    token = issue(account, Purpose.DELETION)
    other = second_account(account).customer
    with pytest.raises(InvalidMailedToken):
        mailed_tokens.spend_own(tenant=account.tenant, purpose=Purpose.DELETION, token=token, customer=other)
    mailed_tokens.spend_own(tenant=account.tenant, purpose=Purpose.DELETION, token=token, customer=account.customer)
    with pytest.raises(InvalidMailedToken):
        mailed_tokens.spend_own(tenant=account.tenant, purpose=Purpose.DELETION, token=token, customer=account.customer)


# -- what was accepted ------------------------------------------------------------------------------------------------
def accept(account: Account, purpose: MailedToken.Purpose) -> str:
    """A token that was accepted."""
    token = issue(account, purpose)
    mailed = mailed_tokens.find_locked(tenant=account.tenant, purpose=purpose, token=token)
    mailed_tokens.mark_used(tenant=account.tenant, mailed=mailed)
    return token


def finders(tenant: Tenant, purpose: MailedToken.Purpose, token: str) -> tuple[bool, bool]:
    """Whether the token was accepted, and whether it is known."""
    found = mailed_tokens.find_used(tenant=tenant, purpose=purpose, token=token)
    return found is not None, mailed_tokens.is_known(tenant=tenant, purpose=purpose, token=token)


@pytest.mark.parametrize("purpose", OF_ACCOUNTS)
def test_what_was_accepted_is_found_for_its_purpose_in_its_tenant(
    account: Account, other_tenant: Tenant, purpose: MailedToken.Purpose
) -> None:
    waiting = issue(second_account(account), purpose)
    token = accept(account, purpose)
    found = mailed_tokens.find_used(tenant=account.tenant, purpose=purpose, token=token)
    assert found is not None
    assert found[0] == account
    assert finders(account.tenant, purpose, waiting) == (False, True)
    assert finders(account.tenant, purpose, "unknown") == finders(other_tenant, purpose, token) == (False, False)
    for other in set(OF_ACCOUNTS) - {purpose}:
        assert finders(account.tenant, other, token) == (False, False)


def test_nothing_is_found_for_an_erased_customer(account: Account) -> None:
    token = accept(account, Purpose.OPT_IN)
    Customer.objects.update(erased_at=account.created_at)
    assert mailed_tokens.find_used(tenant=account.tenant, purpose=Purpose.OPT_IN, token=token) is None


def test_a_link_was_shown_in_one_session_for_the_account_at_its_new_address(account: Account) -> None:
    """Not in others, not for who has the address by now, and not for an address that the account was moved to since."""
    mail, change = account.identifier, Purpose.EMAIL_CHANGE
    shown, other = (factories.open_anonymous(account.tenant).session for _ in range(2))
    details: EmailChange = {"email": mail, "is_contact_email_synced": False}
    another = second_account(account)
    waiting = issue(another, change)
    token = mailed_tokens.issue(account=account, purpose=change, details=details)
    mailed = mailed_tokens.find_locked(tenant=account.tenant, purpose=change, token=token)
    assert not mailed_tokens.was_shown_in(account=account, session=shown)
    mailed_tokens.mark_shown(tenant=account.tenant, mailed=mailed, session=shown)
    assert not is_refused(account.tenant, waiting, change)
    assert mailed_tokens.was_shown_in(account=account, session=shown)
    assert not mailed_tokens.was_shown_in(account=account, session=other)
    account.identifier, another.identifier = "moved@example.com", mail
    for each in (account, another):
        assert not mailed_tokens.was_shown_in(account=each, session=shown)


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("how", ["used", "shown", "shown in no session"])
def test_what_was_accepted_is_spent_since_then(account: Account, how: str) -> None:
    details: EmailChange = {"email": account.identifier, "is_contact_email_synced": True}
    token = mailed_tokens.issue(account=account, purpose=Purpose.EMAIL_CHANGE, details=details)
    beside = issue(account, Purpose.EMAIL_CHANGE)
    mailed = mailed_tokens.find_locked(tenant=account.tenant, purpose=Purpose.EMAIL_CHANGE, token=token)
    session = factories.open_anonymous(account.tenant).session if how == "shown" else None
    if how == "used":
        mailed_tokens.mark_used(tenant=account.tenant, mailed=mailed)
    else:
        mailed_tokens.mark_shown(tenant=account.tenant, mailed=mailed, session=session)
    mailed.refresh_from_db()
    assert mailed.spent_at == mailed.used_at == timezone.now()
    shown = {} if how == "used" else {"shown_in": str(session.pk) if session else ""}
    assert mailed.details == {**details, **shown}
    found = mailed_tokens.find_used(tenant=account.tenant, purpose=Purpose.EMAIL_CHANGE, token=token)
    assert found == (account, timezone.now())
    assert is_refused(account.tenant, token, Purpose.EMAIL_CHANGE)
    assert not is_refused(account.tenant, beside, Purpose.EMAIL_CHANGE)
