"""The API keys of a shop's storefronts and servers. A secret is made by the core and shown once."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from tenants import api_keys
from tenants.back_office import returning
from tenants.back_office.fields import WordsField
from tenants.back_office.rows import TenantRowAdmin
from tenants.back_office.staff import staff_of
from tenants.models import ApiKey, Scope
from tenants.trail import audit


class ApiKeyForm(forms.ModelForm[ApiKey]):
    """A key; whether it has a secret is said when it is made."""

    has_secret = forms.BooleanField(
        required=False,
        label="For a server of the shop",
        help_text="It gets a secret, which is shown once. A page in a browser can keep none: leave it off there.",
    )
    scopes = WordsField(
        choices=Scope.choices, required=False, label="May also", help_text="Of keys with a secret only."
    )

    class Meta:
        model = ApiKey
        fields: ClassVar[list[str]] = [
            *("tenant", "name", "client_id", "has_secret", "scopes", "is_forwarding_trusted", "is_active")
        ]
        labels = {
            "name": "What it is for",
            "client_id": "Client id",
            "is_forwarding_trusted": "Believe the shopper's address that it sends",
            "is_active": "In use",
        }
        help_texts = {
            "name": "Such as Web shop.",
            "client_id": "What the storefront sends. It stays.",
            "is_forwarding_trusted": "Of keys with a secret: limits then count each shopper instead of the server.",
            "is_active": "Off: whoever sends it is refused.",
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        has_secret = bool(self.instance.secret_hash) or cleaned.get("has_secret")
        if not has_secret:
            for name in ("scopes", "is_forwarding_trusted"):
                if cleaned.get(name):
                    self.add_error(name, "Only a key with a secret can have this.")
        elif not self.instance.secret_hash:
            self.instance.secret_hash = "made when it is stored"  # noqa: S105 - so that the row's rules hold
        return cleaned


@admin.register(ApiKey)
class ApiKeyAdmin(TenantRowAdmin[ApiKey]):
    """Switched off instead of deleted: the trail names keys."""

    form = ApiKeyForm
    fixed = ("client_id",)
    list_display = ["client_id", "name", "secret", "is_active", "created_at"]
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    @admin.display(description="secret", boolean=True)
    def secret(self, key: ApiKey) -> bool:
        return bool(key.secret_hash)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        every = list(ApiKeyForm.Meta.fields)
        return [name for name in every if name != "has_secret"] if obj else every

    def get_urls(self) -> list[URLPattern]:
        secret = path(
            "<int:key_id>/secret/", self.admin_site.admin_view(self.secret_view), name="tenants_apikey_secret"
        )
        return [secret, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        """A secret is made here, and shown by the next page."""
        if not change:
            obj.secret_hash = ""
            if form.cleaned_data["has_secret"]:
                request.made_secret = api_keys.new_secret(key=obj)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        return self._show(request, obj, getattr(request, "made_secret", ""))

    @method_decorator(require_POST)
    def secret_view(self, request: HttpRequest, key_id: int) -> HttpResponse:
        """The button: another secret, from now on."""
        key = self.get_object(request, str(key_id))
        if key is None:
            raise Http404
        if not self.has_change_permission(request, key) or not key.secret_hash:
            raise PermissionDenied
        secret = api_keys.replace_secret(key=key)
        audit.record(tenant=key.tenant, action="replace_api_key_secret", reason=key.client_id, **staff_of(request))
        return self._show(request, key, secret)

    def _show(self, request: HttpRequest, key: ApiKey, secret: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Key {key.client_id}",
            "opts": self.opts,
            "key": key,
            "secret": secret,
            "home": returning.asked(request),
        }
        response = render(request, "admin/tenants/apikey/made.html", context)
        response.headers["Cache-Control"] = "no-store"
        return response
