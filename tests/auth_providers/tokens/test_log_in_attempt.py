"""How attempts to log in are counted: by their result and the kind of provider, and by nothing that a tenant chose."""

import pytest

from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from tenants.models import Tenant
from tests.factories import CLIENT
from tests.metrics import counted


@pytest.mark.parametrize(
    ("method", "provider_kind", "kind"),
    [
        ("password", "", "password"),
        ("otp", "", "otp"),
        ("corporate", "", "external"),
        ("corporate", "oidc", "oidc"),
        ("password", "oidc", "oidc"),
    ],
)
def test_what_an_attempt_counts_as(tenant: Tenant, method: str, provider_kind: str, kind: str) -> None:
    attempt = LogInAttempt(tenant=tenant, client=CLIENT, issue=Issue.PAIR, method=method, provider_kind=provider_kind)
    with (
        counted("patron_log_ins_total", result="refused", kind=kind),
        counted("patron_log_ins_total", 0, result="success", kind=kind),
    ):
        attempt.count("refused")
