"""Staff add a tenant's sites; those without a number get the next one."""

from django.test import Client

from tenants import sites
from tenants.models import Tenant
from tests.back_office.pages import Page


def test_sites_that_staff_add_get_numbers(tenant: Tenant, clerk: Client) -> None:
    path = f"/admin/tenants/tenant/{tenant.pk}/change/"
    page = clerk.get(path)
    prefix = page.context["inline_admin_formsets"][0].formset.prefix
    chosen = {name: str(getattr(tenant, name)) for name in page.context["adminform"].form.fields}
    added = {f"{prefix}-TOTAL_FORMS": "4", f"{prefix}-2-number": "7"}
    for index, code in enumerate(("de", "fr", "it"), start=1):
        added |= {f"{prefix}-{index}-code": code, f"{prefix}-{index}-tenant": str(tenant.pk)}
    answer = clerk.post(path, Page(page).fields | chosen | added)
    assert answer.status_code == 302, answer.context["errors"]
    numbers = {site.code: site.number for site in sites.list_for(tenant=tenant)}
    assert numbers == {"main": 1, "de": 2, "fr": 7, "it": 8}
