"""500 and 503 in each contract's shape, caused by rows and databases that are broken."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.core.cache import cache
from django.db import connection

from auth_providers.models import AuthProvider, MailedToken
from customers.models import Address, CustomerNumber
from tenants.models import SigningKey
from tests import factories
from tests.contracts import golden
from tests.contracts.calls import call
from tests.contracts.operations import BY_NAME
from tests.contracts.scene import Scene, set_scene


@contextmanager
def broken_database() -> Iterator[None]:
    """The server has ended our connection, and a new one is refused; on SQLite, the file is not there."""
    name = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = "/nowhere/at/all"
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name


def spoil_private_key(scene: Scene) -> None:
    SigningKey.objects.update(private_pem_encrypted="nonsense")
    cache.clear()


def spoil_public_key(scene: Scene) -> None:
    SigningKey.objects.update(public_jwk={"kty": "EC"})


def spoil_customer_number(scene: Scene) -> None:
    """The next number has nine digits."""
    CustomerNumber.objects.update(last=99_999_999)


def spoil_client_secret(scene: Scene) -> None:
    AuthProvider.objects.update(client_secret_encrypted="nonsense")


def spoil_details(scene: Scene) -> None:
    """Of the mailed token: it names no new address."""
    MailedToken.objects.update(details={})


def spoil_address(scene: Scene) -> None:
    Address.objects.update(tags=5)


@pytest.mark.parametrize(
    ("operation", "spoil"),
    [
        ("login", spoil_private_key),
        ("signup", spoil_customer_number),
        ("authenticate", spoil_private_key),
        ("opt-in", spoil_private_key),
        ("exchange", spoil_private_key),
        ("social-login", spoil_client_secret),
        ("addresses-list", spoil_address),
        ("address-get", spoil_address),
        ("address-patch", spoil_address),
        ("tags-add", spoil_address),
        ("tags-remove", spoil_address),
        ("email-confirm", spoil_details),
    ],
)
def test_a_row_that_nobody_foresaw(operation: str, spoil: Callable[[Scene], None], scene: Scene) -> None:
    spoil(scene)
    called = BY_NAME[operation]
    golden.check(called.send(scene, raises=False), called.contract, f"{operation}.500")


def test_me_with_an_address_that_nobody_foresaw(scene: Scene) -> None:
    spoil_address(scene)
    answer = call("GET", "/customer/acme/me?expand=addresses", token=scene.logged_in.access_token, raises=False)
    golden.check(answer, "emporix", "me-get.500")


def test_customer_with_a_signing_key_that_nobody_foresaw(scene: Scene) -> None:
    spoil_public_key(scene)
    answer = BY_NAME["customer-get"].send(scene, token=scene.logged_in.customer_jwt, raises=False)
    golden.check(answer, "neostore", "customer-get.500")


@pytest.mark.parametrize("operation", ["social-login", "exchange"])
def test_a_provider_that_is_down(operation: str, scene: Scene) -> None:
    called = BY_NAME[operation]
    path = called.path_in(scene)
    AuthProvider.objects.update(issuer="http://localhost:9")
    golden.check(call(called.method, path, token=scene.visitor_token), "emporix", f"{operation}.503.provider")


@pytest.mark.parametrize("operation", ["login", "authenticate", "opt-in", "exchange", "social-login"])
def test_a_tenant_without_a_signing_key(operation: str, scene: Scene) -> None:
    SigningKey.objects.update(is_revoked=True)
    cache.clear()
    called = BY_NAME[operation]
    golden.check(called.send(scene), called.contract, f"{operation}.503.signing-key")


@pytest.mark.parametrize("operation", ["me-get", "customer-get", "addresses-list", "password-reset"])
@pytest.mark.django_db(transaction=True)
def test_a_database_that_went_away(operation: str) -> None:
    scene = set_scene(factories.make_tenant())
    called = BY_NAME[operation]
    with broken_database():
        golden.check(called.send(scene), called.contract, f"{operation}.503")
    assert called.send(scene).status_code == called.success
