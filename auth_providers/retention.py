"""What is deleted after its time: tokens and sessions long over, messages sent or given up, old counts; in batches."""

from datetime import datetime, timedelta

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from auth_providers.models import (
    Attempts,
    MailedToken,
    OneTimeCode,
    PendingLink,
    PendingLogIn,
    PendingSignUp,
    Session,
    Submission,
    Token,
    UsedIdToken,
)
from tenants.models import Message

BATCH = 1000
# A spent refresh token that comes back within this time is still recognized as stolen.
TOKENS_KEPT = timedelta(days=7)
# Staff look at a customer's past sessions.
SESSIONS_KEPT = timedelta(days=90)
MESSAGES_KEPT = timedelta(days=30)
# An old link is answered as no longer valid, with or without the row.
MAILED_TOKENS_KEPT = timedelta(days=7)
# Longer than any wait that wrong answers led to (`limits.CODE_USED_UP`).
CODES_KEPT = timedelta(days=1)
ATTEMPTS_KEPT = timedelta(days=2)


def purge() -> int:
    """Delete what is past its time. Returns the number of rows."""
    now = timezone.now()
    return (
        _delete(Token.objects.filter(expires_at__lt=now - TOKENS_KEPT))
        + _delete(Session.objects.filter(expires_at__lt=now - SESSIONS_KEPT))
        + _delete(_abandoned_sessions())
        + _delete(_settled_messages(now - MESSAGES_KEPT))
        + _delete(MailedToken.objects.filter(expires_at__lt=now - MAILED_TOKENS_KEPT))
        + _delete(OneTimeCode.objects.filter(issued_at__lt=now - CODES_KEPT))
        + _delete(PendingLogIn.objects.filter(expires_at__lt=now - CODES_KEPT))
        + _delete(PendingSignUp.objects.filter(expires_at__lt=now))
        + _delete(PendingLink.objects.filter(expires_at__lt=now - CODES_KEPT))
        + _delete(Submission.objects.filter(expires_at__lt=now))  # nobody can answer any more, and it is personal
        + _delete(UsedIdToken.objects.filter(expires_at__lt=now))  # the token itself is refused from then on
        + _delete(Attempts.objects.filter(since__lt=now - ATTEMPTS_KEPT))
    )


def _settled_messages(before: datetime) -> QuerySet[Message]:
    """Messages that were sent, given up or dropped by then."""
    return Message.objects.filter(Q(sent_at__lt=before) | Q(failed_at__lt=before) | Q(dropped_at__lt=before))


def _abandoned_sessions() -> QuerySet[Session]:
    """Anonymous sessions without a token."""
    old_enough = timezone.now() - TOKENS_KEPT
    has_tokens = Exists(Token.objects.filter(session=OuterRef("pk")))
    return Session.objects.filter(~has_tokens, customer=None, created_at__lt=old_enough)


def _delete(rows: QuerySet[Model]) -> int:
    total = 0
    while keys := list(rows.values_list("pk", flat=True)[:BATCH]):
        rows.model._default_manager.filter(pk__in=keys).delete()
        total += len(keys)
    return total
