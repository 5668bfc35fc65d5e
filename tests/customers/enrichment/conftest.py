"""A shop whose enrichment has something to find."""

import pytest

from customers.models import PostalCode
from tenants.models import Site, Tenant

PLACES = [
    ("DE", "10115", "Berlin", "Land Berlin"),
    ("DE", "80331", "München", "Bayern"),
    ("DE", "01945", "Ruhland", "Brandenburg"),
    ("DE", "01945", "Kroppen", "Brandenburg"),
    ("CH", "8001", "Zürich", "Kanton Zürich"),
    ("GB", "SW1Y", "London", "England"),
    ("PL", "00-001", "Warszawa", "Mazowieckie"),
    ("US", "95014", "Cupertino", "The table's California"),
]


@pytest.fixture
def german(tenant: Tenant) -> Tenant:
    """A shop in Germany, with a postal table and sites for some countries."""
    Tenant.objects.filter(pk=tenant.pk).update(default_country="DE", default_currency="EUR")
    PostalCode.objects.bulk_create(
        PostalCode(country=country, code=code, locality=locality, region=region)
        for country, code, locality, region in PLACES
    )
    for code in ("shop-ch", "trade", "FR", "old-fr", "a-us", "b-us"):
        Site.objects.create(tenant=tenant, code=code)
    tenant.refresh_from_db()
    return tenant
