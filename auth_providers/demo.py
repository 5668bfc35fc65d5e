"""The demo: a tenant, a storefront and a member of staff to try Patron with. Never part of a real deployment."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction

from customers import postal_files, postal_table
from customers.models import PostalCode
from tenants import api_keys, directory

TENANT = "demo"
CLIENT_ID = "demo-storefront"
STAFF = "admin"
# A few dozen places of ours, in the format of GeoNames.
POSTAL_CODES = Path(settings.BASE_DIR, "customers", "data", "demo_postal_codes.txt")

JOURNEY = """\
BASE={base}
field() {{ python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }}
ANONYMOUS=$(curl -s "$BASE/customerlogin/auth/anonymous/login?tenant={tenant}&client_id={client_id}" | field access_token)
EMAIL=ada.$RANDOM@example.com
curl -s "$BASE/customer/{tenant}/signup" -H "Authorization: Bearer $ANONYMOUS" -H 'Content-Type: application/json' \\
  -d '{{"email": "'$EMAIL'", "password": "password123", "customerDetails": {{"firstName": "Ada", "lastName": "Lovelace"}}}}'
CUSTOMER=$(curl -s "$BASE/customer/{tenant}/login" -H "Authorization: Bearer $ANONYMOUS" -H 'Content-Type: application/json' \\
  -d '{{"email": "'$EMAIL'", "password": "password123"}}' | field access_token)
curl -s "$BASE/customer/{tenant}/me" -H "Authorization: Bearer $CUSTOMER"
curl -s "$BASE/api/{tenant}/customer/authenticate?provider=password" -H 'Content-Type: application/json' \\
  -d '{{"email": "'$EMAIL'", "password": "password123"}}'
"""


@dataclass(frozen=True, kw_only=True)
class Card:
    """What one needs to try the demo."""

    base: str
    tenant: str
    client_id: str
    staff_username: str
    staff_password: str
    mail: str
    journey: str


def set_up() -> None:
    """Create what is missing of the demo. Running it again changes nothing."""
    with transaction.atomic():
        tenant, _ = directory.create_tenant(
            code=TENANT,
            name="Demo shop",
            default_currency="EUR",
            default_country="DE",
            is_common_password_refused=False,  # so that the documents' examples work as printed
        )
        api_keys.create(tenant=tenant, client_id=CLIENT_ID, name="The demo's storefront")
        users = get_user_model().objects
        if not users.filter(username=STAFF).exists():
            users.create_superuser(username=STAFF, email="admin@example.com", password=settings.DEMO_STAFF_PASSWORD)
    if not PostalCode.objects.exists():  # an import of the real ones stays
        postal_table.load(postal_table.parse(line.text) for line in postal_files.lines(POSTAL_CODES))


def card() -> Card:
    """How to reach the demo."""
    is_in_files = settings.EMAIL_BACKEND.endswith("filebased.EmailBackend")
    return Card(
        base=settings.PUBLIC_URL,
        tenant=TENANT,
        client_id=CLIENT_ID,
        staff_username=STAFF,
        staff_password=settings.DEMO_STAFF_PASSWORD,
        mail=_relative(settings.EMAIL_FILE_PATH) if is_in_files else f"sent through {settings.EMAIL_HOST}",
        journey=JOURNEY.format(base=settings.PUBLIC_URL, tenant=TENANT, client_id=CLIENT_ID),
    )


def _relative(path: str) -> str:
    """The path as one types it in the project's folder."""
    absolute = Path(path)
    inside = absolute.is_relative_to(settings.BASE_DIR)
    return f"{absolute.relative_to(settings.BASE_DIR)}/" if inside else str(absolute)
