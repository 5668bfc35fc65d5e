"""The authenticator apps of staff: for operators."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from tenants.models import StaffAuthenticator, enrol_staff


@admin.register(StaffAuthenticator)
class StaffAuthenticatorAdmin(admin.ModelAdmin[StaffAuthenticator]):
    """Added and deleted, never changed; what the app is set up with is shown once."""

    fields = ["user", "name"]
    list_display = ["user", "name", "created_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["user__username"]

    def has_change_permission(self, request: HttpRequest, obj: StaffAuthenticator | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: StaffAuthenticator, form: Any, change: bool) -> None:
        device, codes = enrol_staff(user_id=obj.user_id, name=obj.name)
        obj.pk = device.pk
        said = f"For the app, shown this once: {device.uri} - recovery codes: {' '.join(codes)}"
        self.message_user(request, said, messages.WARNING)
