"""What belongs to one attempt to log in, from the first proof to the tokens."""

from dataclasses import dataclass
from enum import Flag, auto

from auth_providers.models import OTP, PASSWORD, Session
from tenants.clients import Client
from tenants.models import ApiKey, Tenant
from tenants.telemetry import metrics


class Issue(Flag):
    """Which tokens a log-in hands out."""

    PAIR = auto()
    RENEWABLE_PAIR = auto()  # of which the refresh token outlives the access token
    SERVICE_JWT = auto()
    CUSTOMER_JWT = auto()


@dataclass(frozen=True, kw_only=True)
class LogInAttempt:
    """Who tries to log in from where, what for, and what is proven so far.

    The caller says the first five: `anonymous_session` is the session that becomes the customer's; one that has ended,
    or that is another customer's, is left alone and a new one opens. `api_key` is the client that gets the tokens; None
    for the one that opened the anonymous session, if any. The functions of `login` add the rest: `method` is
    the provider's name and `provider_kind` its kind, `note` goes on the audit trail, `is_device_noted` says that
    today's use of the device is on record, `is_mailbox_proof` that the first factor was something mailed, and
    `second_factor` is what was proven on top, "" for nothing.
    """

    tenant: Tenant
    client: Client
    issue: Issue
    anonymous_session: Session | None = None
    api_key: ApiKey | None = None
    method: str = ""
    provider_kind: str = ""
    is_device_known: bool = True
    is_device_noted: bool = False
    is_mailbox_proof: bool = False
    second_factor: str = ""
    note: str = ""

    def count(self, result: str) -> None:
        """Count what became of it, by the provider's kind. Where only the provider's name is kept, as for a log-in that
        waits for its second factor, tenants' own providers are one kind: their names are tenants' to choose."""
        built_in = self.method if self.method in (PASSWORD, OTP) else metrics.EXTERNAL
        metrics.log_ins.labels(result, self.provider_kind or built_in).inc()
