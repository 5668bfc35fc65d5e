"""Every address that Patron answers."""

from django.contrib import admin
from django.urls import path

from config import docs, mail_events, own_pages, pages
from tenants.api import contracts
from tenants.api.routing import OneMatchResolver

urlpatterns = [
    *(OneMatchResolver(each.patterns) for each in contracts.served()),  # first, since they are called most
    path("", pages.home, name="home"),
    path("admin/", admin.site.urls),
    path("docs/", docs.index, name="docs-index"),
    path("docs/events/schemas/<str:kind>/<int:version>.json", docs.event_schema),
    path("docs/<slug:contract>/openapi.json", docs.openapi, name="openapi"),
    path("docs/<slug:contract>/", docs.swagger, name="docs"),
    path(mail_events.PATH, mail_events.receive),
    *own_pages.urlpatterns,
]
handler400 = pages.bad_request
handler403 = pages.forbidden
handler404 = pages.not_found
handler500 = pages.server_error
