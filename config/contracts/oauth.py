"""The token endpoint's paths, and those of the metadata and the keys that its clients look up."""

from django.urls import path, re_path

from auth_providers.api.oauth import well_known
from auth_providers.api.oauth.base import OAuthUnknownPath
from auth_providers.api.oauth.contract import CONTRACT
from auth_providers.api.oauth.token import TokenViewSet
from tenants.api.base import EVERY_METHOD

__all__ = ["CONTRACT", "urlpatterns"]

TENANT = r"^tenants/(?P<tenant>[^/]+)"
WELL_KNOWN = r"\.well-known/oauth-authorization-server"
# `.` would leave an encoded line break to a page of HTML.
REST = r"(/[\s\S]*)?$"

urlpatterns = [
    re_path(rf"{TENANT}/oauth/token/?$", TokenViewSet.as_view({"post": "issue"})),
    re_path(rf"{TENANT}/oauth{REST}", OAuthUnknownPath.as_view(EVERY_METHOD)),
    path("tenants/<str:tenant>/.well-known/jwks.json", well_known.jwks),
    path("tenants/<str:tenant>/.well-known/openid-configuration", well_known.openid_configuration),
    re_path(rf"{TENANT}/{WELL_KNOWN}$", well_known.oauth_authorization_server),
    re_path(rf"^{WELL_KNOWN}/tenants/(?P<tenant>[^/]+)$", well_known.oauth_authorization_server),
]
