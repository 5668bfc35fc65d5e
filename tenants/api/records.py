"""Response bodies. Each is declared once, as a record: a view returns it, and the contract's document describes it."""

from datetime import datetime
from typing import Annotated, Any, Self

from django.utils import timezone
from msgspec import Meta, Struct, convert

# RFC 3339, in UTC.
Moment = Annotated[datetime, Meta(tz=True)]
Seconds = Annotated[int, Meta(description="Seconds.")]


class Record(Struct, omit_defaults=True):
    """Base of the response bodies; `JsonRenderer` renders a record, `tenants.api.schema` describes one.

    Fields have the names of the core, and `rename="camel"` or `field(name=...)` gives them those of the contract. A
    field that may be left out is `... | None = None`, and is left out while it is None. No other default is allowed,
    because it would be left out, too; `omit_defaults=False` is for a contract that shows null for what is not known.
    """

    @classmethod
    def of(cls, source: object, **others: Any) -> Self:
        """The record of `source`: each field is its attribute of the same name, but for those that `others` gives.

        Raises `msgspec.ValidationError` for a value that is not of the field's type, such as one that a row should not
        have.
        """
        names = zip(cls.__struct_fields__, cls.__struct_encode_fields__, strict=True)
        values = {called: others[name] if name in others else getattr(source, name) for name, called in names}
        return convert(values, cls)


def seconds_left(moment: datetime) -> int:
    """Whole seconds until then; 0 for what is past."""
    return max(0, int((moment - timezone.now()).total_seconds()))
