"""Whose a mailed token is, and how long codes are good and handed over."""

from datetime import timedelta

import pytest
from django.utils import timezone

from auth_providers.models import Account, MailedToken, OneTimeCode, UndoableChange, WebhookEndpoint

EMAIL, SMS = OneTimeCode.Channel.EMAIL, OneTimeCode.Channel.SMS


def test_a_token_belongs_to_its_account_and_one_that_undoes_a_change_to_none() -> None:
    account = Account(pk=7, identifier="ada@example.com")
    token = MailedToken(purpose="opt_in", account=account)
    assert (token.owner, str(token)) == (account, "opt_in for 7")
    undo = MailedToken(purpose="undo", change=UndoableChange(pk=8))
    assert str(undo) == "undo for 8"
    with pytest.raises(TypeError, match="belongs to a change"):
        _ = undo.owner


@pytest.mark.parametrize(("channel", "lifetime", "longest_wait"), [(EMAIL, 10, 30), (SMS, 3, 3)])
def test_a_mailed_code_is_good_and_waits_for_longer_than_a_text_message(
    channel: OneTimeCode.Channel, lifetime: int, longest_wait: int
) -> None:
    code = OneTimeCode(channel=channel)
    assert (code.lifetime, code.longest_wait) == (timedelta(minutes=lifetime), timedelta(minutes=longest_wait))


@pytest.mark.parametrize("is_enabled", [True, False])
def test_an_endpoint_that_is_switched_off_is_not_failing_any_more(is_enabled: bool) -> None:
    since = timezone.now()
    endpoint = WebhookEndpoint(name="shop", is_enabled=is_enabled, failing_since=since, owner_told_at=since)
    endpoint.clean()
    kept = since if is_enabled else None
    assert (endpoint.failing_since, endpoint.owner_told_at) == (kept, kept)
