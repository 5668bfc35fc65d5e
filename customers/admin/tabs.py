"""The tabs of the customer's page, each with an address of its own, under a head that all of them show."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST, require_safe

from customers import consents, notes
from customers.addresses import addresses, fields
from customers.admin.records import TABS, CustomerRecordAdmin
from customers.models import Address, Customer
from customers.models.profile import TEXT_MAX_LENGTH
from tenants import codes
from tenants.back_office import returning
from tenants.back_office.staff import staff_of
from tenants.errors import InvalidInput
from tenants.trail import audit

VIEWED = "view_profile"
CONSENTS_SHOWN = 50
# What a tab shows, given the customer and the head.
Fill = Callable[[Customer, dict[str, Any]], dict[str, Any]]
# In the order of an address on paper: who, where, and how to reach them.
TEXTS = sorted(
    fields.TEXT_FIELDS, key=lambda name: (name not in ("contact_name", "company_name"), name == "contact_phone")
)


def record_view(request: HttpRequest, customer: Customer) -> None:
    """Put on the trail who looked at the customer's page. HEAD shows nothing, and changes nothing."""
    if request.method != "HEAD":
        audit.record(tenant=customer.tenant, action=VIEWED, customer_number=customer.number, **staff_of(request))


def _countries() -> list[tuple[str, str]]:
    return [("", "-"), *codes.country_choices()]


def _address_field(name: str) -> forms.Field:
    """What staff write one of an address's texts in."""
    if name == "country":
        return forms.ChoiceField(choices=_countries)
    return forms.CharField(max_length=TEXT_MAX_LENGTH, required=name == "contact_name")


class AddressForm(forms.Form):
    """An address as staff write it, with every text that an address has. `version` is that of the address they saw, ""
    for a new one."""

    is_default = forms.BooleanField(required=False, label="Default address")
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    field_order = TEXTS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.update({name: _address_field(name) for name in TEXTS})
        self.order_fields(self.field_order)

    def changes(self) -> fields.AddressChanges:
        """What was entered, by the core's names; what was emptied is deleted."""
        entered = {name: self.cleaned_data[name] or None for name in TEXTS}
        return fields.changes_of({**entered, "is_default": self.cleaned_data["is_default"]})


class CustomerTabsAdmin(CustomerRecordAdmin):
    """The page's frame, and the tabs about what this app knows."""

    def get_urls(self) -> list[URLPattern]:
        views: list[tuple[str, str, Callable[..., HttpResponse]]] = [
            ("addresses", "addresses/", self.addresses_view),
            ("add_address", "addresses/add/", self.add_address_view),
            ("change_address", "addresses/<str:public_id>/change/", self.change_address_view),
            ("remove_address", "addresses/<str:public_id>/remove/", self.remove_address_view),
            ("consents", "consents/", self.consents_view),
            ("change_consent", "consents/change/", self.change_consent_view),
        ]
        ours = [
            path(f"<int:customer_id>/{route}", self.admin_site.admin_view(view), name=f"customers_customer_{name}")
            for name, route, view in views
        ]
        return [*ours, *super().get_urls()]

    def head(self, request: HttpRequest, customer: Customer, tab: str) -> dict[str, Any]:
        """What every tab shows above its own; `home` is where a page with a form of its own leads back to."""
        shown = [(name, label, reverse(f"admin:customers_customer_{name}", args=[customer.pk])) for name, label in TABS]
        own = next(address for name, _, address in shown if name == tab)
        here = request.get_full_path() if request.path == own else own
        return {
            "tabs": shown,
            "tab": tab,
            "home": returning.asked(request, here),
            "original": customer,
            "standing": standing_of(customer),
            "may_change": self.has_change_permission(request, customer),
        }

    def tab_page(
        self, request: HttpRequest, customer_id: int, tab: str, fill: Callable[[Customer, dict[str, Any]], Any]
    ) -> HttpResponse:
        """A tab, and on the trail who looked at it. Nothing is shown of who is erased: the worker deletes it later."""
        customer = self.get_object(request, str(customer_id))
        if customer is None:
            raise Http404
        if not self.has_view_permission(request, customer):
            raise PermissionDenied
        record_view(request, customer)
        head = self.head(request, customer, tab)
        context = {
            **self.admin_site.each_context(request),
            **head,
            **(fill(customer, head) if customer.is_there else {}),
            "title": str(customer),
            "opts": self.opts,
        }
        return TemplateResponse(request, f"admin/customers/customer/{tab}.html", context)

    @method_decorator(require_safe)
    def addresses_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        return self.tab_page(request, customer_id, "addresses", lambda customer, head: {"addresses": _shown(customer)})

    def add_address_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        return self._edit_address(request, customer_id, None)

    def change_address_view(self, request: HttpRequest, customer_id: int, public_id: str) -> HttpResponse:
        return self._edit_address(request, customer_id, public_id)

    @method_decorator(require_POST)
    def remove_address_view(self, request: HttpRequest, customer_id: int, public_id: str) -> HttpResponse:
        return self.press(
            request,
            customer_id,
            lambda customer: addresses.remove(
                tenant=customer.tenant, customer=customer, public_id=public_id, **staff_of(request)
            ),
            "Deleted the address.",
        )

    def _edit_address(self, request: HttpRequest, customer_id: int, public_id: str | None) -> HttpResponse:
        """The form for a new address or for one of the customer's."""
        customer = self.customer_to_change(request, customer_id)
        stored = [each for each in _addresses(customer) if each.public_id == public_id]
        if public_id is not None and not stored:
            raise Http404
        initial = {**vars(stored[0])} if stored else {"country": customer.tenant.default_country}
        form = AddressForm(request.POST or None, initial=initial)
        if request.method == "POST" and form.is_valid():
            return self.press(
                request, customer_id, lambda customer: _write(customer, public_id, form, request), "Saved the address."
            )
        return self.tab_page(
            request, customer_id, "addresses", lambda customer, head: {"addresses": _shown(customer), "form": form}
        )

    @method_decorator(require_safe)
    def consents_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        return self.tab_page(
            request,
            customer_id,
            "consents",
            lambda customer, head: {
                "consents": consents.current(tenant=customer.tenant, customer=customer),
                "consent_history": consents.history(tenant=customer.tenant, customer=customer)[:CONSENTS_SHOWN],
            },
        )

    @method_decorator(require_POST)
    def change_consent_view(self, request: HttpRequest, customer_id: int) -> HttpResponse:
        purpose, is_given = request.POST.get("purpose", "").strip(), request.POST.get("is_given") == "yes"
        reason = request.POST.get("reason", "").strip()

        def act(customer: Customer) -> None:
            if not reason:
                raise InvalidInput.field("reason", "Say how the customer said so.", code="required")
            consents.record(
                tenant=customer.tenant,
                customer=customer,
                given={purpose: is_given},
                source=f"staff: {reason}",
                **staff_of(request),
            )

        return self.press(request, customer_id, act, f"Recorded the statement about {purpose}.")


def standing_of(customer: Customer) -> str:
    """The customer's state in a word or two."""
    if customer.erased_at:
        return "erased"
    if customer.merged_into_id:
        return "merged"
    if not customer.is_active:
        return "inactive"
    return "on hold" if customer.is_on_hold else "active"


def notes_of(customer: Customer) -> list[Any]:
    """The notes, newest first."""
    return notes.list_for(tenant=customer.tenant, customer=customer)


def _addresses(customer: Customer) -> list[Address]:
    return addresses.list_for(tenant=customer.tenant, customer=customer)


def _shown(customer: Customer) -> list[tuple[Address, list[str]]]:
    """The default address first."""
    return [
        (each, fields.lines_of(each)) for each in sorted(_addresses(customer), key=lambda each: not each.is_default)
    ]


def _write(customer: Customer, public_id: str | None, form: AddressForm, request: HttpRequest) -> None:
    tenant, values = customer.tenant, form.changes()
    if public_id is None:
        addresses.add(tenant=tenant, customer=customer, values=values, **staff_of(request))
        return
    addresses.update(
        tenant=tenant,
        customer=customer,
        public_id=public_id,
        changes=values,
        expected_version=form.cleaned_data["version"],
        **staff_of(request),
    )
