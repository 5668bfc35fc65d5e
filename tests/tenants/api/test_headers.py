"""One header of a request."""

import pytest
from django.test import RequestFactory

from tenants.api.headers import header


@pytest.mark.parametrize("name", ["X-Vol-Tenant", "x-vol-tenant", "X-VOL-TENANT"])
def test_it_is_found_under_its_name_in_any_case(name: str, rf: RequestFactory) -> None:
    request = rf.get("/", headers={"X-Vol-Tenant": "17", "X-Vol-Site": "2"})
    assert header(request, name) == request.headers[name] == "17"


def test_one_that_was_not_sent_is_empty(rf: RequestFactory) -> None:
    assert header(rf.get("/"), "X-Vol-Tenant") == ""
