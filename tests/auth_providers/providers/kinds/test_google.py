"""Google's own: unverified addresses, and the ids of a shop's apps."""

from auth_providers.models import Account
from tenants.models import Tenant
from tests.auth_providers.providers.configuring import configure, fields_at_fault
from tests.auth_providers.providers.sign_ins import is_refused, issuer_of, log_in, register, sign_in_kind
from tests.social_providers import Grant, World


def test_an_address_that_google_has_not_verified_does_not_hinder_the_log_in(tenant: Tenant, world: World) -> None:
    world.tokens["good"] = Grant()
    world.users["ada"]["email_verified"] = False
    identity = sign_in_kind("google")(register(tenant, world, "google")).backend().by_access_token("good")
    assert not identity.is_email_verified


def test_the_ids_of_the_shops_own_apps(tenant: Tenant, world: World) -> None:
    provider = register(tenant, world, "google")
    provider.settings["other_client_ids"] = ["the-app"]
    iss = issuer_of("google")
    assert is_refused(provider, id_token=world.id_token(iss=iss, azp="mallorys-app"))
    assert not is_refused(provider, id_token=world.id_token(iss=iss, azp="the-app"))
    assert log_in(provider, id_token=world.id_token(iss="accounts.google.com", aud="the-app")).started
    assert Account.objects.count() == 1


def test_what_it_needs(tenant: Tenant) -> None:
    assert fields_at_fault(tenant, "google") == {"client_id"}
    assert configure(tenant, "google", client_id="us").kind == "google"
