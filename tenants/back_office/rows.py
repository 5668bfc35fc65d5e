"""The base of every page about rows of tenants: it shows, changes and finds those of one tenant only.

That is the tenant of the switcher in the header (`staff.tenant_of`). The back office registers nothing for such rows
that is not based on `OfTenant`, and confines what its pages do to the rows of that tenant (`tenants.isolation`).
"""

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.forms import BaseForm, Field, HiddenInput, ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe

from tenants.back_office.staff import staff_of, tenant_of
from tenants.errors import DomainError
from tenants.models import Tenant
from tenants.models.loaded import Loaded
from tenants.trail import audit

M = TypeVar("M", bound=Model)
P = TypeVar("P", bound=Model)

if TYPE_CHECKING:
    _Base = BaseModelAdmin
    _Table = admin.ModelAdmin
else:

    class _Base(Generic[M]):
        """Nothing: `BaseModelAdmin` comes from the class that this is mixed into."""

    _Table = _Base


class ReadOnly:
    """Mixed into an admin or an inline that shows rows and changes none."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class OfTenant(_Base[M]):
    """Mixed into an admin or an inline for rows of tenants. `is_confined` is False where a page has to read what
    belongs to no tenant, too."""

    is_confined = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[M]:
        tenant, rows = tenant_of(request), super().get_queryset(request)
        return rows.filter(tenant=tenant) if tenant else rows.none()

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return tenant_of(request) is not None and super().has_add_permission(request, *args)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_at_hand(request, obj) and super().has_view_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_at_hand(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_at_hand(request, obj) and super().has_delete_permission(request, obj)

    def formfield_for_dbfield(self, db_field: Any, request: Any, **kwargs: Any) -> Field | None:
        """The tenant is that of the switcher, whatever is posted."""
        if db_field.name == "tenant" and request is not None:
            tenant = tenant_of(request)
            own = Tenant.objects.filter(pk__in=[tenant.pk] if tenant else [])
            return ModelChoiceField(own, initial=tenant, disabled=True, widget=HiddenInput)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


def is_at_hand(request: HttpRequest, obj: Any) -> bool:
    """Whether the row is one of the tenant that the request is about. An inline is asked about its parent, which may be
    the tenant itself."""
    tenant = tenant_of(request)
    if obj is None or getattr(obj, "tenant_id", obj.pk) is None:
        return True
    return tenant is not None and getattr(obj, "tenant_id", obj.pk) == tenant.pk


class OnTrail(_Base[M]):
    """Mixed into an admin whose changes are on the tenant's audit trail, instead of in Django's own log."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, "add", obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, "change", obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            self._record(request, "delete", obj, "")

    def _record(self, request: HttpRequest, verb: str, obj: Any, message: Any) -> None:
        audit.record(
            tenant=obj if isinstance(obj, Tenant) else obj.tenant,
            action=f"{verb}_{obj._meta.verbose_name}".lower().replace(" ", "_"),
            reason=f"{obj}: {_changed(message)}".rstrip(": "),
            **staff_of(request),
        )

    @method_decorator(require_safe)
    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """The audit trail is the history."""
        obj = cast(admin.ModelAdmin[Any], self).get_object(request, object_id)
        if obj is None:
            raise Http404
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("admin:tenants_auditevent_changelist", query=self.history_query(obj)))

    def history_query(self, obj: Any) -> dict[str, str]:
        """What finds the events of the row on the trail."""
        return {}


def _changed(message: Any) -> str:
    """The fields that Django's message about a change names; a text of our own as it is."""
    if isinstance(message, str):
        return message
    changes = [part.get("changed", part.get("added", part.get("deleted", {}))) for part in message]
    return ", ".join(", ".join(each.get("fields", [str(each.get("object", ""))])) for each in changes if each)


class WritesChanges(_Table[M]):
    """Mixed into an admin with a form: it writes what the form changed, and leaves what others, such as the worker,
    write to the same row meanwhile."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> M | None:
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            found.as_loaded = Loaded(found)  # type: ignore[attr-defined] # read when it is saved
        return found

    def save_model(self, request: HttpRequest, obj: M, form: Any, change: bool) -> None:
        loaded: Loaded = obj.as_loaded if change else Loaded(obj)  # type: ignore[attr-defined] # see `get_object`
        loaded.save()


class TenantRowAdmin(WritesChanges[M], OnTrail[M], OfTenant[M], admin.ModelAdmin[M], Generic[M]):
    """For rows of tenants: the `fixed` fields can't be changed once the row is stored."""

    fixed: tuple[str, ...] = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> list[str]:
        stays = self.fixed if obj is not None else ()
        return [*map(str, super().get_readonly_fields(request, obj)), *stays]


class TenantRowInline(OfTenant[M], admin.TabularInline[M, P], Generic[M, P]):
    """For rows of tenants on the page of what they belong to."""


def show_failure(form: BaseForm, error: DomainError, fields: Mapping[str, str] = MappingProxyType({})) -> None:
    """Put what the core refused on the form's fields; `fields` translates the core's names."""
    for detail in error.details:
        name = fields.get(detail.field, detail.field)
        form.add_error(name if name in form.fields else None, detail.message)
    if not error.details:
        form.add_error(None, error.message)


class CappedPaginator(Paginator[Any]):
    """Counts up to `COUNTED` rows: counting all of a large table would take seconds for a number that nobody needs."""

    COUNTED = 1000

    @cached_property
    def count(self) -> int:
        rows = cast(QuerySet[Any], self.object_list)
        return rows.order_by()[: self.COUNTED].count()

    @property
    def is_capped(self) -> bool:
        return self.count == self.COUNTED


class LargeTable(ReadOnly, _Table[M]):
    """Mixed into an admin for very many rows that are only read: newest first, by the key, which needs no other index,
    and counted up to a limit."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator
    ordering = ["-pk"]
    sortable_by = ()
