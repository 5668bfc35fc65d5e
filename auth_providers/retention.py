"""What is deleted after its time, in batches: each table says when (`tenants/privacy/classification.py`). The audit
trail goes by whole months."""

from datetime import timedelta
from functools import reduce
from operator import or_

from django.conf import settings
from django.db import connection
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from auth_providers.models import Session, Token
from tenants.privacy.classification import Expires, classified
from tenants.trail import maintenance, partitions

BATCH = 1000
# An anonymous visit is remembered as long as a token of it would be recognized.
VISITS_KEPT = timedelta(days=7)


def purge() -> int:
    """Delete what is past its time, and blank what the trails keep no longer. Returns the number of rows, without those
    of the months that the trail drops."""
    partitions.look_after(connection, months=settings.AUDIT_TRAIL_MONTHS)
    expired = sum(_delete(_expired(model, own.kept)) for model, own in classified() if isinstance(own.kept, Expires))
    return expired + _delete(_abandoned_sessions()) + maintenance.blank_due()


def _expired(model: type[Model], rule: Expires) -> QuerySet[Model]:
    before = timezone.now() - rule.period
    return model._default_manager.filter(reduce(or_, (Q(**{f"{column}__lt": before}) for column in rule.columns)))


def _abandoned_sessions() -> QuerySet[Session]:
    """Anonymous sessions without a token."""
    old_enough = timezone.now() - VISITS_KEPT
    has_tokens = Exists(Token.objects.filter(session=OuterRef("pk")))
    return Session.objects.filter(~has_tokens, customer=None, created_at__lt=old_enough)


def _delete(rows: QuerySet[Model]) -> int:
    total = 0
    while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=keys).delete()
        total += len(keys)
    return total
