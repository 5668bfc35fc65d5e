"""A row that was loaded to be changed: what is written of it is what was changed, not what others wrote meanwhile."""

from copy import deepcopy

from django.db.models import Model


class Loaded:
    """Remembers the row's values as they are now. A new row has none yet."""

    def __init__(self, row: Model) -> None:
        self._row = row
        self._values = {} if row._state.adding else deepcopy(_values_of(row))

    def changed(self) -> list[str]:
        """The columns that have another value since."""
        return [name for name, value in _values_of(self._row).items() if self._values.get(name) != value]

    def save(self) -> None:
        """Write the new row, or what was changed of the one that is there."""
        if self._row._state.adding:
            self._row.save(force_insert=True)
        else:
            self._row.save(update_fields=self.changed())


def _values_of(row: Model) -> dict[str, object]:
    """What was read of the row, by column."""
    kept = vars(row)
    return {field.attname: kept[field.attname] for field in row._meta.concrete_fields if field.attname in kept}
