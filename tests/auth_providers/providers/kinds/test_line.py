"""LINE's own: id tokens that the channel's secret signs."""

from tenants.models import Tenant
from tests.auth_providers import forge
from tests.auth_providers.providers.configuring import configure, fields_at_fault
from tests.auth_providers.providers.sign_ins import is_refused, issuer_of, register
from tests.social_providers import SECRET, World


def test_line_signs_for_websites_with_the_channels_secret(tenant: Tenant, world: World) -> None:
    provider, iss = register(tenant, world, "line"), issuer_of("line")
    assert is_refused(provider, id_token=world.id_token(secret="f" * 32, iss=iss))
    pem = forge.pem_of(world.ec.private.public_key())
    assert is_refused(provider, id_token=forge.signed_with_hmac(world.id_token(world.ec, iss=iss), pem))
    assert not is_refused(provider, id_token=world.id_token(secret=SECRET, iss=iss))
    assert not is_refused(provider, id_token=world.id_token(world.ec, iss=iss))


def test_line_with_a_secret_that_is_none(tenant: Tenant, world: World) -> None:
    provider = register(tenant, world, "line", client_secret_encrypted="")
    assert is_refused(provider, id_token=forge.signed_with_hmac(world.id_token(iss=issuer_of("line")), b""))


def test_what_it_needs(tenant: Tenant) -> None:
    assert fields_at_fault(tenant, "line", client_id="1", secret="") == {"client_secret"}
    assert fields_at_fault(tenant, "line", client_id="1", secret="short") == {"client_secret"}
    assert fields_at_fault(tenant, "line", secret=SECRET) == {"client_id"}
    assert configure(tenant, "line", client_id="1", secret=SECRET).kind == "line"
