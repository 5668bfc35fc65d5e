"""Sizes and times of tenants, their keys and their events: to change one is a decision, not a slip."""

from datetime import timedelta

import pytest

from tenants import clocks, codes, customer_numbers, directory, json_values
from tenants.models import tenant
from tenants.outbox import cloud_events, feed, leases

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ((json_values.MAX_DEPTH, json_values.MAX_ITEMS), (32, 1000)),
        ((feed.DEFAULT_LIMIT, feed.MAX_LIMIT), (100, 1000)),
        (cloud_events.SCHEMA_VERSION, 1),
        (leases.RENEWED_EVERY, 5 * SECOND),
        (leases.LEASE_RESERVE, 10 * SECOND),
        (clocks.TOLERANCE, 5 * MINUTE),
        (clocks.SMALLEST_STEP, 2 * SECOND),
        (tenant.SHORTEST_IDLE_LIMIT, 300),
        (tenant.PASSWORD_MIN_LENGTH, 8),
        ((tenant.CODE_MIN_LENGTH, tenant.CODE_MAX_LENGTH), (3, 16)),
        (codes.TAG_MAX_LENGTH, 35),
        (customer_numbers.NUMBER_DIGITS, 8),
        (customer_numbers.FIRST_NUMBER, 10_000_001),
        (directory.FIRST_NUMBER, 10_001),
    ],
)
def test_a_number_that_is_set(number: object, expected: object) -> None:
    assert number == expected
