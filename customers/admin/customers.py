"""Customers in the back office: finding one, reading and changing the profile; companies; schemas of mixins.

`auth_providers.admin` adds log-ins, sessions and the trail, and registers the result: that app knows both.
"""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from customers import legal_entities, mixins, profiles
from customers.admin.data_tab import DataTabAdmin
from customers.admin.forms import (
    AssignmentForm,
    AssignmentFormSet,
    LegalEntityForm,
    MixinSchemaForm,
    ProfileForm,
    SegmentForm,
)
from customers.admin.results import FoundCustomers, ViewFilter
from customers.admin.tabs import record_view, standing_of
from customers.models import (
    ContactAssignment,
    Customer,
    LegalEntity,
    MixinSchema,
    PostalCode,
    Segment,
    SegmentMembership,
)
from customers.postal_codes import localities
from tenants import codes
from tenants.back_office.rows import LargeTable, TenantRowAdmin, TenantRowInline
from tenants.back_office.staff import staff_of
from tenants.models import Tenant


class CustomerAdmin(DataTabAdmin):
    form = ProfileForm
    list_display = ["number", "name", "standing", "contact_email", "contact_phone", "company"]
    list_display_links = ["number", "name"]
    list_filter = [ViewFilter]
    search_fields = ["number"]  # shows the search box; `get_search_results` says what it finds
    search_help_text = "Name, e-mail, phone, number, address, company or card, whole or in part; all words must fit"
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # they count every row
    ordering = ["-pk"]
    sortable_by = ()
    fieldsets = [
        (
            "Person",
            {
                "fields": [
                    ("title", "first_name"),
                    ("middle_name", "last_name"),
                    ("sex", "birth_date", "nationality"),
                ]
            },
        ),
        ("Contact", {"fields": [("contact_email", "contact_phone")]}),
        ("Company", {"fields": [("company", "company_registration_id")]}),
        ("Preferences", {"fields": [("preferred_language", "preferred_currency", "preferred_site")]}),
        ("In the shop", {"fields": ["advisor", ("is_prospect", "is_activated")]}),
    ]

    @admin.display(empty_value="-")
    def name(self, customer: Customer) -> str:
        return " ".join(part for part in (customer.first_name, customer.last_name) if part)

    @admin.display(description="status")
    def standing(self, customer: Customer) -> str:
        return standing_of(customer)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Customers sign up themselves."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        """An erased customer has nothing to change, nor has one who was merged into another."""
        return super().has_change_permission(request, obj) and not (obj and not obj.is_there)

    def has_delete_permission(self, request: HttpRequest, obj: Customer | None = None) -> bool:
        """The number and the audit trail of a customer are kept: customers are erased, not deleted."""
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """The list searches itself (`FoundCustomers`)."""
        return queryset, False

    def by_log_in(self, tenant: Tenant, word: str, *, is_whole: bool = False) -> list[int]:
        """The keys of customers who log in with what the word is a part of (`finding.ByLogIn`). The next app knows
        log-ins."""
        return []

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return FoundCustomers

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Customer | None:
        """A POST locks the row until it is done, so that what was checked is what is saved."""
        if request.method == "POST" and object_id.isdecimal():
            list(Customer.objects.select_for_update().filter(pk=object_id).values("pk"))
        return super().get_object(request, object_id, from_field)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        return super().get_queryset(request).select_related("tenant")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {"title": "Customers", **(extra_context or {})})

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        """The core writes the change: audited, and with the next version."""
        changes = form.changes()
        if changes:
            profiles.update(
                tenant=obj.tenant,
                customer=obj,
                changes=changes,
                expected_version=form.cleaned_data["expected_version"],
                **staff_of(request),
            )

    def log_change(self, *args: Any, **kwargs: Any) -> Any:
        """The core has put the change on the audit trail."""

    def history_query(self, obj: Customer) -> dict[str, str]:
        return {"q": obj.number}

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        """The audit trail records who looks at a customer."""
        response = super().change_view(request, object_id, *args, **kwargs)
        customer = getattr(response, "context_data", {}).get("original")
        if customer is not None:
            record_view(request, customer)
        return response

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        head = self.head(request, context["original"], "change")
        return super().render_change_form(request, {**context, **head}, *args, **kwargs)


@admin.register(MixinSchema)
class MixinSchemaAdmin(TenantRowAdmin[MixinSchema]):
    form = MixinSchemaForm
    fixed = ("url",)
    fields = ["tenant", "url", "schema"]
    list_display = ["url", "created_at"]
    search_fields = ["url"]

    def has_delete_permission(self, request: HttpRequest, obj: MixinSchema | None = None) -> bool:
        """Profiles refer to it: without it they could not be changed."""
        return False

    def save_model(self, request: HttpRequest, obj: MixinSchema, form: Any, change: bool) -> None:
        registered, _ = mixins.register(tenant=obj.tenant, url=obj.url, schema=obj.schema)
        obj.pk = registered.pk


class AssignmentInline(TenantRowInline[ContactAssignment, LegalEntity]):
    """The customers who act for the company. An assignment is added or removed, never changed."""

    model = ContactAssignment
    form = AssignmentForm
    formset = AssignmentFormSet
    fields = ["customer_number", "name", "public_id"]
    readonly_fields = ["name", "public_id"]
    extra = 1
    verbose_name = "customer"
    verbose_name_plural = "Customers who act for it"

    @admin.display(description="Customer number")
    def customer_number(self, assignment: ContactAssignment) -> str:
        return assignment.customer.number

    @admin.display(description="Name")
    def name(self, assignment: ContactAssignment) -> str:
        if assignment._state.adding:
            return ""
        page = reverse("admin:customers_customer_change", args=[assignment.customer_id])
        return format_html('<a href="{}">{}</a>', page, assignment.customer)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContactAssignment]:
        return super().get_queryset(request).select_related("customer").filter(customer__erased_at=None)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LegalEntity)
class LegalEntityAdmin(TenantRowAdmin[LegalEntity]):
    form = LegalEntityForm
    fixed = ("public_id",)
    fields = ["tenant", "name", "public_id"]
    list_display = ["name", "public_id"]
    search_fields = ["name", "public_id"]
    inlines = [AssignmentInline]

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """The core writes assignments: within one tenant, and audited."""
        formset.save(commit=False)
        entity = form.instance
        for assignment in formset.deleted_objects:
            legal_entities.unassign(tenant=entity.tenant, assignment=assignment, **staff_of(request))
        for assignment in formset.new_objects:
            legal_entities.assign(
                tenant=entity.tenant, customer=assignment.customer, legal_entity=entity, **staff_of(request)
            )


@admin.register(Segment)
class SegmentAdmin(TenantRowAdmin[Segment]):
    form = SegmentForm
    fixed = ("code",)
    fields = ["tenant", "code", "name", "description"]
    list_display = ["code", "name", "created_at"]
    search_fields = ["code", "name"]
    actions = None  # deleting many at once would not ask whether a segment is empty

    def has_delete_permission(self, request: HttpRequest, obj: Segment | None = None) -> bool:
        """Only an empty segment is deleted: taking a customer out is recorded in the audit trail."""
        may = super().has_delete_permission(request, obj)
        return may and not (obj and SegmentMembership.objects.for_tenant(obj.tenant).filter(segment=obj).exists())


@admin.register(PostalCode)
class PostalCodeAdmin(LargeTable[PostalCode], admin.ModelAdmin[PostalCode]):
    """What `manage.py import_postal_codes` has stored."""

    list_display = ["country", "code", "locality", "region", "region_code"]
    search_fields = ["code"]  # shows the search box; `get_search_results` says what it finds
    search_help_text = "A country code, a whole postal code, the beginning of a locality; all of them must fit"
    ordering = ["pk"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[PostalCode], search_term: str
    ) -> tuple[QuerySet[PostalCode], bool]:
        for word in search_term.split():
            if any(map(str.isdigit, word)):
                # The index begins with the country: it is used only if the query names countries, even all of them.
                fits = Q(country__in=codes.countries(), code=localities.stored_code(word))
            else:
                is_country = word.upper() in codes.countries()
                fits = Q(country=word.upper()) if is_country else Q(locality__istartswith=word)
            queryset = queryset.filter(fits)
        return queryset, False
