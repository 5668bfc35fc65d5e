"""Sites that were made before they got numbers get theirs, in the order in which they were made."""

from django.db import migrations


def number(apps, schema_editor):
    Site = apps.get_model("tenants", "Site")
    last = {}
    for tenant_id, taken in Site.objects.exclude(number=None).values_list("tenant_id", "number"):
        last[tenant_id] = max(last.get(tenant_id, 0), taken)
    for site in Site.objects.filter(number=None).order_by("pk"):
        site.number = last[site.tenant_id] = last.get(site.tenant_id, 0) + 1
        site.save(update_fields=["number"])


class Migration(migrations.Migration):
    dependencies = [("tenants", "0007_check_in_and_second_factor")]
    operations = [migrations.RunPython(number, migrations.RunPython.noop)]
