"""The values of one customer while the steps of enrichment work on them."""

from dataclasses import dataclass, field

from tenants.errors import FieldCode, FieldError
from tenants.models import Tenant


@dataclass(kw_only=True)
class Draft:
    """`values` by the names of `fields`, which of them nobody sent (`derived`), and what is wrong so far (`errors`)."""

    tenant: Tenant
    values: dict[str, object]
    derived: list[str] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)

    def text(self, name: str) -> str:
        """What was sent, if nothing is wrong with it so far; else ""."""
        value = self.values.get(name)
        return value if isinstance(value, str) and not self.is_refused(name) else ""

    def is_refused(self, name: str) -> bool:
        """Whether something is wrong with the value already."""
        return any(error.field == name for error in self.errors)

    def is_absent(self, name: str) -> bool:
        """Whether nothing was sent, or an empty text. None is an answer."""
        return self.values.get(name, "") == ""

    def refuse(self, name: str, message: str, code: FieldCode = "invalid") -> None:
        """Note what is wrong with the value."""
        self.errors.append(FieldError(field=name, code=code, message=message))

    def normalize(self, name: str, value: str | None, message: str) -> None:
        """Replace what was sent by its one spelling; None refuses it with the message."""
        if value is None:
            self.refuse(name, message)
        else:
            self.values[name] = value

    def derive(self, name: str, value: str | None) -> None:
        """Fill in what was not sent; None and "" fill in nothing."""
        if value and self.is_absent(name):
            self.values[name] = value
            self.derived.append(name)
