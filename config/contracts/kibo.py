"""The Kibo contract's paths, each under `/api` and bare; before the contract that has tenants' codes there."""

from django.urls import URLPattern, re_path

from auth_providers.api.kibo.applications import ApplicationTokenViewSet, TenantViewSet
from auth_providers.api.kibo.base import KiboUnknownPath
from auth_providers.api.kibo.codes import CodeViewSet
from auth_providers.api.kibo.contract import CONTRACT
from auth_providers.api.kibo.tickets import OwnTicketViewSet
from tenants.api.base import EVERY_METHOD

__all__ = ["CONTRACT", "urlpatterns"]

# `.` would leave an encoded line break to a page of HTML.
REST = r"(/[\s\S]*)?$"


def _paths(root: str) -> list[URLPattern]:
    tickets, platform = rf"^{root}commerce/customer/authtickets", rf"^{root}platform"
    return [
        re_path(rf"{tickets}/?$", OwnTicketViewSet.as_view({"post": "log_in"})),
        re_path(rf"{tickets}/otp/request/?$", CodeViewSet.as_view({"post": "request_code"})),
        re_path(rf"{tickets}/otp/auth/?$", CodeViewSet.as_view({"post": "log_in"})),
        re_path(rf"{tickets}/2fa/request/?$", CodeViewSet.as_view({"post": "request_second_factor"})),
        re_path(rf"{tickets}/2fa/auth/?$", CodeViewSet.as_view({"post": "complete"})),
        re_path(rf"{tickets}/anonymousshopper/?$", OwnTicketViewSet.as_view({"get": "open_anonymous"})),
        re_path(rf"{tickets}/refresh/?$", OwnTicketViewSet.as_view({"put": "refresh"})),
        re_path(
            rf"{platform}/applications/authtickets/?$",
            ApplicationTokenViewSet.as_view({"post": "authenticate_by_ticket"}),
        ),
        re_path(
            rf"{platform}/applications/authtickets/oauth/?$", ApplicationTokenViewSet.as_view({"post": "authenticate"})
        ),
        re_path(rf"{platform}/tenants/(?P<number>[0-9]{{1,9}})/?$", TenantViewSet.as_view({"get": "retrieve"})),
        re_path(rf"^{root}(?:commerce|platform){REST}", KiboUnknownPath.as_view(EVERY_METHOD)),
    ]


urlpatterns = [*_paths("api/"), *_paths("")]
