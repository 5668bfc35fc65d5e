"""What a file would change, and the changing of it: all of it in one transaction, and nothing the second time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction

from auth_providers.tenant_files import staff
from auth_providers.tenant_files.documents import Document
from auth_providers.tenant_files.reports import ADDED, CHANGED, REMOVED, Change, FieldChange, differences
from auth_providers.tenant_files.sections import (
    SECRET,
    SECTIONS,
    TENANT,
    Row,
    Section,
    check,
    row_of,
    tenant_columns,
)
from tenants import directory
from tenants.errors import FieldError, InvalidInput, fields_within
from tenants.json_values import Json
from tenants.models import Tenant, TenantOwned
from tenants.models.loaded import Loaded
from tenants.trail import audit

ACTION = "apply_tenant_file"


def plan(document: Document, *, environment: Mapping[str, str]) -> list[Change]:
    """What `apply` would change, with nothing changed. Raises what `apply` raises."""
    with transaction.atomic():
        found = apply(document, environment=environment)
        transaction.set_rollback(True)
    return found


@transaction.atomic
def apply(document: Document, *, environment: Mapping[str, str]) -> list[Change]:
    """Make the tenant what the document says, and create it where there is none. Returns what was changed.

    `environment` has the secrets that the document names. A row that has a secret keeps it where the variable is
    missing. Raises `InvalidInput` that says what in the document is wrong; then nothing is changed.
    """
    tenant, is_new = _tenant(document)
    found = [*_own_changes(tenant, document.tenant, is_new)]
    steps = [_Step(tenant=tenant, section=section, document=document, environment=environment) for section in SECTIONS]
    for step in reversed(steps):
        found.extend(step.remove())
    for step in steps:
        found.extend(step.write())
    if document.staff is not None:
        found.extend(staff.apply(tenant=tenant, wanted=document.staff))
    if found:
        audit.record(tenant=tenant, action=ACTION)
    return found


def _tenant(document: Document) -> tuple[Tenant, bool]:
    there = Tenant.objects.select_for_update().filter(code=document.code).first()
    if there is not None:
        return there, False
    fields = {name: value for name, value in document.tenant.items() if name != "name"}
    return directory.create_tenant(code=document.code, name=str(document.tenant.get("name", "")), **fields)


def _own_changes(tenant: Tenant, wanted: Row, is_new: bool) -> Iterator[Change]:
    loaded, before = Loaded(tenant), row_of(tenant, tenant_columns())
    after = {**before, **_with_defaults(wanted, tenant_columns())}
    fields = tuple(differences(before, after))
    for name, value in after.items():
        setattr(tenant, name, value)
    with fields_within(TENANT):
        directory.check_defaults({change.field: change.after for change in fields})
        _clean(tenant)
    loaded.save()
    if is_new:
        yield Change(section=TENANT, name=tenant.code, kind=ADDED)
    elif fields:
        yield Change(section=TENANT, name=tenant.code, kind=CHANGED, fields=fields)


def _clean(tenant: Tenant) -> None:
    try:
        tenant.full_clean()
    except ValidationError as error:
        raise InvalidInput.of_model(error) from error


def _with_defaults(wanted: Row, columns: list[models.Field[object, object]]) -> dict[str, Json]:
    """What the file leaves out has the default of a new row; what has none stays."""
    return {
        field.name: wanted[field.name] if field.name in wanted else field.get_default()
        for field in columns
        if field.name in wanted or field.has_default() or field.null
    }


@dataclass(frozen=True, kw_only=True)
class _Step:
    """One section of the file, and what is stored of it."""

    tenant: Tenant
    section: Section
    document: Document
    environment: Mapping[str, str]

    @property
    def wanted(self) -> dict[str, Row]:
        return {self.section.name_of(row): row for row in self.document.rows[self.section.name]}

    def stored(self) -> dict[str, TenantOwned]:
        rows = self.section.model.objects.for_tenant(self.tenant).order_by(*self.section.key)
        return {self.section.name_of(row_of(row, self.section.columns())): row for row in rows}

    def remove(self) -> Iterator[Change]:
        """Delete the rows that the file does not name."""
        for name, row in self.stored().items():
            if name not in self.wanted:
                row.delete()
                yield Change(section=self.section.name, name=name, kind=REMOVED)

    def write(self) -> Iterator[Change]:
        """Add the rows that are missing and change those that differ."""
        stored = self.stored()
        for position, (name, wanted) in enumerate(self.wanted.items()):
            row = stored.get(name)
            with fields_within(f"{self.section.name}.{position}"):
                change = self._write(name, row or self.section.model(tenant=self.tenant), wanted, row is None)
            if change is not None:
                yield change

    def _write(self, name: str, row: TenantOwned, wanted: Row, is_new: bool) -> Change | None:
        loaded, before = Loaded(row), row_of(row, self.section.columns())
        after = _with_defaults(wanted, self.section.columns())
        for field, value in after.items():
            setattr(row, field, value)
        fields = [*differences(before, after), *self._give_secret(row, wanted, is_new)]
        if not fields and not is_new:
            return None
        check(self.section, self.tenant, row)
        try:
            with transaction.atomic():
                loaded.save()
        except IntegrityError as error:
            raise InvalidInput("This row and another one exclude each other.") from error
        if is_new:
            return Change(section=self.section.name, name=name, kind=ADDED)
        return Change(section=self.section.name, name=name, kind=CHANGED, fields=tuple(fields))

    def _give_secret(self, row: TenantOwned, wanted: Row, is_new: bool) -> Iterator[FieldChange]:
        secret, named = self.section.secret, wanted.get(SECRET)
        if secret is None or not isinstance(named, Mapping):
            return
        variable = str(named["env"])
        value = self.environment.get(variable, "")
        if not value and (is_new or not secret.is_kept(row)):
            raise InvalidInput(
                details=(FieldError(field=SECRET, code="required", message=f"Set the variable {variable}."),)
            )
        if value and not secret.is_same(row, value):
            secret.store(row, value)
            if not is_new:
                yield FieldChange(field=SECRET, before=None, after=None)
