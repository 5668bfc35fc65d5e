"""What every column of every table is: personal, secret or technical, and how long its row is kept.

Each model of ours says it in `privacy`, beside its fields; those of Django's apps are in `OF_DJANGO`. Erasure, the
download of a customer's data, the redaction of logs, the copy for developers and the purge read this and have no lists
of their own. A test fails for a column that is in no class.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from django.apps import apps
from django.db import models

# What all tables have.
KEYS = frozenset({"id", "tenant"})


class Disguise(StrEnum):
    """What stands for a personal value in a copy for developers; equal values become equal ones."""

    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    EMAIL = "email"
    PHONE = "phone"
    CUSTOMER_NUMBER = "customer_number"
    DATE = "date"
    TEXT = "text"
    EMPTY = "empty"
    SAME = "same"  # so coarse that it names nobody


class AtErasure(StrEnum):
    """What becomes of a customer's row when the customer is erased (GDPR, Article 17)."""

    NOTHING = "It is about no customer."
    ROW_GOES = "The worker deletes it."
    EMPTIED = "What is personal in it is emptied at once."


class Kept(StrEnum):
    """How long a row is kept that no time ends."""

    UNTIL_CHANGED = "until staff or operators remove it"
    UNTIL_ERASURE = "until the customer is erased"
    WHILE_IN_USE = "until the last customer who has the same is erased or changed"
    UNTIL_DONE = "until the worker has done what it asks for"
    FOR_GOOD = "for good: nothing personal is in it once the customer is erased, and its time is over"


@dataclass(frozen=True)
class Expires:
    """The row is deleted `period` after the earliest of the moments in these columns."""

    columns: tuple[str, ...]
    period: timedelta


@dataclass(frozen=True, kw_only=True)
class Privacy:
    """The classes of a model's columns, by name; the key and the tenant are technical everywhere.

    `secret` is what opens something, or is encrypted: it is shown to nobody, exported to nobody and copied nowhere.
    `subject` is the look-up that leads from a row to its customer or the customer's number, `destination` the column
    with an address or number where the customer is reached. `stays` names what is personal and outlives an erasure.
    """

    kept: Kept | Expires
    personal: Mapping[str, Disguise] = field(default_factory=dict)
    secret: tuple[str, ...] = ()
    technical: str = ""
    subject: str = ""
    destination: str = ""
    at_erasure: AtErasure = AtErasure.NOTHING
    stays: tuple[str, ...] = ()
    is_copied: bool = True

    def about(self, pk: int, number: str, destinations: Collection[str] = ()) -> models.Q:
        """The rows about the customer with this key and number, or that went to these addresses and numbers."""
        none = models.Q(pk__in=[])
        subject = models.Q(**{self.subject: number if self.subject == "customer_number" else pk})
        destined = models.Q(**{f"{self.destination}__in": destinations})
        return (subject if self.subject else none) | (destined if self.destination else none)

    def columns(self) -> list[str]:
        """All that are classified, each as often as it is."""
        return [*self.personal, *self.secret, *self.technical.split()]


OF_DJANGO: dict[str, Privacy] = {
    "auth.Permission": Privacy(kept=Kept.UNTIL_CHANGED, technical="name content_type codename", is_copied=False),
    "auth.Group": Privacy(kept=Kept.UNTIL_CHANGED, technical="name permissions", is_copied=False),
    "auth.User": Privacy(
        kept=Kept.UNTIL_CHANGED,
        personal={
            "username": Disguise.TEXT,
            "first_name": Disguise.GIVEN_NAME,
            "last_name": Disguise.FAMILY_NAME,
            "email": Disguise.EMAIL,
        },
        secret=("password",),
        technical="last_login is_superuser is_staff is_active date_joined groups user_permissions",
        is_copied=False,
    ),
    "contenttypes.ContentType": Privacy(kept=Kept.UNTIL_CHANGED, technical="app_label model", is_copied=False),
    "sessions.Session": Privacy(
        kept=Expires(("expire_date",), timedelta(0)),
        secret=("session_key", "session_data"),
        technical="expire_date",
    ),
    # Who of staff is whom at the company's provider; no token of it is kept.
    "social_django.UserSocialAuth": Privacy(
        kept=Kept.UNTIL_CHANGED,
        personal={"user": Disguise.SAME, "uid": Disguise.EMPTY},
        secret=("extra_data",),
        technical="provider id_key created modified",
        is_copied=False,
    ),
    # The nonces of log-ins at that provider.
    "social_django.Association": Privacy(
        kept=Kept.UNTIL_DONE,
        secret=("handle", "secret"),
        technical="server_url issued lifetime assoc_type",
        is_copied=False,
    ),
    # Of log-ins with OpenID 2.0, by mail or in several steps: there are none.
    "social_django.Nonce": Privacy(kept=Kept.UNTIL_DONE, technical="server_url timestamp salt", is_copied=False),
    "social_django.Code": Privacy(
        kept=Kept.UNTIL_DONE,
        personal={"email": Disguise.EMAIL},
        secret=("code",),
        technical="verified timestamp",
        is_copied=False,
    ),
    "social_django.Partial": Privacy(
        kept=Kept.UNTIL_DONE, secret=("token", "data"), technical="next_step backend timestamp", is_copied=False
    ),
    # Changes of settings by staff; customers' pages write to the audit trail instead.
    "admin.LogEntry": Privacy(
        kept=Kept.UNTIL_CHANGED,
        personal={"user": Disguise.SAME},
        technical="action_time content_type object_id object_repr action_flag change_message",
        is_copied=False,
    ),
}


def privacy_of(model: type[models.Model]) -> Privacy:
    """The classes of its columns. Raises `LookupError` for a model that says nothing."""
    own = getattr(model, "privacy", None) or OF_DJANGO.get(model._meta.label)
    if own is None:
        raise LookupError(f"{model._meta.label} does not say what its columns are")
    return own


def classified() -> Iterator[tuple[type[models.Model], Privacy]]:
    """Every table there is. Raises `LookupError` when one says nothing."""
    for model in apps.get_models():
        yield model, privacy_of(model)


def emptied(model: type[models.Model]) -> dict[str, object]:
    """What an erasure sets the columns of a row to that stays: None where it may be missing, else the type's empty
    value."""
    own = privacy_of(model)
    return {name: empty(model, name) for name in own.personal if name not in own.stays}


def empty(model: type[models.Model], name: str) -> object:
    """What a column holds that says nothing."""
    column = model._meta.get_field(name)
    if not isinstance(column, models.Field):
        raise TypeError(f"{name} is no column")
    if isinstance(column, models.JSONField):
        return column.get_default()
    return None if column.null else ""
