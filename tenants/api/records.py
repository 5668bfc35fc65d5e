"""Response bodies. Each is declared once, as a record: a view returns it, and the contract's document describes it."""

from datetime import datetime
from typing import Annotated, Any, Self

from django.utils import timezone
from msgspec import Meta, Struct

# RFC 3339, in UTC.
Moment = Annotated[datetime, Meta(tz=True)]
Seconds = Annotated[int, Meta(description="Seconds.")]


class Record(Struct, omit_defaults=True):
    """Base of the response bodies; `JsonRenderer` renders a record, `tenants.api.schema` describes one.

    Fields have the names of the core, and `rename="camel"` or `field(name=...)` gives them those of the contract. A
    field that may be left out is `... | None = None`, and is left out while it is None. No other default is allowed,
    because it would be left out, too.
    """

    @classmethod
    def of(cls, source: object, **others: Any) -> Self:
        """The record of `source`: each field is its attribute of the same name, but for those that `others` gives."""
        read = {name: getattr(source, name) for name in cls.__struct_fields__ if name not in others}
        return cls(**read, **others)


def seconds_left(moment: datetime) -> int:
    """Whole seconds until then; 0 for what is past."""
    return max(0, int((moment - timezone.now()).total_seconds()))
