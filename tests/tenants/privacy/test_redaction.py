"""No line of a log says anything personal or secret, whoever wrote it."""

import io
import logging

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction

from auth_providers.models import Account
from config.logs import RedactingFormatter
from tenants.models import Tenant
from tenants.privacy import redaction
from tests import factories


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer <token>"),
        ("basic dXNlcjpzZWNyZXQ=", "basic <token>"),
        ("got eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln here", "got <token> here"),
        (f"refresh {'Ab-_' * 10}xyz ended", "refresh <token> ended"),
        ("mail to ada@example.com failed", "mail to <email> failed"),
        ("vera@straße.example, ada@example.com", "<email>, <email>"),
        ("sent to +44 20 7946 0001.", "sent to <phone>."),
        ("sent to +442079460001", "sent to <phone>"),
        ("first_name='Ada' version=3", "first_name=<hidden> version=3"),
        ('{"firstName": "A \\"d\\" a", "version": 3}', '{"firstName": <hidden>, "version": 3}'),
        ("{'password': 'correct horse', 'n': 1}", "{'password': <hidden>, 'n': 1}"),
        ("birth_date: 1815-12-10, sex=female", "birth_date: <hidden>, sex=<hidden>"),
        ("DETAIL:  Key (tenant_id, identifier)=(1, ada) already exists.", None),
        ("DETAIL:  Failing row contains (1, Ada, Lovelace (née Byron), null).", None),
    ],
)
def test_what_is_personal_or_secret_is_left_out(written: str, said: str | None) -> None:
    redacted = redaction.redact(written)
    assert redacted == said if said else "<values>" in redacted
    assert "Ada" not in redacted


@pytest.mark.parametrize(
    "written",
    [
        "log-in: user 'clara' from 192.0.2.10",
        "Patron 0.1.0 serves on 127.0.0.1:8000",
        "session 5f1d7a84-3c1e-4b0c-8a52-6f5d8f7d2b11 ended at 2026-11-26 16:00:00",
        "GET /customer/acme/me took 12 ms, customer 00000001",
    ],
)
def test_what_operators_need_stays(written: str) -> None:
    assert redaction.redact(written) == written


@pytest.fixture
def log() -> io.StringIO:
    """What a handler writes with the formatter of the settings."""
    assert "config.logs.RedactingFormatter" in str(settings.LOGGING["formatters"])
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(RedactingFormatter())
    logger = logging.getLogger("tests.redaction")
    logger.addHandler(handler)
    logger.propagate = False
    return written


def test_a_traceback_says_nothing_of_the_row_that_was_refused(tenant: Tenant, log: io.StringIO) -> None:
    customer = factories.make_customer(tenant)
    try:
        with transaction.atomic():
            account = Account(tenant=tenant, customer=customer, identifier=factories.EMAIL, password="x")
            account.save(force_insert=True)
    except IntegrityError:
        logging.getLogger("tests.redaction").exception("could not store %s", factories.EMAIL)
    assert "IntegrityError" in log.getvalue()
    assert factories.EMAIL not in log.getvalue()


def test_tokens_that_are_handed_out_are_left_out(tenant: Tenant, log: io.StringIO) -> None:
    logged_in = factories.log_in(factories.make_customer(tenant))
    handed_out = [logged_in.access_token, logged_in.refresh_token, logged_in.service_jwt, logged_in.customer_jwt]
    for token in handed_out:
        logging.getLogger("tests.redaction").warning("called with %s and %r", token, {"token": token})
    assert not [token for token in handed_out if str(token) in log.getvalue()]
