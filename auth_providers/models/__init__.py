"""Accounts, sessions, tokens, codes, providers and flows, split by topic."""

from auth_providers.models.accounts import Account, KnownDevice, Session, Token, UnfinishedErasure
from auth_providers.models.changes import CustomerMerge, UndoableChange
from auth_providers.models.flows import Flow, Submission, WebhookEndpoint
from auth_providers.models.messages import MessageTemplate
from auth_providers.models.proofs import (
    Attempts,
    Authenticator,
    MailedToken,
    OneTimeCode,
    PendingLink,
    PendingLogIn,
    PendingSignUp,
    RecoveryCode,
    UsedIdToken,
)
from auth_providers.models.providers import OTP, PASSWORD, TOTP, AuthProvider

__all__ = [
    "OTP",
    "PASSWORD",
    "TOTP",
    "Account",
    "Attempts",
    "AuthProvider",
    "Authenticator",
    "CustomerMerge",
    "Flow",
    "KnownDevice",
    "MailedToken",
    "MessageTemplate",
    "OneTimeCode",
    "PendingLink",
    "PendingLogIn",
    "PendingSignUp",
    "RecoveryCode",
    "Session",
    "Submission",
    "Token",
    "UndoableChange",
    "UnfinishedErasure",
    "UsedIdToken",
    "WebhookEndpoint",
]
