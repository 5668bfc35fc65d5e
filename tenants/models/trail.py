"""Audit trails: events of customers and accounts, and log-ins of staff."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func, Q
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone

from tenants.customer_numbers import NUMBER_DIGITS
from tenants.models.owned import TenantOwned
from tenants.privacy.classification import AtErasure, Disguise, Kept, Privacy


class AppendOnlyError(TypeError):
    """A row of an audit trail was to be changed or deleted."""


class AppendOnly(models.Model):
    """A row of a trail: only ever added. Triggers in the database refuse UPDATE and DELETE, too (`append_only`)."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("A trail is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError("A trail is never deleted event by event.")


class CurrentTransaction(Func):
    """The id of the transaction that writes, on PostgreSQL: with it a reader knows what may still be committed before
    a row (`tenants.outbox.feed`). 0 on SQLite, where one transaction writes at a time and so rows are numbered in the
    order in which they are committed."""

    template = "0"
    output_field = models.BigIntegerField()

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str | int, ...]]:
        return self.as_sql(compiler, connection, template="(pg_current_xact_id()::text::bigint)")


class AuditEvent(AppendOnly, TenantOwned):
    """One thing that happened to a customer or an account. Rows are only ever added.

    A customer is named by number and not by key, so that the trail outlives the profile. `events` are the types of the
    events that the row is, separated by spaces, and `details` what they say besides (`tenants.trail.event_types`).
    """

    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=64)
    is_success = models.BooleanField(default=True)
    reason = models.CharField(max_length=255, blank=True, default="")
    customer_number = models.CharField(max_length=NUMBER_DIGITS, blank=True, default="")
    session_id = models.UUIDField(null=True)
    staff_username = models.CharField(max_length=150, blank=True, default="")
    method = models.CharField(max_length=64, blank=True, default="")
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=255, blank=True, default="")
    device = models.CharField(max_length=32, blank=True, default="")
    events = models.CharField(max_length=128, blank=True, default="", editable=False)
    details = models.JSONField(default=dict, editable=False)
    transaction_id = models.BigIntegerField(db_default=CurrentTransaction(), editable=False)

    privacy = Privacy(
        kept=Kept.FOR_GOOD,
        personal={
            "customer_number": Disguise.CUSTOMER_NUMBER,
            "staff_username": Disguise.TEXT,
            "address": Disguise.EMPTY,
            "user_agent": Disguise.EMPTY,
            "device": Disguise.TEXT,
        },
        technical="at action is_success reason session_id method events details transaction_id",
        subject="customer_number",
        at_erasure=AtErasure.EMPTIED,
        stays=("customer_number", "staff_username"),
    )

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["tenant", "customer_number", "-at"], name="audit_by_customer"),
            models.Index(fields=["tenant", "transaction_id", "id"], name="audit_events", condition=~Q(events="")),
            models.Index(fields=["tenant", "-at"], name="audit_by_time"),
            # Partial indexes: among all events those of staff and those that failed are few.
            models.Index(fields=["staff_username", "-id"], name="audit_by_staff", condition=~Q(staff_username="")),
            models.Index(fields=["-id"], name="audit_failures", condition=Q(is_success=False)),
            # Those that the end of the tenant's period still has to blank.
            models.Index(
                fields=["tenant", "at"],
                name="audit_with_client",
                condition=Q(address__isnull=False) | ~Q(user_agent=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.customer_number}"


class StaffEvent(AppendOnly):
    """A log-in or log-out of a member of staff in the back office, which serves every tenant.

    `username` is what was typed: there may be no such user.
    """

    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=64)
    username = models.CharField(max_length=150)
    is_success = models.BooleanField(default=True)
    reason = models.CharField(max_length=255, blank=True, default="")
    address = models.GenericIPAddressField(null=True)
    subscriber = models.CharField(
        max_length=49, blank=True, default="", help_text="The address, or the network of one IPv6 line: who is counted."
    )
    user_agent = models.CharField(max_length=255, blank=True, default="")

    privacy = Privacy(
        kept=Kept.FOR_GOOD,
        personal={
            "username": Disguise.TEXT,
            "address": Disguise.EMPTY,
            "subscriber": Disguise.EMPTY,
            "user_agent": Disguise.EMPTY,
        },
        technical="at action is_success reason",
    )

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["username", "-at"], name="staff_event_by_username"),
            models.Index(fields=["subscriber", "-at"], name="staff_event_by_subscriber"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.username}"
