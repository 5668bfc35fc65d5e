"""What is written to the outbox."""

import json

from tenants.models import Message, Tenant
from tenants.outbox import queue
from tenants.secrets.encryption import decrypt
from tenants.trail import audit


def test_a_message_speaks_the_tenants_language_unless_it_has_its_own(tenant: Tenant, other_tenant: Tenant) -> None:
    Tenant.objects.filter(pk=other_tenant.pk).update(default_language="fr")
    other_tenant.refresh_from_db()
    for each, language in ((tenant, ""), (other_tenant, ""), (other_tenant, "ja")):
        queue.enqueue(tenant=each, template="welcome", recipient="ada@example.com", language=language)
    languages = Message.objects.order_by("pk").values_list("tenant", "language")
    assert list(languages) == [(tenant.pk, tenant.default_language), (other_tenant.pk, "fr"), (other_tenant.pk, "ja")]


def test_a_site_that_is_too_long_for_one_is_cut(tenant: Tenant) -> None:
    longest = queue.SITE_MAX_LENGTH
    for site in ("s" * longest, "s" * (longest + 1)):
        message = queue.enqueue(tenant=tenant, template="welcome", recipient="ada@example.com", site=site)
        assert message.site == "s" * longest


def test_a_message_is_a_mail_that_nobody_waits_for_unless_it_says_otherwise(tenant: Tenant) -> None:
    mail = queue.enqueue(tenant=tenant, template="welcome", recipient="ada@example.com")
    code = queue.enqueue(tenant=tenant, template="code", recipient="+4915112345678", channel="sms", is_urgent=True)
    assert [(each.channel, each.is_urgent) for each in (mail, code)] == [("email", False), ("sms", True)]
    assert mail.reference != code.reference


def test_an_event_keeps_its_payload_encrypted_and_names_its_endpoint(tenant: Tenant) -> None:
    payload = {"number": "10000001", "changed": ["first_name"]}
    event = queue.enqueue_event(tenant=tenant, endpoint_name="shop", event="customer.updated", payload=payload)
    assert (event.channel, event.template, event.recipient) == ("webhook", "customer.updated", "shop")
    assert json.loads(decrypt(event.context_encrypted)) == payload
    assert "10000001" not in event.context_encrypted


def test_a_row_of_the_trail_is_a_message_for_each_event_that_the_endpoint_wants(tenant: Tenant) -> None:
    row = audit.record(tenant=tenant, action="log_in", customer_number="10000001", method="password")
    wanted = ["session.started", "customer.logged_in", "customer.deleted"]
    made = queue.deliveries_of(tenant=tenant, endpoint_name="erp", row=row, types=wanted)
    assert [each.template for each in made] == ["customer.logged_in", "session.started"]
    for each in made:
        assert (each.tenant, each.channel, each.recipient) == (tenant, "webhook", "erp")
        assert (each.event_id, each.customer_number, each._state.adding) == (row.pk, "10000001", True)
    assert queue.deliveries_of(tenant=tenant, endpoint_name="erp", row=row, types=["customer.deleted"]) == []
    assert not Message.objects.exists()


def test_an_event_may_name_its_customer(tenant: Tenant) -> None:
    for number in ("10000001", ""):
        queue.enqueue_event(
            tenant=tenant, endpoint_name="erp", event="customer.activated", payload={}, customer_number=number
        )
    assert list(Message.objects.order_by("pk").values_list("customer_number", flat=True)) == ["10000001", ""]
    assert not Message.objects.filter(is_urgent=True).exists()
