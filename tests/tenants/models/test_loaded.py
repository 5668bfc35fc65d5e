"""A row that was loaded to be changed: what others write meanwhile stays."""

from tenants.models import SigningKey, Site, Tenant
from tenants.models.loaded import Loaded


def test_only_what_was_changed_is_written(tenant: Tenant) -> None:
    made = Site.objects.create(tenant=tenant, code="de", name="Germany", number=7)
    mine = Site.objects.get(pk=made.pk)
    loaded = Loaded(mine)
    assert loaded.changed() == []
    Site.objects.filter(pk=made.pk).update(number=8)
    mine.name = "Deutschland"
    assert loaded.changed() == ["name"]
    loaded.save()
    made.refresh_from_db()
    assert (made.name, made.number) == ("Deutschland", 8)


def test_a_row_that_was_not_changed_is_not_written(tenant: Tenant) -> None:
    made = Site.objects.create(tenant=tenant, code="de", name="Germany")
    loaded = Loaded(made)
    Site.objects.filter(pk=made.pk).update(name="Deutschland")
    loaded.save()
    made.refresh_from_db()
    assert made.name == "Deutschland"


def test_a_change_inside_a_value_is_one(tenant: Tenant) -> None:
    key = SigningKey.objects.for_tenant(tenant).get()
    loaded = Loaded(key)
    key.public_jwk["use"] = "other"
    assert loaded.changed() == ["public_jwk"]


def test_what_was_changed_back_is_no_change(tenant: Tenant) -> None:
    loaded = Loaded(tenant)
    tenant.name = "Acme Shop"
    assert loaded.changed() == ["name"]
    tenant.name = "acme"
    assert loaded.changed() == []


def test_a_new_row_is_written_whole(tenant: Tenant) -> None:
    site = Site(tenant=tenant, code="de", name="Germany")
    loaded = Loaded(site)
    site.number = 7
    loaded.save()
    stored = Site.objects.get(code="de")
    assert (stored.pk, stored.name, stored.number) == (site.pk, "Germany", 7)


def test_a_column_that_was_not_read_is_not_written(tenant: Tenant) -> None:
    made = Site.objects.create(tenant=tenant, code="de", name="Germany", number=7)
    mine = Site.objects.defer("number").get(pk=made.pk)
    loaded = Loaded(mine)
    assert loaded.changed() == []
    mine.number = 9
    assert loaded.changed() == ["number"]
