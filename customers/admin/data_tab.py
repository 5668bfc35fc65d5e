"""The tab about what a shop knows beyond the profile: segments, companies, identifiers, properties and mixins."""

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST, require_safe

from customers import identifiers, profiles
from customers.admin import found_records, mixin_forms
from customers.admin.mixin_forms import MixinForm, NewMixinForm
from customers.admin.overtaken import OvertakenForm
from customers.admin.properties_form import PropertiesForm
from customers.admin.schema_fields import title_of
from customers.admin.tabs import CustomerTabsAdmin
from customers.models import Customer, MixinSchema
from tenants.back_office.staff import staff_of
from tenants.errors import InvalidInput

OFFERED = 200  # schemas to choose from


class DataTabAdmin(CustomerTabsAdmin):
    """Each button makes one call of the core."""

    def get_urls(self) -> list[URLPattern]:
        views: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("data", "data/", self.data_view),
            ("mixin", "data/mixin/", self.mixin_view),
            ("remove_mixin", "data/mixin/remove/", self.remove_mixin_view),
            ("properties", "data/properties/", self.properties_view),
        ]
        ours = [
            path(f"<int:customer_id>/{route}", self.admin_site.admin_view(view), name=f"customers_customer_{name}")
            for name, route, view in views
        ]
        return [*ours, *super().get_urls()]

    @method_decorator(require_safe)
    def data_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        return self.tab_page(request, customer_id, "data", lambda customer, head: _data(customer))

    def mixin_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        """The form of the mixin `key`; of a new one by the `schema` that was chosen, and without any, the choice."""
        customer = self.customer_to_change(request, customer_id)
        asked = {name: request.GET[name] for name in ("key", "schema") if name in request.GET}
        if asked.get("key") not in customer.mixins:
            choice = NewMixinForm(asked or None, schemas=_offered(customer))
            if not choice.is_valid():
                shown = {"choice": choice}
                return self.tab_page(request, customer_id, "data", lambda customer, head: {**_data(customer), **shown})
            asked = choice.cleaned_data
        form = _form(request, customer, asked["key"], asked.get("schema"))
        if request.method == "POST" and form.is_valid():
            return self._save(request, customer_id, form, form.key)
        about = f"{form.key}, as {form.url} describes it"
        return self._form_page(request, customer_id, form, title=title_of({}, form.key), about=about)

    def properties_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        """The form of the customer's properties."""
        form = PropertiesForm(request.POST or None, customer=self.customer_to_change(request, customer_id))
        if request.method == "POST" and form.is_valid():
            return self._save(request, customer_id, form, "the properties")
        return self._form_page(request, customer_id, form, title="Properties", about="as storefronts sent them")

    def _form_page(
        self, request: HttpRequest, customer_id: int, form: OvertakenForm, *, title: str, about: str
    ) -> HttpResponse:
        shown = {"form": form, "form_title": title, "form_about": about}
        return self.tab_page(request, customer_id, "data", lambda customer, head: {**_data(customer), **shown})

    def _save(self, request: HttpRequest, customer_id: int, form: OvertakenForm, what: str) -> HttpResponse:
        changes = form.changes()

        def act(customer: Customer) -> None:
            if changes:
                profiles.update(
                    tenant=customer.tenant,
                    customer=customer,
                    changes=changes,
                    expected_version=form.cleaned_data["expected_version"],
                    **staff_of(request),
                )

        return self.press(request, customer_id, act, f"Saved {what}." if changes else "Nothing was changed.")

    @method_decorator(require_POST)
    def remove_mixin_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        key = request.POST.get("key", "")

        def act(customer: Customer) -> None:
            if key not in customer.mixins:
                raise InvalidInput.field("key", "The customer has no such data any more.")
            gone = profiles.changes_of({"mixins": {key: None}, "mixin_schemas": {key: None}})
            profiles.update(tenant=customer.tenant, customer=customer, changes=gone, **staff_of(request))

        return self.press(request, customer_id, act, f"Removed {key}.")


def _data(customer: Customer) -> dict[str, Any]:
    """What the tab shows."""
    found = found_records.find(customer)
    return {
        "identifiers": found.identifiers,
        "properties": json.dumps(customer.properties, indent=2, ensure_ascii=False) if customer.properties else "",
        "mixins": [
            mixin_forms.read(key, value, found.schemas.get(str(customer.mixin_schemas.get(key))))
            for key, value in customer.mixins.items()
        ],
        "memberships": found.segments,
        "other_segments": found.other_segments,
        "companies": found.companies,
        "identifier_names": identifiers.names_in_use(tenant=customer.tenant),
    }


def _offered(customer: Customer) -> list[tuple[str, str]]:
    """The schemas that a new mixin may have, by URL."""
    found = MixinSchema.objects.for_tenant(customer.tenant).order_by("url").values_list("url", "schema")[:OFFERED]
    return [(url, title_of(schema, url)) for url, schema in found]


def _form(request: HttpRequest, customer: Customer, key: str, chosen: str | None) -> MixinForm:
    """Of the mixin that the customer has, or of a new one. Where no schema is registered any more, it is JSON."""
    url = str(customer.mixin_schemas.get(key) if key in customer.mixins else chosen)
    found = MixinSchema.objects.for_tenant(customer.tenant).filter(url=url).first()
    schema: Any = found.schema if found else {}
    return MixinForm(request.POST or None, customer=customer, key=key, url=url, schema=schema)
