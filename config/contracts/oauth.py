"""The paths of OAuth's endpoints, and those of the metadata and the keys that its clients look up."""

from django.urls import path, re_path

from auth_providers.api.oauth import well_known
from auth_providers.api.oauth.base import OAuthUnknownPath
from auth_providers.api.oauth.contract import CONTRACT
from auth_providers.api.oauth.introspection import IntrospectionViewSet
from auth_providers.api.oauth.revocation import RevocationViewSet
from auth_providers.api.oauth.token import TokenViewSet
from auth_providers.api.oauth.userinfo import UserinfoViewSet
from tenants.api.base import EVERY_METHOD

__all__ = ["CONTRACT", "urlpatterns"]

TENANT = r"^tenants/(?P<tenant>[^/]+)"
WELL_KNOWN = r"\.well-known/oauth-authorization-server"
# `.` would leave an encoded line break to a page of HTML.
REST = r"(/[\s\S]*)?$"

urlpatterns = [
    re_path(rf"{TENANT}/oauth/token/?$", TokenViewSet.as_view({"post": "issue"})),
    re_path(rf"{TENANT}/oauth/introspect/?$", IntrospectionViewSet.as_view({"post": "introspect"})),
    re_path(rf"{TENANT}/oauth/revoke/?$", RevocationViewSet.as_view({"post": "revoke"})),
    re_path(rf"{TENANT}/oauth/userinfo/?$", UserinfoViewSet.as_view({"get": "retrieve", "post": "retrieve"})),
    re_path(rf"{TENANT}/oauth{REST}", OAuthUnknownPath.as_view(EVERY_METHOD)),
    path("tenants/<str:tenant>/.well-known/jwks.json", well_known.jwks),
    path("tenants/<str:tenant>/.well-known/openid-configuration", well_known.openid_configuration),
    re_path(rf"{TENANT}/{WELL_KNOWN}$", well_known.oauth_authorization_server),
    re_path(rf"^{WELL_KNOWN}/tenants/(?P<tenant>[^/]+)$", well_known.oauth_authorization_server),
]
