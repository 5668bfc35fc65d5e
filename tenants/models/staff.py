"""The second factor of a member of staff: an authenticator app, and recovery codes."""

from typing import TYPE_CHECKING, Literal

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from tenants import clocks
from tenants.privacy.classification import Disguise, Kept, Privacy
from tenants.secrets import authenticator_apps
from tenants.secrets.encryption import decrypt, encrypt

if TYPE_CHECKING:  # django-otp has no types, and a model with an unknown base has no manager for mypy

    class Device(models.Model):
        user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
        name = models.CharField(max_length=64)
        confirmed = models.BooleanField(default=True)
        persistent_id: str

        class Meta:
            abstract = True

    class ThrottlingMixin(models.Model):
        throttling_failure_timestamp = models.DateTimeField(null=True)
        throttling_failure_count = models.PositiveIntegerField(default=0)

        class Meta:
            abstract = True

        def verify_is_allowed(self) -> tuple[bool, object]: ...

        def throttle_reset(self, commit: bool = True) -> None: ...

        def throttle_increment(self, commit: bool = True) -> None: ...

else:
    from django_otp.models import Device, ThrottlingMixin

ISSUER = "Patron"  # what the app shows


class StaffAuthenticator(ThrottlingMixin, Device):  # type: ignore[django-manager-missing] # django-otp has no types
    """A device of django-otp whose secret is encrypted, unlike those that come with it; it takes recovery codes."""

    secret_encrypted = models.TextField(editable=False)
    last_step = models.BigIntegerField(
        default=0, editable=False, help_text="The time step of the last accepted code; each is good once."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    privacy = Privacy(
        kept=Kept.UNTIL_CHANGED,
        personal={"user": Disguise.SAME},
        secret=("secret_encrypted",),
        technical="name confirmed last_step created_at last_used_at throttling_failure_timestamp "
        "throttling_failure_count",
        is_copied=False,
    )

    class Meta:
        verbose_name = "second factor of staff"
        verbose_name_plural = "second factors of staff"

    def __str__(self) -> str:
        return f"{self.user} ({self.name})"

    @property
    def uri(self) -> str:
        """What an app is set up with: to be shown once."""
        label, secret = self.user.get_username(), decrypt(self.secret_encrypted)
        return authenticator_apps.uri(issuer=ISSUER, label=label, secret=secret)

    def get_throttle_factor(self) -> Literal[1]:
        """Seconds after the first wrong code; every further one doubles the wait (django-otp)."""
        return 1

    def verify_is_allowed(self) -> tuple[bool, object]:
        """Not during the wait after a wrong code, which is over where the clock was set back since."""
        failed_at = self.throttling_failure_timestamp
        is_over = failed_at is not None and clocks.is_ahead(failed_at, timezone.now())
        return (True, None) if is_over else super().verify_is_allowed()

    def verify_token(self, token: str) -> bool:
        """Use up the app's code of this moment, or a recovery code. django-otp holds the row's lock meanwhile."""
        if not self.verify_is_allowed()[0]:
            return False
        typed = "".join(token.split())
        is_right = self._spend_step(typed) if authenticator_apps.is_code(typed) else self._spend_recovery_code(typed)
        if not is_right:
            self.throttle_increment()
            return False
        self.last_used_at = timezone.now()
        self.throttle_reset()  # and save
        return True

    def _spend_step(self, code: str) -> bool:
        step = authenticator_apps.step_of(secret=decrypt(self.secret_encrypted), code=code, after=self.last_step)
        self.last_step = step or self.last_step
        return step is not None

    def _spend_recovery_code(self, code: str) -> bool:
        macs = authenticator_apps.macs(_owner(self), code)
        unspent = StaffRecoveryCode.objects.filter(authenticator=self, code_hmac__in=macs, spent_at=None)
        return unspent.update(spent_at=timezone.now()) == 1


class StaffRecoveryCode(models.Model):
    """A code for a member of staff who has lost the app. It is accepted once."""

    authenticator = models.ForeignKey(StaffAuthenticator, on_delete=models.CASCADE, related_name="+")
    code_hmac = models.BinaryField(max_length=32)
    spent_at = models.DateTimeField(null=True)

    privacy = Privacy(
        kept=Kept.UNTIL_CHANGED, secret=("code_hmac",), technical="authenticator spent_at", is_copied=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["authenticator", "code_hmac"], name="staff_recovery_code_unique")
        ]

    def __str__(self) -> str:
        return f"Recovery code of {self.authenticator_id}"


@transaction.atomic
def enrol_staff(*, user_id: int, name: str) -> tuple[StaffAuthenticator, list[str]]:
    """A new second factor of a member of staff, and its recovery codes; its `uri` and the codes are shown once."""
    secret = encrypt(authenticator_apps.new_secret())
    device = StaffAuthenticator.objects.create(user_id=user_id, name=name, secret_encrypted=secret)
    return device, make_recovery_codes(device)


def make_recovery_codes(device: StaffAuthenticator) -> list[str]:
    """Recovery codes for the device, to be shown once; only their hashes are kept."""
    codes = authenticator_apps.new_recovery_codes()
    StaffRecoveryCode.objects.bulk_create(
        StaffRecoveryCode(authenticator=device, code_hmac=authenticator_apps.mac(_owner(device), code))
        for code in codes
    )
    return codes


def _owner(device: StaffAuthenticator) -> str:
    return f"staff {device.pk}"
