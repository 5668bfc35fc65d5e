"""How many times a hot path goes to PostgreSQL and back: that costs more than what most statements do there."""

import pytest

from tests.contracts.operations import BY_NAME
from tests.contracts.scene import Scene

pytestmark = pytest.mark.postgres

# Reads are in tests/tenants/compiled/test_ahead.py.
AT_MOST = {
    "anonymous-login": 2,
    "refreshauthtoken": 3,
    "me-patch": 4,
    # The token; the account and what is on record of it; the moment of the log-in and the session; all else.
    "login": 4,
    # The token; the account and the count of sign-ups; the number, the customer, the account; all else.
    "signup": 6,
    "kibo-otp-request": 4,
    "kibo-otp-auth": 8,
    # A log-in, and all that a ticket says of its customer.
    "kibo-password": 5,
}


@pytest.mark.parametrize("operation", AT_MOST)
def test_round_trips_of_an_operation(operation: str, scene: Scene, round_trips: list[list[str]]) -> None:
    called = BY_NAME[operation].prepared(scene)
    round_trips.clear()
    assert called.send(scene).status_code == called.success
    assert len(round_trips) <= AT_MOST[operation], round_trips
