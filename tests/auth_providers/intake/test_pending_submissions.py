"""What waits for an answer: found by its challenge or by a handle, at its own tenant, until it is over, for one use."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from auth_providers.accounts.contact_points import ContactPoint
from auth_providers.intake import flows, pending_submissions
from auth_providers.intake.entries import Entry
from auth_providers.intake.pending_submissions import Content, SubmissionSpent, Waiting
from auth_providers.login.one_time_code import Issued
from auth_providers.models import Submission
from tenants.models import Tenant
from tenants.secrets.random_tokens import digest

pytestmark = pytest.mark.usefixtures("stopped_clock")

SECOND, LIFETIME = timedelta(seconds=1), timedelta(minutes=10)
POINT = ContactPoint(channel="sms", destination="+442079460003")
FLOW = flows.Definition(
    name="till",
    steps=(
        flows.Step(kind="challenge", options={"channel": "email"}),
        flows.Step(kind="send_message", options={"template": "welcome"}),
    ),
)
CONTENT = Content(
    entry=Entry(values={"email": "ada@example.com"}, identifiers={"card": "7"}, derived=("city",)),
    flow=FLOW,
    done=("challenge",),
    is_owners=True,
)


def keep(tenant: Tenant, **values: Any) -> Waiting:
    """What waits for a challenge of its own."""
    now = timezone.now()
    issued = Issued(
        challenge_id=uuid4(),
        channel="email",
        masked_destination="a***@example.com",
        expires_at=now,
        latest=now + LIFETIME,
    )
    kept: dict[str, Any] = {"content": CONTENT, "position": 1, "customer_number": "10000001", "is_written": True}
    pending_submissions.keep(tenant=tenant, issued=issued, **(kept | values))
    found = pending_submissions.find(tenant=tenant, challenge_id=issued.challenge_id)
    assert found is not None
    return found


def find(tenant: Tenant, waiting: Waiting) -> Waiting | None:
    return pending_submissions.find(tenant=tenant, challenge_id=waiting.row.challenge_id)


def find_by_handle(tenant: Tenant, handle: str = "handle") -> Waiting | None:
    return pending_submissions.find_by_handle(tenant=tenant, handle=handle)


def wait_on(waiting: Waiting, tenant: Tenant, handle: str = "handle") -> None:
    expires_at = timezone.now() + 2 * LIFETIME
    pending_submissions.wait_on(tenant=tenant, waiting=waiting, handle=handle, proven=POINT, expires_at=expires_at)


def spend(waiting: Waiting, tenant: Tenant) -> None:
    pending_submissions.spend(tenant=tenant, waiting=waiting)


def rows() -> list[dict[str, Any]]:
    return [dict(row) for row in Submission.objects.order_by("pk").values()]


@pytest.mark.parametrize("proven", [None, POINT])
@pytest.mark.parametrize("is_owners", [True, False])
def test_all_that_is_kept_is_found_again(tenant: Tenant, proven: ContactPoint | None, is_owners: bool) -> None:
    content = Content(entry=CONTENT.entry, flow=FLOW, done=(), is_owners=is_owners, proven=proven)
    found = keep(tenant, content=content, position=2, customer_number="", is_written=False)
    assert found.content == content
    row = found.row
    assert (row.tenant, row.flow, row.position) == (tenant, "till", 2)
    assert (row.customer_number, row.is_written) == ("", False)
    assert (row.expires_at, row.spent_at, row.handle_hash) == (timezone.now() + LIFETIME, None, None)
    assert "ada@example.com" not in row.data_encrypted


def test_each_challenge_has_what_was_kept_for_it(tenant: Tenant, other_tenant: Tenant) -> None:
    first, second, theirs = keep(tenant, position=1), keep(tenant, position=2), keep(other_tenant, position=3)
    for each, whose in ((first, tenant), (second, tenant), (theirs, other_tenant)):
        found = find(whose, each)
        assert found is not None
        assert (found.row, found.row.position) == (each.row, each.row.position)
    assert find(tenant, theirs) is None
    assert pending_submissions.find(tenant=tenant, challenge_id=uuid4()) is None


def test_after_the_code_only_the_handle_leads_on(tenant: Tenant, other_tenant: Tenant) -> None:
    other, waiting = keep(tenant), keep(tenant)
    before = rows()[0]
    wait_on(waiting, tenant)
    assert find(tenant, waiting) is None
    found = find_by_handle(tenant)
    assert found is not None
    assert (found.row, found.content.proven) == (waiting.row, POINT)
    assert (found.content.entry, found.content.flow, found.content.done) == (CONTENT.entry, FLOW, ("challenge",))
    assert found.row.expires_at == timezone.now() + 2 * LIFETIME
    assert bytes(found.row.handle_hash or b"") == digest("handle")
    assert (find_by_handle(tenant, "another"), find_by_handle(other_tenant)) == (None, None)
    assert rows()[0] == before
    assert find(tenant, other) == other


def test_what_waits_for_a_second_factor_waits_for_no_other(tenant: Tenant) -> None:
    waiting = keep(tenant)
    wait_on(waiting, tenant)
    with pytest.raises(SubmissionSpent):
        wait_on(waiting, tenant, "another")
    assert find_by_handle(tenant, "another") is None


@pytest.mark.parametrize("is_under_handle", [False, True])
def test_what_was_used_is_used_once_and_is_empty(tenant: Tenant, is_under_handle: bool) -> None:
    other, waiting = keep(tenant), keep(tenant)
    if is_under_handle:
        wait_on(waiting, tenant)
    spend(waiting, tenant)
    assert (find(tenant, waiting), find_by_handle(tenant)) == (None, None)
    row = Submission.objects.get(pk=waiting.row.pk)
    assert (row.spent_at, row.data_encrypted) == (timezone.now(), "")
    assert find(tenant, other) == other
    with pytest.raises(SubmissionSpent):
        spend(waiting, tenant)
    with pytest.raises(SubmissionSpent):
        wait_on(waiting, tenant)


@pytest.mark.parametrize(("passed", "is_alive"), [(LIFETIME - SECOND, True), (LIFETIME, False)])
@pytest.mark.parametrize("act", [spend, wait_on])
def test_what_waits_is_there_until_its_end(
    tenant: Tenant,
    pass_time: Callable[[timedelta], None],
    act: Callable[[Waiting, Tenant], None],
    passed: timedelta,
    is_alive: bool,
) -> None:
    waiting = keep(tenant)
    pass_time(passed)
    assert (find(tenant, waiting) is not None) == is_alive
    if is_alive:
        act(waiting, tenant)
    else:
        with pytest.raises(SubmissionSpent):
            act(waiting, tenant)


@pytest.mark.parametrize("act", [spend, wait_on])
def test_another_tenant_uses_nothing_up(
    tenant: Tenant, other_tenant: Tenant, act: Callable[[Waiting, Tenant], None]
) -> None:
    waiting = keep(tenant)
    before = rows()
    with pytest.raises(SubmissionSpent):
        act(waiting, other_tenant)
    assert rows() == before
