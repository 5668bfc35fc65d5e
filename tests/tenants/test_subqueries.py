"""What other queries find, as columns of one statement's rows."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tenants.models import Site, Tenant
from tenants.subqueries import CountOf, RowsOf, moment


@pytest.mark.parametrize(("most", "count"), [(1, 1), (2, 2), (3, 3), (4, 3)])
def test_rows_are_counted_up_to_a_limit(tenant: Tenant, other_tenant: Tenant, most: int, count: int) -> None:
    for code in ("de", "fr"):
        Site.objects.create(tenant=tenant, code=code)
    counted = CountOf(Site.objects.for_tenant(tenant).order_by("code"), most=most)
    assert Tenant.objects.annotate(sites=counted).get(pk=other_tenant.pk).sites == count


def test_rows_are_listed_in_their_order_with_their_fields(tenant: Tenant) -> None:
    for number, code in ((9, "fr"), (7, "de")):
        Site.objects.create(tenant=tenant, code=code, number=number)
    mine = Site.objects.for_tenant(tenant).exclude(code="main")
    for order, expected in (("code", [["de", 7], ["fr", 9]]), ("-code", [["fr", 9], ["de", 7]])):
        found = Tenant.objects.annotate(sites=RowsOf(mine.order_by(order), "code", "number")).get(pk=tenant.pk)
        assert found.sites == expected


def test_no_rows_are_an_empty_list(tenant: Tenant) -> None:
    none = Site.objects.for_tenant(tenant).filter(code="nowhere")
    found = Tenant.objects.annotate(sites=RowsOf(none, "code"), count=CountOf(none, most=9)).get(pk=tenant.pk)
    assert (found.sites, found.count) == ([], 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-28 05:40:00.000001", datetime(2026, 11, 28, 5, 40, 0, 1, tzinfo=UTC)),
        ("2026-11-28T05:40:00+02:00", datetime(2026, 11, 28, 5, 40, tzinfo=timezone(timedelta(hours=2)))),
    ],
)
def test_a_moment_is_in_utc_where_it_does_not_say(text: str, expected: datetime) -> None:
    assert moment(text).isoformat() == expected.isoformat()


@pytest.mark.parametrize("text", ["", "yesterday", "2026-11"])
def test_what_is_no_moment_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is no moment"):
        moment(text)
