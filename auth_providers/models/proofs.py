"""What proves who someone is, and how often a proof was tried: mailed tokens, codes, authenticator apps."""

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone

from auth_providers.models.accounts import Account, Session
from auth_providers.models.changes import UndoableChange
from customers.models import Customer
from tenants.customer_numbers import NUMBER_DIGITS
from tenants.models import TenantOwned
from tenants.privacy.classification import AtErasure, Disguise, Expires, Kept, Privacy

if TYPE_CHECKING:  # django-otp has no types, and a model with an unknown base has no manager for mypy

    class ThrottlingMixin(models.Model):
        throttling_failure_timestamp = models.DateTimeField(null=True)
        throttling_failure_count = models.PositiveIntegerField(default=0)

        class Meta:
            abstract = True

        def throttle_reset(self, commit: bool = True) -> None: ...

        def throttle_increment(self, commit: bool = True) -> None: ...

    class CooldownMixin(models.Model):
        last_generated_timestamp = models.DateTimeField(null=True)

        class Meta:
            abstract = True

        def cooldown_reset(self, commit: bool = True) -> None: ...

        def cooldown_set(self, commit: bool = True) -> None: ...
else:
    from django_otp.models import CooldownMixin, ThrottlingMixin


class MailedToken(TenantOwned):
    """A token that was mailed to prove that its receiver reads that mailbox. It is accepted once, for one purpose.

    It belongs to an account, or, where it undoes a change, to that: the account may be what was taken away.
    """

    class Purpose(models.TextChoices):
        OPT_IN = "opt_in"
        PASSWORD_RESET = "password_reset"  # noqa: S105
        EMAIL_CHANGE = "email_change"
        DELETION = "deletion"
        UNDO = "undo"

    purpose = models.CharField(max_length=32, choices=Purpose)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, related_name="+")
    change = models.ForeignKey(UndoableChange, on_delete=models.CASCADE, null=True, related_name="+")
    token_hash = models.BinaryField(max_length=32, unique=True)
    details = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)  # of those that are spent: when it was accepted; others were voided

    privacy = Privacy(
        # An old link is answered as no longer valid, with or without the row.
        kept=Expires(("expires_at",), timedelta(days=7)),
        personal={"details": Disguise.EMPTY},  # it may hold a new e-mail
        secret=("token_hash",),
        technical="purpose account change created_at expires_at spent_at used_at",
        subject="account__customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose="undo", account=None, change__isnull=False)
                | (~Q(purpose="undo") & Q(account__isnull=False, change=None)),
                name="mailed_token_of_account_or_change",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="mailed_token_by_expiry")]

    def __str__(self) -> str:
        return f"{self.purpose} for {self.account_id or self.change_id}"

    @property
    def owner(self) -> Account:
        """The account that it belongs to. Raises `TypeError` where it undoes a change."""
        if self.account is None:
            raise TypeError("this token belongs to a change")
        return self.account


class PendingSignUp(TenantOwned):
    """A sign-up with an address that somebody has given before and nobody has proven: kept, encrypted, until the link
    in its mail is followed. `account` is the one that the address has; `session_id` that in which it was handed in."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    data_encrypted = models.TextField(editable=False)
    session_id = models.UUIDField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    privacy = Privacy(
        kept=Expires(("expires_at",), timedelta(0)),
        secret=("data_encrypted",),
        technical="account session_id created_at expires_at",
        subject="account__customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="pending_sign_up_by_expiry")]

    def __str__(self) -> str:
        return f"Sign-up of account {self.account_id}"


class OneTimeCode(CooldownMixin, ThrottlingMixin, TenantOwned):
    """The one valid code for a purpose at a destination. Asking again overwrites it."""

    class Purpose(models.TextChoices):
        LOG_IN = "log_in"
        VERIFICATION = "verification"
        SECOND_FACTOR = "second_factor"

    class Channel(models.TextChoices):
        EMAIL = "email"
        SMS = "sms"

    purpose = models.CharField(max_length=16, choices=Purpose)
    channel = models.CharField(max_length=8, choices=Channel)
    destination = models.CharField(max_length=254, help_text="The e-mail address, normalized, or the number in E.164.")
    # "" until the purpose is about one customer: customers who share a telephone don't share a second factor's code.
    customer_number = models.CharField(max_length=NUMBER_DIGITS, blank=True, default="")
    challenge_id = models.UUIDField(default=uuid.uuid4, help_text="New with every code.")
    code_hmac = models.BinaryField(max_length=32)
    wrong_answers = models.PositiveSmallIntegerField(default=0)  # to this code, from devices that are not its owner's
    wrong_on_known_devices = models.PositiveSmallIntegerField(default=0)  # to this code
    wrong_in_a_row = models.PositiveSmallIntegerField(default=0)  # to this code and those before it, until a right one
    issued_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)
    kept_until = models.DateTimeField()

    privacy = Privacy(
        kept=Expires(("kept_until",), timedelta(0)),  # longer after a wrong answer: it counts until a right one
        personal={"destination": Disguise.EMAIL, "customer_number": Disguise.CUSTOMER_NUMBER},
        secret=("code_hmac",),
        technical="purpose channel challenge_id wrong_answers wrong_on_known_devices wrong_in_a_row issued_at "
        "expires_at spent_at kept_until last_generated_timestamp throttling_failure_timestamp throttling_failure_count",
        destination="destination",
        subject="customer_number",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "purpose", "channel", "destination", "customer_number"], name="one_time_code_alive"
            ),
            models.UniqueConstraint(fields=["tenant", "challenge_id"], name="one_time_code_challenge_unique"),
        ]
        indexes = [
            models.Index(fields=["kept_until"], name="one_time_code_by_age"),
            models.Index(fields=["tenant", "destination"], name="one_time_code_by_reader"),
            models.Index(fields=["tenant", "customer_number"], name="one_time_code_by_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} by {self.channel}"

    @property
    def lifetime(self) -> timedelta:
        """How long it is good. By mail that begins with the hand-over to the mail server, and is as long as OWASP ASVS
        5.0, 6.6.3 allows: the receiver's server may delay mail of unknown senders."""
        return timedelta(minutes=10 if self.channel == self.Channel.EMAIL else 3)

    @property
    def longest_wait(self) -> timedelta:
        """How long after it was asked for it is still handed over."""
        return timedelta(minutes=30) if self.channel == self.Channel.EMAIL else self.lifetime


class Authenticator(ThrottlingMixin, TenantOwned):
    """A customer's authenticator app (RFC 6238). It counts once its owner has shown a first code."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    secret_encrypted = models.TextField(editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(
        default=0, help_text="The time step of the last accepted code; each is good once."
    )

    privacy = Privacy(
        kept=Kept.UNTIL_ERASURE,
        secret=("secret_encrypted",),
        technical="customer created_at confirmed_at last_step throttling_failure_timestamp throttling_failure_count",
        is_copied=False,
        subject="customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "customer"], name="authenticator_one_each")]

    def __str__(self) -> str:
        return f"Authenticator of {self.customer_id}"


class RecoveryCode(TenantOwned):
    """A code for a customer who has lost the authenticator app. It is accepted once."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    code_hmac = models.BinaryField(max_length=32)
    spent_at = models.DateTimeField(null=True)

    privacy = Privacy(
        kept=Kept.UNTIL_ERASURE,
        secret=("code_hmac",),
        technical="customer spent_at",
        is_copied=False,
        subject="customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "customer", "code_hmac"], name="recovery_code_unique")]

    def __str__(self) -> str:
        return f"Recovery code of {self.customer_id}"


class PendingLogIn(TenantOwned):
    """A log-in whose first factor is proven and whose second is not. Only with its handle,
    which the client alone knows, can it be completed."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    handle_hash = models.BinaryField(max_length=32)
    method = models.CharField(max_length=64, help_text="The first factor.")
    is_mailbox_proof = models.BooleanField(default=False, help_text="Whether the first factor was something mailed.")
    anonymous_session = models.ForeignKey(Session, on_delete=models.SET_NULL, null=True, related_name="+")
    # OWASP ASVS 5.0, 6.6.2: a code that was sent for another log-in does not complete this one.
    challenge_id = models.UUIDField(null=True, help_text="Of the code that was sent for it last.")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)

    privacy = Privacy(
        kept=Expires(("expires_at",), timedelta(days=1)),
        secret=("handle_hash",),
        technical="account method is_mailbox_proof anonymous_session challenge_id created_at expires_at spent_at",
        subject="account__customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "handle_hash"], name="pending_log_in_handle_unique")]
        indexes = [models.Index(fields=["expires_at"], name="pending_log_in_by_expiry")]

    def __str__(self) -> str:
        return f"Pending log-in of {self.account_id}"


class PendingLink(TenantOwned):
    """An identity at another provider whose e-mail is that of a customer here. It waits, encrypted, until that customer
    answers the code that was mailed, and then shows a second factor where one is due."""

    challenge_id = models.UUIDField()
    handle_hash = models.BinaryField(
        max_length=32, null=True, help_text="Of the second factor, once the code is answered."
    )
    account = models.ForeignKey(
        Account, on_delete=models.CASCADE, related_name="+", help_text="The one with the e-mail."
    )
    data_encrypted = models.TextField(editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)

    privacy = Privacy(
        kept=Expires(("expires_at",), timedelta(days=1)),
        secret=("handle_hash", "data_encrypted"),
        technical="challenge_id account created_at expires_at spent_at",
        subject="account__customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "challenge_id"], name="pending_link_challenge_unique"),
            models.UniqueConstraint(fields=["tenant", "handle_hash"], name="pending_link_handle_unique"),
        ]
        indexes = [models.Index(fields=["expires_at"], name="pending_link_by_expiry")]

    def __str__(self) -> str:
        return f"Pending link of {self.account_id}"


class UsedIdToken(TenantOwned):
    """An id token of a provider that somebody logged in by. It is kept until it expires, and not accepted again."""

    token_hash = models.BinaryField(max_length=32, help_text="Of its `jti`, or of its claims.")
    expires_at = models.DateTimeField()

    privacy = Privacy(
        kept=Expires(("expires_at",), timedelta(0)),  # the token itself is refused from then on
        secret=("token_hash",),
        technical="expires_at",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "token_hash"], name="used_id_token_unique")]
        indexes = [models.Index(fields=["expires_at"], name="used_id_token_by_expiry")]

    def __str__(self) -> str:
        return f"Used until {self.expires_at}"


class Attempts(TenantOwned):
    """How often something was tried, or failed: the counts of `limits`.

    `count` is a number of failures or uses; of an allowance it is a moment in milliseconds (`limits.counts.charge`).
    """

    rule = models.CharField(max_length=32)
    key = models.BinaryField(max_length=32)
    count = models.PositiveBigIntegerField()
    since = models.DateTimeField()
    expires_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True)
    noted_until = models.DateTimeField(null=True, help_text="The end of the wait that is on the trail.")

    privacy = Privacy(
        kept=Expires(("expires_at",), timedelta(0)),
        secret=("key",),  # a keyed hash, which may be of an e-mail
        technical="rule count since expires_at blocked_until noted_until",
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "rule", "key"], name="attempts_key_unique")]
        indexes = [models.Index(fields=["expires_at"], name="attempts_by_expiry")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.count}"
