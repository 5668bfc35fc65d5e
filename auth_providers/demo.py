"""The demo: a tenant, a storefront and a member of staff to try Patron with. Never part of a real deployment."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction

from auth_providers.models import OTP, AuthProvider
from customers.models import PostalCode
from customers.postal_codes import geonames_files, geonames_table
from tenants import api_keys, directory
from tenants.models import Site, Tenant

TENANT = "demo"
CLIENT_ID = "demo-storefront"
APPLICATION_ID = "Demo.storefront.1.0.0.Release"
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

# A log-in by code, as a shop's server asks for it.
CODE_JOURNEY = """\
BASE={base}
field() {{ python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }}
APPLICATION=$(curl -s "$BASE/api/platform/applications/authtickets/oauth" -H 'Content-Type: application/json' \\
  -d '{{"client_id": "{application_id}", "client_secret": "{application_secret}", "grant_type": "client_credentials"}}' | field access_token)
EMAIL=grace.$RANDOM@example.com
curl -s "$BASE/api/commerce/customer/authtickets/otp/request" -H "Authorization: Bearer $APPLICATION" -H 'Content-Type: application/json' \\
  -d '{{"email": "'$EMAIL'"}}'
{read_code}
curl -s "$BASE/api/commerce/customer/authtickets/otp/auth" -H "Authorization: Bearer $APPLICATION" -H 'Content-Type: application/json' \\
  -d '{{"email": "'$EMAIL'", "otpCode": "'$CODE'", "fingerprint": null, "region": null}}'
"""
READ_CODE_IN_FILES = """\
CODE=; until [ "$CODE" ]; do sleep 1; CODE=$(grep -rlF "$EMAIL" {mail} 2>/dev/null | xargs -r grep -ohE '^[0-9]{{6}}\\b' | tail -1); done"""
READ_CODE = 'read -p "The code from the mail: " CODE'


@dataclass(frozen=True, kw_only=True)
class Card:
    """What the demo shows: addresses, log-ins and calls to paste."""

    base: str
    tenant: str
    tenant_number: int | None
    site_number: int | None
    client_id: str
    application_id: str
    application_secret: str
    staff_username: str
    staff_password: str
    mail: str
    journey: str
    code_journey: str

    @property
    def tenant_number_as_text(self) -> str:
        """As headers and paths have it."""
        return str(self.tenant_number or "")

    @property
    def site_number_as_text(self) -> str:
        return str(self.site_number or "")


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
        _set_up_application(tenant)
        AuthProvider.objects.for_tenant(tenant).get_or_create(name=OTP, defaults={"tenant": tenant, "kind": OTP})
        users = get_user_model().objects
        if not users.filter(username=STAFF).exists():
            users.create_superuser(username=STAFF, email="admin@example.com", password=settings.DEMO_STAFF_PASSWORD)
    if not PostalCode.objects.exists():  # an import of the real ones stays
        geonames_table.load(geonames_table.parse(line.text) for line in geonames_files.lines(POSTAL_CODES))


def _set_up_application(tenant: Tenant) -> None:
    """The key, with the secret that the demo shows."""
    key, _ = api_keys.create(tenant=tenant, client_id=APPLICATION_ID, name="The demo's server")
    try:
        api_keys.check_secret(key=key, secret=settings.DEMO_APPLICATION_SECRET)
    except api_keys.InvalidApiKey:
        api_keys.replace_secret(key=key, secret=settings.DEMO_APPLICATION_SECRET)


def card() -> Card:
    """How to reach the demo."""
    is_in_files = settings.EMAIL_BACKEND.endswith("filebased.EmailBackend")
    # None before `set_up` has run.
    site = Site.objects.filter(tenant__code=TENANT).select_related("tenant").order_by("number").first()
    return Card(
        base=settings.PUBLIC_URL,
        tenant=TENANT,
        tenant_number=site.tenant.number if site else None,
        site_number=site.number if site else None,
        client_id=CLIENT_ID,
        application_id=APPLICATION_ID,
        application_secret=settings.DEMO_APPLICATION_SECRET,
        staff_username=STAFF,
        staff_password=settings.DEMO_STAFF_PASSWORD,
        mail=_relative(settings.EMAIL_FILE_PATH) if is_in_files else f"sent through {settings.EMAIL_HOST}",
        journey=JOURNEY.format(base=settings.PUBLIC_URL, tenant=TENANT, client_id=CLIENT_ID),
        code_journey=CODE_JOURNEY.format(
            base=settings.PUBLIC_URL,
            application_id=APPLICATION_ID,
            application_secret=settings.DEMO_APPLICATION_SECRET,
            read_code=READ_CODE_IN_FILES.format(mail=_relative(settings.EMAIL_FILE_PATH)) if is_in_files else READ_CODE,
        ),
    )


def _relative(path: str) -> str:
    """The path as one types it in the project's folder."""
    absolute = Path(path)
    inside = absolute.is_relative_to(settings.BASE_DIR)
    return f"{absolute.relative_to(settings.BASE_DIR)}/" if inside else str(absolute)
