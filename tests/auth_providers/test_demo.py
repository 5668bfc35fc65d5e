"""The demo: what it makes and leaves alone, and what its card tells of it."""

from pathlib import Path

import pytest
from django.conf import settings as configured
from django.contrib.auth.models import User
from pytest_django import Settings

from auth_providers import demo
from auth_providers.models import OTP, AuthProvider
from customers.models import PostalCode
from tenants import api_keys, sites
from tenants.models import ApiKey, Tenant

SECRET, PASSWORD = "kept for this test", "only for this test"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def secrets(settings: Settings) -> None:
    settings.DEMO_STAFF_PASSWORD, settings.DEMO_APPLICATION_SECRET = PASSWORD, SECRET
    settings.PUBLIC_URL = "https://patron.example"


def test_a_shop_a_server_and_a_member_of_staff_are_made(other_tenant: Tenant) -> None:
    demo.set_up()
    tenant = Tenant.objects.get(code="demo")
    assert (tenant.name, tenant.default_currency, tenant.default_country) == ("Demo shop", "EUR", "DE")
    assert not tenant.is_common_password_refused
    assert {each.client_id for each in ApiKey.objects.for_tenant(tenant)} == {demo.CLIENT_ID, demo.APPLICATION_ID}
    assert [(each.name, each.kind) for each in AuthProvider.objects.for_tenant(tenant)] == [(OTP, OTP)]
    assert not AuthProvider.objects.for_tenant(other_tenant).exists()
    staff = User.objects.get()
    assert (staff.username, staff.email, staff.is_superuser) == ("admin", "admin@example.com", True)
    assert staff.check_password(PASSWORD)
    key = ApiKey.objects.get(client_id=demo.APPLICATION_ID)
    api_keys.check_secret(key=key, secret=SECRET)
    assert PostalCode.objects.count() > 20


def test_what_there_is_already_stays() -> None:
    demo.set_up()
    before = (User.objects.get().password, ApiKey.objects.get(client_id=demo.APPLICATION_ID).secret_hash)
    AuthProvider.objects.update(is_enabled=False)
    first = PostalCode.objects.order_by("pk").first()
    assert first is not None
    PostalCode.objects.exclude(pk=first.pk).delete()
    demo.set_up()
    assert (User.objects.get().password, ApiKey.objects.get(client_id=demo.APPLICATION_ID).secret_hash) == before
    assert not AuthProvider.objects.get().is_enabled
    assert PostalCode.objects.get() == first


def test_the_server_has_the_secret_that_is_shown_now(settings: Settings) -> None:
    demo.set_up()
    settings.DEMO_APPLICATION_SECRET = "another secret"
    demo.set_up()
    key = ApiKey.objects.get(client_id=demo.APPLICATION_ID)
    api_keys.check_secret(key=key, secret="another secret")
    with pytest.raises(api_keys.InvalidApiKey):
        api_keys.check_secret(key=key, secret=SECRET)


def test_the_card_has_no_numbers_before_there_is_a_demo(tenant: Tenant) -> None:
    card = demo.card()
    assert (card.tenant_number, card.site_number) == (None, None)
    assert (card.tenant_number_as_text, card.site_number_as_text) == ("", "")


def test_the_card_tells_how_to_log_in(other_tenant: Tenant) -> None:
    demo.set_up()
    tenant = Tenant.objects.get(code="demo")
    sites.create(tenant=tenant, code="second", name="Second")
    card = demo.card()
    assert (card.tenant, card.tenant_number, card.site_number) == ("demo", tenant.number, 1)
    assert (card.tenant_number_as_text, card.site_number_as_text) == (str(tenant.number), "1")
    assert tenant.number != other_tenant.number
    assert (card.base, card.client_id) == ("https://patron.example", "demo-storefront")
    assert (card.application_id, card.application_secret) == (demo.APPLICATION_ID, SECRET)
    assert (card.staff_username, card.staff_password) == ("admin", PASSWORD)
    assert card.journey.startswith("BASE=https://patron.example\n")
    assert "tenant=demo&client_id=demo-storefront" in card.journey
    assert f'"client_secret": "{SECRET}"' in card.code_journey
    assert "{tenant}" not in card.journey + card.code_journey


@pytest.mark.parametrize(
    ("path", "shown"), [(Path(configured.BASE_DIR, "var", "mail"), "var/mail/"), (Path("/srv/mail"), "/srv/mail")]
)
def test_mails_in_files_are_read_by_the_journey(settings: Settings, path: Path, shown: str) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "django.core.mail.backends.filebased.EmailBackend", str(path)
    card = demo.card()
    assert card.mail == shown
    assert f'grep -rlF "$EMAIL" {shown} ' in card.code_journey
    assert demo.READ_CODE not in card.code_journey


def test_mails_through_a_server_are_read_by_a_person(settings: Settings) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST = "django.core.mail.backends.smtp.EmailBackend", "mail.example"
    card = demo.card()
    assert card.mail == "sent through mail.example"
    assert demo.READ_CODE in card.code_journey
    assert "grep" not in card.code_journey
