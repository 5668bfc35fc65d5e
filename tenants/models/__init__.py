"""A tenant is one shop operator: its policies, sites, keys, audit trail and outbox."""

from tenants.models.keys import ApiKey, Scope, SigningKey, Site
from tenants.models.members import Role, StaffInvitation, StaffMembership
from tenants.models.outbox import MailSuppression, Message
from tenants.models.owned import TenantOwned, TenantQuerySet
from tenants.models.receipts import Receipt
from tenants.models.staff import StaffAuthenticator, StaffRecoveryCode, enrol_staff, make_recovery_codes
from tenants.models.tenant import (
    CODE_MAX_LENGTH,
    CODE_MIN_LENGTH,
    CODE_PATTERN,
    PASSWORD_MIN_LENGTH,
    CheckIn,
    SecondFactor,
    Tenant,
)
from tenants.models.trail import AppendOnly, AppendOnlyError, AuditEvent, StaffEvent

__all__ = [
    "CODE_MAX_LENGTH",
    "CODE_MIN_LENGTH",
    "CODE_PATTERN",
    "PASSWORD_MIN_LENGTH",
    "ApiKey",
    "AppendOnly",
    "AppendOnlyError",
    "AuditEvent",
    "CheckIn",
    "MailSuppression",
    "Message",
    "Receipt",
    "Role",
    "Scope",
    "SecondFactor",
    "SigningKey",
    "Site",
    "StaffAuthenticator",
    "StaffEvent",
    "StaffInvitation",
    "StaffMembership",
    "StaffRecoveryCode",
    "Tenant",
    "TenantOwned",
    "TenantQuerySet",
    "enrol_staff",
    "make_recovery_codes",
]
