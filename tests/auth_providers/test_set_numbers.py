"""Numbers of log-ins, sessions and self-service that a promise sets: to change one is a decision, not a slip."""

from datetime import timedelta

import pytest

from auth_providers import retention
from auth_providers.accounts import accounts, contact_points, hashing, passwords
from auth_providers.foreign_hashes import recognition, weak
from auth_providers.importing import reading
from auth_providers.intake import flows
from auth_providers.login import one_time_code_answers, password, second_factor
from auth_providers.messaging import sandbox, webhook_endpoints
from auth_providers.outbound import http_client
from auth_providers.providers.kinds import webhook
from auth_providers.selfservice import additional_log_in, log_in_check, opt_in, pending_sign_ups, staff_log_ins
from auth_providers.selfservice.merging import snapshots
from auth_providers.selfservice.own_account import own_sessions, security_history
from auth_providers.tenant_files import documents, reports
from auth_providers.tokens import jwts, opaque_tokens, session_use

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        # how recent something must be
        (password.REGULAR, HOUR),
        (additional_log_in.RECENT, DAY),
        (opt_in.REPEAT_WINDOW, 30 * SECOND),
        # lifetimes
        (second_factor.LONGEST, HOUR),
        (pending_sign_ups.LIFETIME, 2 * DAY),
        (snapshots.LIFETIME, 30 * DAY),
        (opaque_tokens.SHORTEST_RENEWAL, SECOND),
        # the last use of a session
        (session_use.NOTED_EVERY, MINUTE),
        (session_use.WRITTEN_EVERY, 15 * SECOND),
        (session_use.MOST_NOTED, 100_000),
        (session_use.SESSIONS_A_STATEMENT, 1000),
        # the memory of a process
        (jwts.BACKENDS_KEPT, 1024),
        (jwts.VERIFIED_KEPT, 2048),
        # what is shown, and what staff may write
        (log_in_check.LAST, 5),
        (log_in_check.EVENTS, 50),
        (own_sessions.MOST_LISTED, 100),
        (security_history.DEFAULT_LIMIT, 50),
        (security_history.MAX_LIMIT, 200),
        (staff_log_ins.REASON_MAX_LENGTH, 200),
        # what else is noticed
        (accounts.MOST_FOUND, 200),
        (accounts.SHORTEST_PHONE, 6),
        (contact_points.SHOWN_DIGITS, 4),
        (passwords.LONGEST_TYPED, 1024),
        (passwords.CONTEXT_MIN_LENGTH, 4),
        (flows.MAX_STEPS, 20),
        (flows.NAME_MAX_LENGTH, 64),
        (one_time_code_answers.LENGTHS, ((40, 20), (10, 8), (0, 6))),
        (one_time_code_answers.GROUP, 5),
        (webhook.LONGEST_REASON, 200),
        (documents.LARGEST, 4_194_304),
        (reports.LONGEST_SHOWN, 100),
        (reading.LONGEST_LINE, 1_048_576),
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
        (webhook_endpoints.ROTATION, DAY),
        (webhook_endpoints.OWNER_TOLD_AFTER, DAY),
        (webhook_endpoints.OFF_AFTER, 3 * DAY),
        (retention.VISITS_KEPT, 7 * DAY),
    ],
)
def test_a_number_that_is_set(number: object, expected: object) -> None:
    assert number == expected


@pytest.mark.parametrize(
    ("wrong_answers", "digits"), [(0, 6), (1, 6), (9, 6), (10, 8), (11, 8), (39, 8), (40, 20), (41, 20)]
)
def test_how_many_digits_a_code_has_after_wrong_answers(wrong_answers: int, digits: int) -> None:
    assert one_time_code_answers.length_after(wrong_answers) == digits


@pytest.mark.parametrize(
    ("digits", "shown"),
    [
        ("123456", "123456"),
        ("12345678", "12345678"),
        ("1234567890", "1234567890"),
        ("12345678901", "12345 67890 1"),
        ("12345678901234567890", "12345 67890 12345 67890"),
    ],
)
def test_long_codes_are_shown_in_groups_of_five(digits: str, shown: str) -> None:
    assert one_time_code_answers.grouped(digits) == shown
