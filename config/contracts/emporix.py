"""The Emporix contract's paths, in the order of its document. Every path tolerates a trailing slash."""

from typing import Any

from django.urls import re_path

from auth_providers.api.emporix.anonymous import AnonymousViewSet
from auth_providers.api.emporix.contract import CONTRACT
from auth_providers.api.emporix.customer_sessions import CustomerSessionViewSet
from auth_providers.api.emporix.federated_log_in import FederatedLogInViewSet
from auth_providers.api.emporix.mailed_tokens import MailedTokenViewSet
from auth_providers.api.emporix.profile import DeletableProfileViewSet, OwnLogInViewSet
from customers.api.emporix.addresses import AddressViewSet
from tenants.api.base import EVERY_METHOD
from tenants.api.emporix.base import EmporixUnknownPath

__all__ = ["CONTRACT", "urlpatterns"]

TENANT = r"^customer/(?P<tenant>[^/]+)"
# `.` would leave an encoded line break to a page of HTML.
REST = r"(/[\s\S]*)?$"
ADDRESS = rf"{TENANT}/me/addresses/(?P<address>[^/]+)"

RESOURCE: dict[str, Any] = {"get": "retrieve", "patch": "update", "put": "update", "delete": "destroy"}

urlpatterns = [
    re_path(rf"{TENANT}/me/?$", DeletableProfileViewSet.as_view(RESOURCE)),
    re_path(rf"{TENANT}/me/addresses/?$", AddressViewSet.as_view({"get": "list", "post": "create"})),
    re_path(rf"{ADDRESS}/?$", AddressViewSet.as_view(RESOURCE)),
    re_path(rf"{ADDRESS}/tags/?$", AddressViewSet.as_view({"post": "add_tags", "delete": "remove_tags"})),
    re_path(rf"{TENANT}/me/accounts/internal/?$", OwnLogInViewSet.as_view({"post": "add"})),
    re_path(
        rf"{TENANT}/me/accounts/internal/email/change/?$", OwnLogInViewSet.as_view({"post": "request_email_change"})
    ),
    re_path(
        rf"{TENANT}/me/accounts/internal/email/change/confirm/?$",
        MailedTokenViewSet.as_view({"post": "confirm_email_change"}),
    ),
    re_path(rf"{TENANT}/password/reset/?$", MailedTokenViewSet.as_view({"post": "request_reset"})),
    re_path(rf"{TENANT}/password/reset/update/?$", MailedTokenViewSet.as_view({"post": "complete_reset"})),
    re_path(rf"{TENANT}/password/change/?$", OwnLogInViewSet.as_view({"post": "change_password"})),
    re_path(rf"{TENANT}/signup/?$", CustomerSessionViewSet.as_view({"post": "sign_up"})),
    re_path(r"^customerlogin/auth/anonymous/login/?$", AnonymousViewSet.as_view({"get": "log_in"})),
    re_path(
        r"^customerlogin/auth/anonymous/refresh/?$",
        AnonymousViewSet.as_view({"get": "refresh", "post": "refresh"}),
    ),
    re_path(rf"{TENANT}/login/?$", CustomerSessionViewSet.as_view({"post": "log_in"})),
    re_path(rf"{TENANT}/logout/?$", CustomerSessionViewSet.as_view({"get": "log_out", "post": "log_out"})),
    re_path(
        rf"{TENANT}/refreshauthtoken/?$",
        CustomerSessionViewSet.as_view({"get": "refresh", "post": "refresh"}),
    ),
    re_path(rf"{TENANT}/validateauthtoken/?$", CustomerSessionViewSet.as_view({"get": "validate"})),
    re_path(rf"{TENANT}/signup/optin/refresh_token/?$", MailedTokenViewSet.as_view({"post": "resend_opt_in"})),
    re_path(rf"{TENANT}/signup/optin/(?P<token>[^/]+)/?$", MailedTokenViewSet.as_view({"get": "opt_in"})),
    re_path(rf"{TENANT}/socialLogin/?$", FederatedLogInViewSet.as_view({"post": "social_log_in"})),
    re_path(rf"{TENANT}/exchangeauthtoken/?$", FederatedLogInViewSet.as_view({"post": "exchange"})),
    re_path(rf"^(customer|customerlogin){REST}", EmporixUnknownPath.as_view(EVERY_METHOD)),
]
