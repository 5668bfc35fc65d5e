"""A tenant's sites, and the numbers by which some contracts identify them."""

from django.db import transaction
from django.db.models import Max

from tenants.errors import DomainError, Kind, Reason
from tenants.models import Site, Tenant

FIRST_NUMBER = 1


class UnknownSite(DomainError):
    """The tenant has no site of this number."""

    kind = Kind.INVALID
    reason = Reason.UNKNOWN_SITE
    default_message = "The tenant has no such site."


@transaction.atomic
def create(*, tenant: Tenant, code: str, name: str = "") -> Site:
    """A new site with the next number. The code must be free: the database refuses it otherwise."""
    site = Site(tenant=tenant, code=code, name=name, number=next_number(tenant=tenant))
    site.save(force_insert=True)
    return site


def next_number(*, tenant: Tenant) -> int:
    """The number for the tenant's next site. Only inside a transaction that saves it: the tenant's row is locked until
    its end, so that two sites made at once don't get the same one."""
    list(Tenant.objects.select_for_update().filter(pk=tenant.pk).values_list("pk"))
    last = Site.objects.for_tenant(tenant).aggregate(last=Max("number"))["last"]
    return FIRST_NUMBER if last is None else int(last) + 1


def get(*, tenant: Tenant, number: int) -> Site:
    """The tenant's site of this number. Raises `UnknownSite`."""
    site = Site.objects.for_tenant(tenant).filter(number=number).first()
    if site is None:
        raise UnknownSite
    return site


def list_for(*, tenant: Tenant) -> list[Site]:
    """The tenant's sites by number; those without a number are left out."""
    return list(Site.objects.for_tenant(tenant).filter(number__isnull=False).order_by("number"))
