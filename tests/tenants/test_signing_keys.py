"""Signing keys rotate without refusing a valid token, and are revoked at once."""

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.cache import cache
from jwt.algorithms import ECAlgorithm
from pytest_django import Settings

from tenants import signing_keys
from tenants.models import SigningKey, Tenant
from tenants.secrets import encryption
from tests.races import at_once

pytestmark = pytest.mark.usefixtures("stopped_clock")

SECOND = timedelta(seconds=1)


def kids(tenant: Tenant) -> set[str]:
    """The ids of the keys that the tenant publishes."""
    return {jwk["kid"] for jwk in signing_keys.key_set(tenant=tenant)["keys"]}


def private_half(key: SigningKey) -> ec.EllipticCurvePrivateKey:
    loaded = load_pem_private_key(encryption.decrypt(key.private_pem_encrypted).encode(), password=None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    return loaded


def test_create_publishes_the_public_half_alone(tenant: Tenant) -> None:
    [jwk] = signing_keys.key_set(tenant=tenant)["keys"]
    assert set(jwk) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (jwk["crv"], jwk["alg"], jwk["use"]) == ("P-256", "ES256", "sig")


def test_private_pem_belongs_to_the_public_half(tenant: Tenant) -> None:
    key = signing_keys.current(tenant=tenant)
    public = ECAlgorithm.to_jwk(private_half(key).public_key(), as_dict=True)
    assert public.items() <= key.public_jwk.items()


def test_private_half_rests_encrypted(tenant: Tenant, stored: Callable[[], str]) -> None:
    key = signing_keys.current(tenant=tenant)
    everything = stored()
    secret = private_half(key).private_numbers().private_value.to_bytes(32, "big")
    body = "".join(encryption.decrypt(key.private_pem_encrypted).splitlines()[1:-1])
    assert key.private_pem_encrypted in everything
    for plain in (
        "PRIVATE KEY",
        body[:40],
        secret.hex(),
        secret.decode("latin-1"),
        base64.urlsafe_b64encode(secret).decode()[:42],
    ):
        assert plain not in everything


def test_private_half_without_the_key_that_encrypted_it(tenant: Tenant, settings: Settings) -> None:
    key = signing_keys.current(tenant=tenant)
    assert signing_keys.private_key(key).private_numbers() == private_half(key).private_numbers()
    settings.ENCRYPTION_KEYS = ["YW5vdGhlciBrZXkgb2YgMzIgYnl0ZXMgZm9yIHRlc3Q="]
    with pytest.raises(encryption.CannotDecrypt):
        signing_keys.private_key(key)


def test_rotate_publishes_before_it_signs(tenant: Tenant, pass_time: Callable[[timedelta], None]) -> None:
    old = signing_keys.current(tenant=tenant)
    new, is_new = signing_keys.rotate(tenant=tenant)
    assert is_new
    assert kids(tenant) == {old.kid, new.kid}
    assert signing_keys.current(tenant=tenant) == old
    pass_time(signing_keys.KEY_SET_MAX_AGE - SECOND)
    assert signing_keys.current(tenant=tenant) == old
    pass_time(2 * SECOND)
    assert signing_keys.current(tenant=tenant) == new


@pytest.mark.parametrize("longest", ["service_jwt_lifetime", "customer_jwt_lifetime"])
def test_rotate_keeps_the_old_key_until_its_last_token_expired(
    tenant: Tenant, pass_time: Callable[[timedelta], None], longest: str
) -> None:
    tenant.service_jwt_lifetime = tenant.customer_jwt_lifetime = 60
    setattr(tenant, longest, 7200)
    old = signing_keys.current(tenant=tenant)
    new, _ = signing_keys.rotate(tenant=tenant)
    late = timedelta(seconds=signing_keys.CURRENT_CACHE_SECONDS)  # a process that did not know of the new one yet
    pass_time(signing_keys.KEY_SET_MAX_AGE + timedelta(hours=2) + late - SECOND)
    assert kids(tenant) == {old.kid, new.kid}
    pass_time(2 * SECOND)
    assert kids(tenant) == {new.kid}
    assert signing_keys.find_published(tenant=tenant, kid=old.kid) is None


def test_rotate_twice_rotates_once(tenant: Tenant, pass_time: Callable[[timedelta], None]) -> None:
    first, _ = signing_keys.rotate(tenant=tenant)
    assert signing_keys.rotate(tenant=tenant) == (first, False)
    pass_time(signing_keys.KEY_SET_MAX_AGE + SECOND)
    second, is_new = signing_keys.rotate(tenant=tenant)
    assert is_new
    assert second != first


@pytest.mark.django_db(transaction=True)
def test_rotate_many_at_once_rotates_once(tenant: Tenant) -> None:
    results = at_once(8, lambda _: signing_keys.rotate(tenant=tenant))
    made = [result for result in results if not isinstance(result, Exception)]
    assert len(made) == 8
    assert [is_new for _, is_new in made].count(True) == 1
    assert SigningKey.objects.for_tenant(tenant).count() == 2


def test_replace_compromised_leaves_only_the_new_key(tenant: Tenant) -> None:
    signing_keys.rotate(tenant=tenant)  # the one that waits is given up, too
    new = signing_keys.replace_compromised(tenant=tenant)
    assert kids(tenant) == {new.kid}
    assert signing_keys.current(tenant=tenant) == new


def test_replace_compromised_leaves_other_tenants_alone(tenant: Tenant, other_tenant: Tenant) -> None:
    before = kids(other_tenant)
    signing_keys.replace_compromised(tenant=tenant)
    assert kids(other_tenant) == before


def test_current_without_a_key(tenant: Tenant) -> None:
    SigningKey.objects.for_tenant(tenant).update(is_revoked=True)
    with pytest.raises(signing_keys.NoSigningKey):
        signing_keys.current(tenant=tenant)


def test_find_published_of_another_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    kid = signing_keys.current(tenant=other_tenant).kid
    assert signing_keys.find_published(tenant=other_tenant, kid=kid)
    assert signing_keys.find_published(tenant=tenant, kid=kid) is None


def test_a_new_key_signs_from_its_moment_on(tenant: Tenant, pass_time: Callable[[timedelta], None]) -> None:
    """And the next rotation is another one."""
    new, _ = signing_keys.rotate(tenant=tenant)
    pass_time(signing_keys.KEY_SET_MAX_AGE)
    assert signing_keys.current(tenant=tenant) == new
    assert signing_keys.rotate(tenant=tenant)[1]


def test_an_old_key_is_published_until_the_moment_at_which_its_last_token_expires(
    tenant: Tenant, pass_time: Callable[[timedelta], None]
) -> None:
    tenant.service_jwt_lifetime, tenant.customer_jwt_lifetime = 60, 90
    old = signing_keys.current(tenant=tenant)
    new, _ = signing_keys.rotate(tenant=tenant)
    lifetime = timedelta(seconds=90 + signing_keys.CURRENT_CACHE_SECONDS)
    pass_time(signing_keys.KEY_SET_MAX_AGE + lifetime - SECOND)
    assert kids(tenant) == {old.kid, new.kid}
    pass_time(SECOND)
    assert kids(tenant) == {new.kid}


def test_keys_are_published_newest_first(tenant: Tenant) -> None:
    first = signing_keys.current(tenant=tenant)
    later = signing_keys.create(tenant=tenant, signs_from=first.signs_from + 2 * SECOND)
    between = signing_keys.create(tenant=tenant, signs_from=first.signs_from + SECOND)
    same = signing_keys.create(tenant=tenant, signs_from=first.signs_from + SECOND)
    assert signing_keys.published(tenant=tenant) == [later, same, between, first]


def test_of_keys_of_one_moment_the_last_one_signs(tenant: Tenant) -> None:
    first = signing_keys.current(tenant=tenant)
    made = [signing_keys.create(tenant=tenant, signs_from=first.signs_from) for _ in range(2)]
    cache.clear()
    assert signing_keys.current(tenant=tenant) == made[1]


def test_where_all_keys_wait_the_first_of_them_signs(tenant: Tenant, pass_time: Callable[[timedelta], None]) -> None:
    """The clock was set back since."""
    first = signing_keys.current(tenant=tenant)
    signing_keys.rotate(tenant=tenant)
    revoked = signing_keys.create(tenant=tenant, signs_from=first.signs_from - SECOND)
    SigningKey.objects.filter(pk=revoked.pk).update(is_revoked=True)
    pass_time(timedelta(hours=-1))
    assert signing_keys.current(tenant=tenant) == first


def test_a_key_that_waits_and_is_revoked_or_anothers_holds_no_rotation_up(tenant: Tenant, other_tenant: Tenant) -> None:
    signing_keys.rotate(tenant=other_tenant)
    revoked, _ = signing_keys.rotate(tenant=tenant)
    SigningKey.objects.filter(pk=revoked.pk).update(is_revoked=True)
    new, is_new = signing_keys.rotate(tenant=tenant)
    assert (is_new, new.tenant) == (True, tenant)
    assert signing_keys.rotate(tenant=tenant) == (new, False)


def test_the_key_that_signs_is_looked_up_once_for_each_tenant(
    tenant: Tenant, other_tenant: Tenant, statements: Callable[[Callable[[], object]], list[str]]
) -> None:
    key, theirs = signing_keys.current(tenant=tenant), signing_keys.current(tenant=other_tenant)
    assert (key.tenant, theirs.tenant) == (tenant, other_tenant)
    assert statements(lambda: signing_keys.current(tenant=tenant)) == []
    assert signing_keys.current(tenant=tenant) == key


def test_with_other_encryption_keys_the_key_is_read_anew(
    tenant: Tenant, settings: Settings, statements: Callable[[Callable[[], object]], list[str]]
) -> None:
    signing_keys.current(tenant=tenant)
    settings.ENCRYPTION_KEYS = ["YW5vdGhlciBrZXkgb2YgMzIgYnl0ZXMgZm9yIHRlc3Q=", *settings.ENCRYPTION_KEYS]
    assert len(statements(lambda: signing_keys.current(tenant=tenant))) == 1


@pytest.mark.django_db(transaction=True)
def test_a_compromised_key_signs_no_more_although_it_was_kept(tenant: Tenant) -> None:
    old = signing_keys.current(tenant=tenant)
    new = signing_keys.replace_compromised(tenant=tenant)
    assert signing_keys.current(tenant=tenant) == new
    assert old != new
