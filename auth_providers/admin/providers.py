"""The ways in which a shop's customers log in, a card each: set up, tested, switched off."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from auth_providers.admin.provider_forms import ENTRY, AuthProviderForm, columns_of, entries_of, form_of
from auth_providers.models import PASSWORD, TOTP, AuthProvider
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import kinds, registry, setup
from auth_providers.providers.kind import BuiltIn
from auth_providers.providers.kinds import KindClass
from tenants.back_office import returning
from tenants.back_office.rows import TenantRowAdmin

LONGEST_MESSAGE = 600  # characters; it travels in a cookie
ON_WITHOUT_A_ROW = (PASSWORD, TOTP)


@admin.register(AuthProvider)
class AuthProviderAdmin(TenantRowAdmin[AuthProvider]):
    """Log-ins name their provider, so its name and kind stay and it is switched off instead of deleted."""

    form = AuthProviderForm
    fixed = ("name",)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """A card for each kind, with the providers of it."""
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        own = list(self.get_queryset(request).order_by("name"))
        cards = [
            {
                "name": kind.name,
                "label": kind.label,
                "help": kind.help,
                "providers": [each for each in own if each.kind == kind.name],
                "is_on_anyway": kind.name in ON_WITHOUT_A_ROW,
                "is_once": issubclass(kind, BuiltIn),
            }
            for kind in kinds.by_name().values()
        ]
        context = {
            **self.admin_site.each_context(request),
            "title": "Log-in methods",
            "opts": self.opts,
            "cards": cards,
            "may_change": self.has_change_permission(request),
        }
        return render(request, "admin/auth_providers/authprovider/cards.html", context)

    def get_form(self, request: HttpRequest, obj: AuthProvider | None = None, change: bool = False, **kw: Any) -> Any:
        kind = _kind(request, obj)
        columns = [name for name in columns_of(kind) if name not in self.get_readonly_fields(request, obj)]
        return super().get_form(request, obj, change=change, **{**kw, "form": form_of(kind), "fields": columns})

    def get_fieldsets(self, request: HttpRequest, obj: AuthProvider | None = None) -> Any:
        kind = _kind(request, obj)
        entries = [ENTRY + entry.name for entry in entries_of(kind)]
        return [(None, {"description": kind.help, "fields": [*columns_of(kind), *entries]})]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Of one kind; without it, the cards."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if _asked(request) not in kinds.by_name():
            return HttpResponseRedirect(reverse("admin:auth_providers_authprovider_changelist"))
        return super().add_view(request, form_url, extra_context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        kind = _kind(request, context["original"])
        context["title"] = f"Log-in methods: {kind.label}"
        return super().render_change_form(request, context, *args, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: AuthProvider | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: AuthProvider, form: AuthProviderForm, change: bool) -> None:
        provider, _ = registry.configure(
            tenant=obj.tenant,
            name=obj.name,
            secret=form.cleaned_data.get("client_secret") or None,
            settings=form.chosen(),
        )
        obj.pk = provider.pk

    def get_urls(self) -> list[URLPattern]:
        test = path(
            "<int:provider_id>/test/",
            self.admin_site.admin_view(self.test_view),
            name="auth_providers_authprovider_test",
        )
        return [test, *super().get_urls()]

    @method_decorator(require_POST)
    def test_view(self, request: HttpRequest, provider_id: int) -> HttpResponse:
        """The button: fetch what the provider says about itself, as a log-in would."""
        provider = self.get_object(request, str(provider_id))
        if provider is None:
            raise Http404
        if not self.has_change_permission(request, provider):
            raise PermissionDenied
        try:
            self.message_user(request, f"{provider.name}: {setup.test(provider)}", messages.SUCCESS)
        except ProviderUnavailable as error:
            words = f"{provider.name}: It does not work: {setup.explain(error)}"
            self.message_user(request, words[:LONGEST_MESSAGE], messages.ERROR)
        return returning.back(request, reverse("admin:auth_providers_authprovider_change", args=[provider.pk]))


def _asked(request: HttpRequest) -> str:
    return request.POST.get("kind") or request.GET.get("kind", "")


def _kind(request: HttpRequest, obj: AuthProvider | None) -> KindClass:
    """That of the row, or else the one that the page was opened for; the first one where it is none."""
    known = kinds.by_name()
    return known.get(obj.kind if obj else _asked(request)) or next(iter(known.values()))
