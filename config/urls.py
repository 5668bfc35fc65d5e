"""Every address that Patron answers."""

from django.contrib import admin
from django.urls import include, path

from auth_providers.api.oauth import well_known
from config import pages
from config.contracts import docs

urlpatterns = [
    path("", pages.home, name="home"),
    path("healthz", pages.health, name="health"),
    path("admin/", admin.site.urls),
    path("docs/<slug:contract>/openapi.json", docs.openapi, name="openapi"),
    path("docs/<slug:contract>/", docs.swagger, name="docs"),
    path("tenants/<str:tenant>/.well-known/jwks.json", well_known.jwks),
    path("tenants/<str:tenant>/.well-known/openid-configuration", well_known.openid_configuration),
    path("", include("config.contracts.account")),
    path("", include("config.contracts.emporix")),
    path("", include("config.contracts.kibo")),  # before Neostore's: that has tenants' codes where this has words
    path("", include("config.contracts.neostore")),
    path("", include("config.contracts.oauth")),
]
handler404 = pages.not_found
handler500 = pages.server_error
