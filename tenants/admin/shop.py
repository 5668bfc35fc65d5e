"""A shop's set-up in the back office, section by section, and a new shop."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST, require_safe

from tenants import directory, signing_keys, sites
from tenants.admin.shop_forms import LINKS, SECTIONS, NewShopForm, SectionForm
from tenants.back_office import returning, times
from tenants.back_office.rows import OnTrail, TenantRowInline, WritesChanges
from tenants.back_office.staff import SESSION_KEY, staff_of, tenant_of
from tenants.models import SigningKey, Site, Tenant
from tenants.trail import audit

GENERAL = "change"
KEYS_SHOWN = 20  # the newest


class SiteFormSet(BaseInlineFormSet[Site, Tenant, ModelForm[Site]]):
    """Sites that are added without a number get the next one. The page is one transaction."""

    def save_new(self, form: ModelForm[Site], commit: bool = True) -> Site:
        if form.instance.number is None:
            form.instance.number = sites.next_number(tenant=self.instance)
        return super().save_new(form, commit)

    def save_existing(self, form: ModelForm[Site], obj: Site, commit: bool = True) -> Site:
        """What was changed, and not what others have written meanwhile."""
        if commit:
            obj.save(update_fields=form.changed_data)
        return obj


class SiteInline(TenantRowInline[Site, Tenant]):
    model = Site
    formset = SiteFormSet
    extra = 0
    verbose_name_plural = "Sites: the storefronts of the shop, such as one for each country"


@admin.register(Tenant)
class TenantAdmin(WritesChanges[Tenant], OnTrail[Tenant], admin.ModelAdmin[Tenant]):
    """Operators see every tenant and add some, others see their own."""

    list_display = ["code", "name", "number", "is_active"]
    search_fields = ["code", "name"]
    sortable_by = ()
    inlines = [SiteInline]

    def get_urls(self) -> list[URLPattern]:
        sections = [
            path(
                f"<int:tenant_id>/{name.replace('_', '-')}/",
                self.admin_site.admin_view(self._section_view(name)),
                name=f"tenants_tenant_{name}",
            )
            for name in SECTIONS
            if name != GENERAL
        ]
        keys = [
            path(
                f"<int:tenant_id>/{name.replace('_', '-')}/",
                self.admin_site.admin_view(view),
                name=f"tenants_tenant_{name}",
            )
            for name, view in (
                ("signing_keys", self.signing_keys_view),
                ("rotate_key", self.rotate_view),
                ("replace_keys", self.replace_view),
            )
        ]
        return [*sections, *keys, *super().get_urls()]

    def _section_view(self, name: str) -> Any:
        def view(request: HttpRequest, tenant_id: int) -> HttpResponse:
            request.section = name  # type: ignore[attr-defined] # read by `section_of`
            return self.change_view(request, str(tenant_id))

        return view

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        every = super().get_queryset(request)
        own = tenant_of(request)
        return every if request.user.is_superuser else every.filter(pk__in=[own.pk] if own else [])

    def has_delete_permission(self, request: HttpRequest, obj: Tenant | None = None) -> bool:
        """`manage.py tenant delete` does it."""
        return False

    def get_form(self, request: HttpRequest, obj: Tenant | None = None, change: bool = False, **kwargs: Any) -> Any:
        base = SectionForm if obj else NewShopForm
        words = SECTIONS[section_of(request)][1] if obj else NewShopForm.words
        form = type("Form", (base,), {"words": words})
        return super().get_form(request, obj, change=change, **{**kwargs, "form": form, "fields": list(words)})

    def get_fieldsets(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        """One for each section."""
        if obj is None:
            return [(None, {"fields": list(NewShopForm.words)})]
        return [(None, {"fields": list(SECTIONS[section_of(request)][1])})]

    def get_inlines(self, request: HttpRequest, obj: Tenant | None) -> Any:
        return self.inlines if obj and section_of(request) == GENERAL else []

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        tenant: Tenant | None = context["original"]
        section = section_of(request)
        context["title"] = f"{tenant.name}: {SECTIONS[section][0]}" if tenant else "Add a shop"
        context["section"] = section
        if tenant and section == "mail":
            words = SECTIONS["mail"][1]
            context["missing"] = [
                f"{words[name][0]}: none yet, so that mails lead to one of Patron's. {what}"
                for name, what in LINKS.items()
                if not getattr(tenant, name)
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        """The core makes a new shop, which the member of staff works for from then on."""
        if change:
            super().save_model(request, obj, form, change)
            return
        made, _ = directory.create_tenant(**form.cleaned_data)
        obj.pk, obj.number = made.pk, made.number
        obj.code, obj.name = made.code, made.name
        request.session[SESSION_KEY] = made.pk

    def response_add(self, request: HttpRequest, obj: Tenant, post_url_continue: str | None = None) -> HttpResponse:
        said = f"{obj.name} is there. Give it a key for its storefront, and the ways in which its customers log in."
        messages.success(request, said)
        return HttpResponseRedirect(reverse("admin:tenants_tenant_change", args=[obj.pk]))

    def response_change(self, request: HttpRequest, obj: Tenant) -> HttpResponse:
        """Back to the section."""
        messages.success(request, "Saved.")
        return HttpResponseRedirect(reverse(f"admin:tenants_tenant_{section_of(request)}", args=[obj.pk]))

    # -- signing keys -------------------------------------------------------------------------------------------------

    @method_decorator(require_safe)
    def signing_keys_view(self, request: HttpRequest, tenant_id: int) -> HttpResponse:
        """Which key signs, how old it is, and which are still believed."""
        tenant = self._changeable(request, tenant_id)
        published = {key.pk for key in signing_keys.published(tenant=tenant)}
        rows, now = [], timezone.now()
        for key in SigningKey.objects.for_tenant(tenant).order_by("-signs_from", "-pk")[:KEYS_SHOWN]:
            is_waiting = key.signs_from > now
            state = "revoked" if key.is_revoked else "signs soon" if is_waiting else "signed before"
            rows.append(
                {"key": key, "age": (now - key.created_at).days, "state": state, "is_believed": key.pk in published}
            )
        current = next((row for row in rows if row["state"] == "signed before"), None)
        if current:
            current["state"] = "signs"
        context = {
            **self.admin_site.each_context(request),
            "title": f"{tenant.name}: Signing keys",
            "opts": self.opts,
            "original": tenant,
            "section": "signing_keys",
            "rows": rows,
        }
        return render(request, "admin/tenants/tenant/signing_keys.html", context)

    @method_decorator(require_POST)
    def rotate_view(self, request: HttpRequest, tenant_id: int) -> HttpResponse:
        """The button: a new key takes over in ten minutes."""
        tenant = self._changeable(request, tenant_id)
        key, is_new = signing_keys.rotate(tenant=tenant)
        if is_new:
            audit.record(tenant=tenant, action="rotate_signing_key", reason=key.kid, **staff_of(request))
        said = "A new key takes over" if is_new else "A key waits already, and takes over"
        messages.success(request, f"{said} at {times.to_the_second(key.signs_from)}.")
        return self._to_keys(tenant, request)

    @method_decorator(require_POST)
    def replace_view(self, request: HttpRequest, tenant_id: int) -> HttpResponse:
        """The button for a key that somebody else may have: all keys there are end now."""
        tenant = self._changeable(request, tenant_id)
        if request.POST.get("code", "").strip().lower() != tenant.code:
            messages.error(request, f"Nothing was done: type the shop's code, {tenant.code}.")
            return self._to_keys(tenant, request)
        key = signing_keys.replace_compromised(tenant=tenant)
        audit.record(tenant=tenant, action="replace_signing_keys", reason=key.kid, **staff_of(request))
        messages.success(request, "Every key of before is refused now, and a new one signs.")
        return self._to_keys(tenant, request)

    def _changeable(self, request: HttpRequest, tenant_id: int) -> Tenant:
        """Raises `Http404` for a tenant that is not at hand, and `PermissionDenied`."""
        tenant = self.get_object(request, str(tenant_id))
        if tenant is None:
            raise Http404
        if not self.has_change_permission(request, tenant):
            raise PermissionDenied
        return tenant

    def _to_keys(self, tenant: Tenant, request: HttpRequest) -> HttpResponse:
        return returning.back(request, reverse("admin:tenants_tenant_signing_keys", args=[tenant.pk]))


def section_of(request: HttpRequest) -> str:
    """Which part of the set-up the page is about."""
    return str(getattr(request, "section", GENERAL))
