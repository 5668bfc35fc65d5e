"""Staff put an address on the suppression list, and take it off."""

from typing import Any

import pytest
from django.test import Client

from tenants.models import AuditEvent, MailSuppression, Role, Tenant
from tenants.outbox import suppressions
from tests.back_office.conftest import log_in_as

LIST = "/admin/tenants/mailsuppression/"


def add(client: Client, tenant: Tenant, address: str, why: str = "asked for it by letter") -> Any:
    return client.post(f"{LIST}add/", {"tenant": tenant.pk, "address": address, "detail": why})


def test_an_address_that_staff_add_is_mailed_nothing_until_it_is_taken_off(tenant: Tenant) -> None:
    support = log_in_as(tenant, Role.SUPPORT)
    assert add(support, tenant, " Ada@EXAMPLE.com ").status_code == 302
    row = MailSuppression.objects.get()
    assert (row.address, row.why, row.detail) == ("ada@example.com", "staff", "asked for it by letter")
    with pytest.raises(suppressions.Suppressed):
        suppressions.check(tenant=tenant, address="ada@example.com")
    assert support.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 302
    suppressions.check(tenant=tenant, address="ada@example.com")
    events = AuditEvent.objects.filter(action__contains="suppression").order_by("pk")
    lines = list(events.values_list("action", "reason", "staff_username"))
    assert lines == [("add_mail_suppression", "staff", "mallory"), ("lift_mail_suppression", "staff", "mallory")]


REFUSED = [
    ("nonsense", "x", "address"),
    ("", "x", "address"),
    ("ada@example.com", "", "detail"),
    ("eve@example.com", "x", "address"),
]


@pytest.mark.parametrize(("address", "why", "field"), REFUSED)
def test_what_is_no_address_has_no_reason_or_is_there_is_refused(
    tenant: Tenant, clerk: Client, address: str, why: str, field: str
) -> None:
    MailSuppression.objects.create(tenant=tenant, address="eve@example.com", why="bounced")
    assert list(add(clerk, tenant, address, why).context["adminform"].form.errors) == [field]
    assert MailSuppression.objects.filter(tenant=tenant).count() == 1


def test_a_viewer_adds_nothing(tenant: Tenant) -> None:
    assert add(log_in_as(tenant), tenant, "ada@example.com").status_code == 403
    assert not MailSuppression.objects.exists()
