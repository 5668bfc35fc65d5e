"""What a merge keeps: whose it is, how long it can be undone, and that the columns come back as they were."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from auth_providers.models import CustomerMerge
from auth_providers.selfservice.merging import snapshots
from auth_providers.selfservice.merging.snapshots import LIFETIME, PROFILE, Undoable
from customers.merging import Moved
from customers.models import Customer
from tenants.models import Tenant

pytestmark = pytest.mark.usefixtures("stopped_clock")

SECOND = timedelta(seconds=1)
MOVED: Moved = {
    "addresses": [1],
    "notes": [],
    "identifiers": [2],
    "ids": {"3": "home"},
    "default_of_kept": [8],
    "default_of_merged": [],
    "segments": ["vip"],
    "new_segments": [],
    "companies": [],
    "new_companies": [],
    "consents": {"email": None},
}
MOMENTS = st.datetimes(min_value=datetime(2020, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis' bound
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)


def customer(tenant: Tenant, number: str, **values: Any) -> Customer:
    return Customer.objects.create(tenant=tenant, number=number, **values)


@pytest.fixture
def kept(tenant: Tenant) -> Customer:
    return customer(tenant, "10000001", first_name="Ada")


def snapshot(merged: Customer, kept: Customer) -> snapshots.Snapshot:
    return {
        "merged": snapshots.profile_of(merged),
        "kept": snapshots.profile_of(kept),
        "kept_after": snapshots.profile_of(kept),
        "moved": MOVED,
        "log_ins": [4],
        "unproven": [{"pk": 4, "is_permitted": True, "is_additional": False, "password": "x", "session_id": None}],
        "authenticator": [],
        "change": [5],
    }


def merge(kept: Customer, number: str, **values: Any) -> CustomerMerge:
    """Only the row of one."""
    merged = customer(kept.tenant, number, merged_into=kept, first_name="Augusta")
    made = snapshots.keep(
        tenant=kept.tenant,
        customer=kept,
        merged=merged,
        staff_username="clara",
        snapshot=snapshot(merged, kept),
    )
    CustomerMerge.objects.filter(pk=made.pk).update(**values)
    made.refresh_from_db()
    return made


def in_force(kept: Customer) -> list[CustomerMerge]:
    return list(snapshots.in_force(tenant=kept.tenant, customer=kept))


def as_column(kept: Customer) -> list[Undoable]:
    rows = Customer.objects.filter(pk=kept.pk).annotate(undoable=snapshots.undoable_of_customer()).get().undoable
    return snapshots.undoable(rows)


@given(
    flags=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
    names=st.tuples(*[st.none() | st.text(max_size=20)] * 2),
    born=st.none() | st.dates(min_value=date(1900, 1, 1)),
    moment=st.none() | MOMENTS,
)
def test_a_profile_comes_back_as_it_was(flags: Any, names: Any, born: date | None, moment: datetime | None) -> None:
    mine = Customer(first_name=names[0], contact_email=names[1], birth_date=born, last_login_at=moment)
    mine.is_active, mine.is_on_hold, mine.is_prospect, mine.is_activated = flags
    back = snapshots.values_of(snapshots.profile_of(mine))
    assert back == {name: getattr(mine, name) for name in PROFILE}
    assert not any(name.startswith("search_") for name in back)


def test_a_row_has_all_that_was_kept_for_thirty_days(kept: Customer) -> None:
    made = merge(kept, "10000002")
    now = timezone.now()
    assert (made.tenant, made.customer, made.merged.number) == (kept.tenant, kept, "10000002")
    assert (made.staff_username, made.created_at, made.expires_at) == ("clara", now, now + timedelta(days=30))
    assert made.undone_at is None
    assert snapshots.read(made) == snapshot(made.merged, kept)
    assert "Augusta" not in made.snapshot_encrypted


@pytest.mark.parametrize(
    ("change", "is_undoable"),
    [
        ({}, True),
        ({"expires_at": SECOND}, True),
        ({"expires_at": timedelta(0)}, False),
        ({"undone_at": timedelta(0)}, False),
    ],
)
def test_a_merge_can_be_undone_once_and_in_its_time(
    kept: Customer, change: dict[str, timedelta], is_undoable: bool
) -> None:
    made = merge(kept, "10000002", **{name: timezone.now() + by for name, by in change.items()})
    assert in_force(kept) == ([made] if is_undoable else [])
    assert [each.pk for each in as_column(kept)] == ([made.pk] if is_undoable else [])


def test_merges_are_those_into_the_customer_newest_first(kept: Customer, other_tenant: Tenant) -> None:
    made = [merge(kept, "10000002"), merge(kept, "10000003")]
    beside = customer(kept.tenant, "10000009")
    merge(beside, "10000004")
    merge(customer(other_tenant, kept.number), "10000005")
    assert in_force(kept) == made[::-1]
    expected = [
        Undoable(
            pk=each.pk,
            merged_id=each.merged_id,
            number=each.merged.number,
            created_at=each.created_at,
            expires_at=each.created_at + LIFETIME,
        )
        for each in made[::-1]
    ]
    assert as_column(kept) == expected
    assert list(snapshots.in_force(tenant=other_tenant, customer=kept)) == []


def test_everybody_is_found_who_became_the_customer(kept: Customer, other_tenant: Tenant) -> None:
    first = customer(kept.tenant, "10000002", merged_into=kept)
    second = customer(kept.tenant, "10000003", merged_into=kept)
    by_way_of_first = customer(kept.tenant, "10000004", merged_into=first)
    last = customer(kept.tenant, "10000005", merged_into=by_way_of_first)
    beside = customer(kept.tenant, "10000006")
    customer(kept.tenant, "10000007", merged_into=beside)
    assert snapshots.merged_into(tenant=kept.tenant, customer=kept) == [first, second, by_way_of_first, last]
    assert snapshots.merged_into(tenant=kept.tenant, customer=last) == []
    assert snapshots.merged_into(tenant=other_tenant, customer=kept) == []


def test_the_profiles_before_are_named_by_their_numbers(kept: Customer) -> None:
    made = [merge(kept, "10000002"), merge(kept, "10000003")]
    Customer.objects.filter(pk=kept.pk).update(first_name="Changed since")
    found = list(snapshots.profiles_before(tenant=kept.tenant, customer=kept))
    assert [(number, profile["first_name"]) for number, profile in found] == [
        ("10000003", "Augusta"),
        ("10000001", "Ada"),
        ("10000002", "Augusta"),
        ("10000001", "Ada"),
    ]
    CustomerMerge.objects.filter(pk=made[1].pk).update(undone_at=timezone.now())
    assert len(list(snapshots.profiles_before(tenant=kept.tenant, customer=kept))) == 2
