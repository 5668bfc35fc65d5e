"""Sizes and times that callers, customers and operators notice: to change one is a decision, not a slip. Those that a
standard or a document sets are in `test_set_numbers`, those of limits and of customers in files of theirs."""

from datetime import date, timedelta

import pytest

from auth_providers import retention
from auth_providers.accounts import accounts, contact_points, hashing, passwords
from auth_providers.foreign_hashes import recognition, weak
from auth_providers.importing import reading
from auth_providers.intake import flows
from auth_providers.login import one_time_code_answers, password
from auth_providers.messaging import sandbox, webhook_endpoints
from auth_providers.outbound import http_client
from auth_providers.providers.kinds import webhook
from auth_providers.selfservice import additional_log_in, log_in_check, opt_in, staff_log_ins
from auth_providers.selfservice.own_account import own_sessions, security_history
from auth_providers.tenant_files import documents, reports
from auth_providers.tokens import opaque_tokens, session_use
from customers import consents, identifiers, legal_entities, personal_details
from customers.addresses import addresses
from tenants import clocks, codes, customer_numbers, directory, json_values
from tenants.models import tenant
from tenants.outbox import cloud_events, feed, leases

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        # auth_providers: what people type and see
        (accounts.MOST_FOUND, 200),
        (accounts.SHORTEST_PHONE, 6),
        (contact_points.SHOWN_DIGITS, 4),
        (passwords.LONGEST_TYPED, 1024),
        (passwords.CONTEXT_MIN_LENGTH, 4),
        (flows.MAX_STEPS, 20),
        (flows.NAME_MAX_LENGTH, 64),
        (one_time_code_answers.LENGTHS, ((40, 20), (10, 8), (0, 6))),
        (one_time_code_answers.GROUP, 5),
        (additional_log_in.RECENT, DAY),
        (log_in_check.LAST, 5),
        (opt_in.REPEAT_WINDOW, 30 * SECOND),
        (own_sessions.MOST_LISTED, 100),
        ((security_history.DEFAULT_LIMIT, security_history.MAX_LIMIT), (50, 200)),
        (staff_log_ins.REASON_MAX_LENGTH, 200),
        (webhook.LONGEST_REASON, 200),
        (documents.LARGEST, 4_194_304),
        (reports.LONGEST_SHOWN, 100),
        (reading.LONGEST_LINE, 1_048_576),
        # what stops whoever costs much
        (hashing.LONGEST_QUEUE, 10),
        (recognition.BCRYPT_COST, 16),
        (recognition.LONGEST_ROUNDS, 5_000_000),
        (recognition.LARGEST_MEMORY, 524_288),
        (recognition.FIREBASE_MEMORY_COST, 16),
        (weak.LONGEST_FORM, 64),
        (sandbox.MAX_SOURCE, 50_000),
        (sandbox.MAX_OUTPUT, 1_000_000),
        (sandbox.MAX_LOOPED, 50_000),
        (sandbox.MAX_FILTERS, 4),
        (sandbox.MAX_FILTERED, 500),
        (sandbox.MAX_EXPRESSIONS, 1_500),
        (sandbox.MAX_EXPRESSION, 2_000),
        ((sandbox.TURN_COST, sandbox.EXPRESSION_COST, sandbox.FILTER_COST), (10, 30, 50)),
        (sandbox.MAX_OPEN, 100),
        (http_client.SHORT_BYTES, 4096),
        ((json_values.MAX_DEPTH, json_values.MAX_ITEMS), (32, 1000)),
        # webhooks
        (webhook_endpoints.ROTATION, DAY),
        (webhook_endpoints.OWNER_TOLD_AFTER, DAY),
        (webhook_endpoints.OFF_AFTER, 3 * DAY),
        ((feed.DEFAULT_LIMIT, feed.MAX_LIMIT), (100, 1000)),
        (cloud_events.SCHEMA_VERSION, 1),
        (leases.RENEWED_EVERY, 5 * SECOND),
        (leases.LEASE_RESERVE, 10 * SECOND),
        # sessions and clocks
        (password.REGULAR, HOUR),
        (opaque_tokens.SHORTEST_RENEWAL, SECOND),
        (session_use.NOTED_EVERY, MINUTE),
        (session_use.WRITTEN_EVERY, 15 * SECOND),
        (session_use.MOST_NOTED, 100_000),
        (retention.VISITS_KEPT, 7 * DAY),
        (clocks.TOLERANCE, 5 * MINUTE),
        (clocks.SMALLEST_STEP, 2 * SECOND),
        (tenant.SHORTEST_IDLE_LIMIT, 300),
        (tenant.PASSWORD_MIN_LENGTH, 8),
        ((tenant.CODE_MIN_LENGTH, tenant.CODE_MAX_LENGTH), (3, 16)),
        # customers
        (addresses.ID_BYTES, 5),
        (legal_entities.ID_BYTES, 12),
        (consents.SALT_BYTES, 16),
        (identifiers.MAX_NAMES, 50),
        (personal_details.SEX_MAX_LENGTH, 16),
        (personal_details.EARLIEST_BIRTH, date(1900, 1, 1)),
        (codes.TAG_MAX_LENGTH, 35),
        (customer_numbers.NUMBER_DIGITS, 8),
        (customer_numbers.FIRST_NUMBER, 10_000_001),
        (directory.FIRST_NUMBER, 10_001),
    ],
)
def test_a_size_or_time_that_is_set(number: object, expected: object) -> None:
    assert number == expected
