"""The back office: Django's admin, with a second factor."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.response import TemplateResponse

from config.staff_login import StaffLoginForm
from tenants import staff_trail
from tenants.api.caller import client_of

# The apps in the order in which staff need them, and what they call those that are not ours.
ORDER = ["customers", "auth_providers", "tenants", "auth"]
TITLES = {"auth": "Staff"}


class BackOffice(AdminSite):
    site_header = "Patron"
    site_title = "Patron"
    index_title = "Back office"
    site_url = "/"
    enable_nav_sidebar = True
    login_form = StaffLoginForm

    def has_permission(self, request: HttpRequest) -> bool:
        """Active staff, and where the deployment asks for it, those whose second factor was seen."""
        if not super().has_permission(request):
            return False
        return not settings.STAFF_SECOND_FACTOR or bool(request.user.is_verified())  # type: ignore[union-attr]

    def logout(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """Leaving is on the staff's trail, too."""
        if request.method == "POST" and request.user.is_authenticated:
            staff_trail.record(
                action=staff_trail.LOG_OUT, username=request.user.get_username(), client=client_of(request)
            )
        return super().logout(request, extra_context)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        apps = super().get_app_list(request, app_label)
        for app in apps:
            app["name"] = TITLES.get(app["app_label"], app["name"])
        return sorted(apps, key=lambda app: ORDER.index(app["app_label"]) if app["app_label"] in ORDER else len(ORDER))
