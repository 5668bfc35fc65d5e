"""Numbers that a standard, a law or a promise in the documents sets: to change one is a decision, not a slip."""

from datetime import timedelta

import pytest

from auth_providers import limits
from auth_providers.accounts import mailed_tokens, passwords
from auth_providers.limits import subjects
from auth_providers.login import one_time_code, one_time_code_answers, totp
from auth_providers.messaging import text_messages
from auth_providers.models import Attempts, MailedToken, OneTimeCode, Session, Token
from auth_providers.outbound import circuit_breaker, http_client, webhook_signature
from auth_providers.providers import discovery, oidc
from auth_providers.selfservice import log_in_limit
from auth_providers.tokens import client_credentials, jwts, refresh, second_factor_policy
from customers import consents, identifiers, mixins, notes, personal_details
from customers.addresses import addresses
from customers.addresses import fields as address_fields
from customers.spelling import emails
from tenants import signing_keys
from tenants.models import Message, TenantOwned
from tenants.outbox import leases, worker
from tenants.outbox.worker import Lane
from tenants.privacy.classification import Expires, privacy_of
from tenants.secrets import authenticator_apps, random_tokens

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def kept(model: type[TenantOwned]) -> timedelta:
    """How long after its time a row of the table is kept."""
    rule = privacy_of(model).kept
    assert isinstance(rule, Expires)
    return rule.period


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        # OWASP ASVS 5.0, 6.5 and 6.6
        (one_time_code_answers.length_after(0), 6),
        (OneTimeCode(channel="sms").lifetime, 3 * MINUTE),
        (OneTimeCode(channel="sms").longest_wait, 3 * MINUTE),
        (OneTimeCode(channel="email").lifetime, 10 * MINUTE),
        (OneTimeCode(channel="email").longest_wait, 30 * MINUTE),
        (one_time_code_answers.MAX_WRONG_ANSWERS, 3),
        (second_factor_policy.LIFETIME, 10 * MINUTE),
        (totp.FRESH, 10 * MINUTE),
        (authenticator_apps.RECOVERY_CODES, 10),
        (authenticator_apps.RECOVERY_CODE_LENGTH, 10),
        # RFC 4226 and 6238
        (authenticator_apps.SECRET_BYTES, 20),
        (authenticator_apps.STEP, 30),
        (authenticator_apps.DIGITS, 6),
        (authenticator_apps.DRIFT, 1),
        # RFC 7518, 3.2
        (oidc.SHORTEST_SHARED_SECRET, 32),
        (oidc.LEEWAY, 30),
        # OWASP ASVS 5.0, 7.2.3
        (random_tokens.TOKEN_BYTES, 32),
        (webhook_signature.SECRET_BYTES, 32),
        (passwords.MAX_LENGTH, 256),
        # NIST SP 800-63B-4, 3.2.2
        (limits.LOG_IN_BY_ACCOUNT.hard, 80),
        (limits.LOG_IN_BY_ACCOUNT.free, 20),
        (limits.LOG_IN_BY_ACCOUNT_AND_ADDRESS.free, limits.LOG_IN_BY_DEVICE.free),
        (limits.LOG_IN_BY_DEVICE.free, 10),
        (limits.LOG_IN_BY_DEVICE.longest, HOUR),
        (limits.OWN_PASSWORD.hard, 20),
        (limits.LOG_IN_BY_ADDRESS.burst, 60),
        (limits.LOG_IN_BY_ADDRESS.interval, 2 * SECOND),
        (limits.LOG_IN_BY_ADDRESS.earned, 15),
        (limits.LOG_IN_BY_ADDRESS.saved, 600),
        (limits.WRONG_PASSWORD.window, 5 * MINUTE),
        (subjects.TRACE_BYTES, 2),  # of 65,536 values none tells a password
        (limits.APPLICATION_LOG_IN_BY_ADDRESS.free, 10),
        (limits.FORGOTTEN_AFTER, 30 * DAY),
        # lifetimes
        (client_credentials.TOKEN_LIFETIME, HOUR),
        (refresh.RETRY_WINDOW, 30 * SECOND),
        (jwts.PUBLIC_KEY_CACHE_SECONDS, 30),
        (signing_keys.CURRENT_CACHE_SECONDS, 30),
        (signing_keys.KEY_SET_MAX_AGE, 10 * MINUTE),
        (discovery.FRESH_SECONDS, 600),
        (discovery.STALE_SECONDS, 3600),
        (discovery.REFRESH_SECONDS, 10),
        (discovery.PAUSE_SECONDS, 5),
        # waiting for others
        (http_client.TIMEOUT, (2.0, 5.0)),
        (http_client.MAX_BYTES, 524_288),
        (http_client.RETRY_AFTER, 5),
        (http_client.LONGEST_CODE, 64),
        (text_messages.TIMEOUT, 5.0),
        (circuit_breaker.FAILURES, 5),
        (circuit_breaker.PAUSE, 30 * SECOND),
        (circuit_breaker.TRIAL_SECONDS, 20),
        (circuit_breaker.KEPT_SECONDS, 86_400),
        (leases.LEASE, 30 * SECOND),
        (worker._RECORDED_AT_ONCE, {**dict.fromkeys(Lane, 1), Lane.EVENTS: 25}),
        (worker.FIRST_DELAY, 10 * SECOND),
        (worker.LONGEST_DELAY, HOUR),
        (worker.GIVE_UP_AFTER, 3 * DAY),
        # what is kept
        (kept(Token), 7 * DAY),
        (kept(Session), 90 * DAY),
        (kept(Message), 30 * DAY),
        (kept(MailedToken), 7 * DAY),
        (kept(OneTimeCode), 0 * DAY),  # each row says when it ends
        (one_time_code.FORGOTTEN_AFTER, DAY),
        (kept(Attempts), 0 * DAY),  # each row says when it ends
        # of one customer
        (log_in_limit.MAX_LOG_INS, 10),
        (addresses.MAX_ADDRESSES, 200),
        (address_fields.MAX_TAGS, 50),
        (address_fields.MAX_TAG_LENGTH, 64),
        (consents.MAX_PURPOSES, 50),
        (consents.SOURCE_MAX_LENGTH, 64),
        (identifiers.MAX_IDENTIFIERS, 20),
        (mixins.MAX_MIXINS, 50),
        (mixins.MAX_ERRORS, 20),
        (notes.MAX_LENGTH, 5000),
        (personal_details.PROPERTIES_MAX_BYTES, 32_768),
        (personal_details.PROPERTIES_MAX_DEPTH, 8),
        # RFC 5321, 4.5.3.1.3
        (emails.MAX_LENGTH, 254),
    ],
)
def test_a_number_that_is_set(number: object, expected: object) -> None:
    assert number == expected


@pytest.mark.parametrize(
    ("purpose", "lifetime"),
    [
        (MailedToken.Purpose.OPT_IN, 2 * DAY),
        (MailedToken.Purpose.PASSWORD_RESET, HOUR),
        (MailedToken.Purpose.EMAIL_CHANGE, DAY),
        (MailedToken.Purpose.DELETION, DAY),
    ],
)
def test_how_long_a_mailed_token_is_good(purpose: MailedToken.Purpose, lifetime: timedelta) -> None:
    assert mailed_tokens.LIFETIMES[purpose] == lifetime
