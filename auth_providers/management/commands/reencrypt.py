"""`manage.py reencrypt`: after a new key was put in front of ENCRYPTION_KEYS, so that the old one can go."""

from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from auth_providers.models import (
    Authenticator,
    AuthProvider,
    CustomerMerge,
    PendingLink,
    PendingSignUp,
    Submission,
    UndoableChange,
    UnfinishedErasure,
    WebhookEndpoint,
)
from tenants.models import Message, SigningKey, StaffAuthenticator
from tenants.secrets.encryption import reencrypt

BATCH = 1000
# Every column that holds a secret.
SECRETS = (
    (SigningKey, "private_pem_encrypted"),
    (Message, "context_encrypted"),
    (AuthProvider, "client_secret_encrypted"),
    (Authenticator, "secret_encrypted"),
    (WebhookEndpoint, "secret_encrypted"),
    (WebhookEndpoint, "previous_secret_encrypted"),
    (PendingLink, "data_encrypted"),
    (PendingSignUp, "data_encrypted"),
    (Submission, "data_encrypted"),
    (UndoableChange, "state_encrypted"),
    (CustomerMerge, "snapshot_encrypted"),
    (UnfinishedErasure, "destinations_encrypted"),
    (StaffAuthenticator, "secret_encrypted"),
)


class Command(BaseCommand):
    help = "Encrypt every stored secret with the newest of ENCRYPTION_KEYS."

    def handle(self, *args: Any, **options: Any) -> None:
        for model, column in SECRETS:
            count = 0
            for pk in _keys(model, column):
                count += _reencrypt(model, column, pk)
            self.stdout.write(f"{model._meta.verbose_name_plural}: {count}")


def _keys(model: Any, column: str) -> Iterator[Any]:
    """The keys of all rows with a secret, so many at a time: a cursor would outlive its transaction, which a pool of
    connections can't keep (PgBouncer, "Transaction pooling")."""
    keys = model._default_manager.exclude(**{column: ""}).order_by("pk").values_list("pk", flat=True)
    batch = list(keys[:BATCH])
    while batch:
        yield from batch
        batch = list(keys.filter(pk__gt=batch[-1])[:BATCH])


@transaction.atomic
def _reencrypt(model: Any, column: str, pk: Any) -> int:
    """Under a row lock: a mail that the worker just sent must not get its secret back."""
    row = model._default_manager.select_for_update().filter(pk=pk).exclude(**{column: ""}).first()
    if row is None:
        return 0
    updated: int = model._default_manager.filter(pk=pk).update(**{column: reencrypt(getattr(row, column))})
    return updated
