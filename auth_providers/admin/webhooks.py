"""The shop's endpoints in the back office: where events go, the secret that signs them, and a button to try."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from auth_providers.admin.forms import CalledUrl
from auth_providers.messaging import webhook_delivery, webhook_endpoints
from auth_providers.models import WebhookEndpoint
from auth_providers.outbound.http_client import ProviderUnavailable
from tenants.back_office import returning
from tenants.back_office.fields import WordsField
from tenants.back_office.rows import TenantRowAdmin
from tenants.models.loaded import Loaded
from tenants.trail.event_types import EventType


class WebhookEndpointForm(forms.ModelForm[WebhookEndpoint]):
    """An endpoint. Its secret is made here, so the form has no field for it."""

    event_types = WordsField(
        choices=EventType.choices,
        required=False,
        label="Events that it is told of",
        help_text="Without any, only flows call it.",
    )

    def clean_event_types(self) -> str:
        """Set at once, with the place in the feed from which it is told."""
        types: str = self.cleaned_data["event_types"]
        webhook_endpoints.listen(endpoint=self.instance, types=types.split())
        return types

    class Meta:
        model = WebhookEndpoint
        fields = ["tenant", "name", "url", "is_enabled", "event_types", "has_personal_data", "owner_email"]
        field_classes = {"url": CalledUrl}
        labels = {
            "url": "URL",
            "is_enabled": "In use",
            "has_personal_data": "With the customer's data",
            "owner_email": "Whoever looks after it",
        }


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(TenantRowAdmin[WebhookEndpoint]):
    """Flows and the outbox name endpoints, so the name stays."""

    form = WebhookEndpointForm
    fixed = ("name",)
    fields = ["tenant", "name", "url", "is_enabled", "event_types", "has_personal_data", "owner_email", "failing_since"]
    readonly_fields = ["failing_since"]
    list_display = ["name", "url", "is_enabled", "failing_since"]
    list_filter = ["is_enabled"]
    search_fields = ["name", "url"]

    def save_model(self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
        else:
            self._give_secret(request, obj)

    def _give_secret(self, request: HttpRequest, endpoint: WebhookEndpoint) -> None:
        loaded = Loaded(endpoint)
        secret = webhook_endpoints.new_secret(endpoint=endpoint)
        loaded.save()
        self.message_user(request, f"Its secret, shown this once: {secret}", messages.WARNING)

    def get_urls(self) -> list[URLPattern]:
        buttons = [
            path(
                f"<int:endpoint_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"auth_providers_webhookendpoint_{name}",
            )
            for name, view in (("test", self.test_view), ("secret", self.secret_view))
        ]
        return [*buttons, *super().get_urls()]

    @method_decorator(require_POST)
    def test_view(self, request: HttpRequest, endpoint_id: int) -> HttpResponse:
        """The button: send an event of the type `test` now, and show the result."""
        endpoint = self._changeable(request, endpoint_id)
        try:
            webhook_delivery.send_test(endpoint)
        except (ProviderUnavailable, webhook_delivery.NotTaken) as error:
            cause = error.__cause__
            reason = f" ({type(cause).__name__}: {cause})" if cause else ""
            self.message_user(request, f"It did not take the event: {error}{reason}"[:600], messages.ERROR)
        else:
            self.message_user(request, "It took the event.", messages.SUCCESS)
        return _back_to(endpoint, request)

    @method_decorator(require_POST)
    def secret_view(self, request: HttpRequest, endpoint_id: int) -> HttpResponse:
        """The button: a new secret; for a day, what is sent is signed by the old one as well."""
        endpoint = self._changeable(request, endpoint_id)
        self._give_secret(request, endpoint)
        self.log_change(request, endpoint, "Gave it a new secret.")
        return _back_to(endpoint, request)

    def _changeable(self, request: HttpRequest, endpoint_id: int) -> WebhookEndpoint:
        endpoint = self.get_object(request, str(endpoint_id))
        if endpoint is None:
            raise Http404
        if not self.has_change_permission(request, endpoint):
            raise PermissionDenied
        return endpoint


def _back_to(endpoint: WebhookEndpoint, request: HttpRequest) -> HttpResponse:
    return returning.back(request, reverse("admin:auth_providers_webhookendpoint_change", args=[endpoint.pk]))
