"""`configure_provider` sets up a provider, changes what is named, keeps the secret secret, and tries it out."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management import CommandError, call_command

from auth_providers.models import AuthProvider
from tenants.models import Tenant
from tenants.secrets.encryption import decrypt
from tests.openid_issuer import DISCOVERY, JWKS, Issuer

SECRET = "our secret there"


def configure(*words: str, tenant: str = "acme", name: str = "corporate") -> str:
    output = StringIO()
    call_command("configure_provider", tenant, name, *words, stdout=output)
    return output.getvalue()


def create(issuer: Issuer, *words: str) -> str:
    always = ("--kind", "oidc", "--issuer", issuer.url, "--client-id", "shop", "--secret", SECRET)
    return configure(*always, "--redirect-uri", "https://shop.example/callback", *words)


def test_create_and_try(tenant: Tenant, issuer: Issuer, stored: Callable[[], str]) -> None:
    output = create(issuer)
    assert output == "Created provider corporate.\nIt answers, with 1 keys that we can use.\n"
    provider = AuthProvider.objects.get()
    assert (provider.tenant, provider.kind, provider.issuer) == (tenant, "oidc", issuer.url)
    assert provider.redirect_uris == ["https://shop.example/callback"]
    assert (provider.is_enabled, provider.is_provisioning, provider.is_linking_by_email) == (True, True, False)
    assert decrypt(provider.client_secret_encrypted) == SECRET
    assert SECRET not in stored() + output
    assert issuer.asked == {DISCOVERY: 1, JWKS: 1}


def test_again_changes_what_is_named(tenant: Tenant, issuer: Issuer) -> None:
    create(issuer)
    before = AuthProvider.objects.values().get()
    create(issuer, "--no-test")
    again = AuthProvider.objects.values().get()
    assert before | {"client_secret_encrypted": ""} == again | {"client_secret_encrypted": ""}
    assert configure("--link-by-email", "yes", "--enabled", "no").startswith("Changed provider corporate.\n")
    changed = AuthProvider.objects.values().get()
    assert changed == again | {"is_linking_by_email": True, "is_enabled": False}


def test_a_provider_that_does_not_work_is_saved_all_the_same(tenant: Tenant, issuer: Issuer) -> None:
    issuer.answers[DISCOVERY] = (500, {})
    with pytest.raises(CommandError, match="saved, but it does not work"):
        create(issuer)
    assert AuthProvider.objects.count() == 1


def test_not_tried_when_asked_not_to(tenant: Tenant, issuer: Issuer) -> None:
    create(issuer, "--no-test")
    assert not issuer.asked


@pytest.mark.parametrize("words", [["--issuer", "nonsense"], ["--introspection-url", "nonsense"]])
def test_something_wrong(tenant: Tenant, issuer: Issuer, words: list[str]) -> None:
    with pytest.raises(CommandError, match=words[0].strip("-").replace("-", "_")):
        create(issuer, *words)
    assert not AuthProvider.objects.exists()


@pytest.mark.parametrize("name", ["password", ""])
def test_a_name_that_cannot_be(tenant: Tenant, issuer: Issuer, name: str) -> None:
    with pytest.raises(CommandError):
        configure("--kind", "oidc", "--issuer", issuer.url, "--client-id", "shop", name=name)
    assert not AuthProvider.objects.exists()


@pytest.mark.django_db
def test_no_such_tenant() -> None:
    with pytest.raises(CommandError, match="no tenant nobody"):
        configure(tenant="nobody")


def test_settings_are_named_one_by_one(tenant: Tenant) -> None:
    configure("--kind", "otp", "--setting", 'channels=["email", "sms"]', "--setting", "note=for later", name="otp")
    assert AuthProvider.objects.get().settings == {"channels": ["email", "sms"], "note": "for later"}
    configure("--setting", "note=null", name="otp")
    assert AuthProvider.objects.get().settings == {"channels": ["email", "sms"]}
    with pytest.raises(CommandError, match="NAME=VALUE"):
        configure("--setting", "note", name="otp")
    with pytest.raises(CommandError, match="email and sms"):
        configure("--setting", "channels=pigeon", name="otp")


def test_a_secret_from_a_file(tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "AuthKey.p8"
    key = ec.generate_private_key(ec.SECP256R1())
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    words = ("--kind", "apple", "--client-id", "com.acme.shop", "--setting", "team_id=T", "--setting", "key_id=K")
    configure(*words, "--secret-file", str(file), "--no-test", name="apple")
    assert decrypt(AuthProvider.objects.get().client_secret_encrypted) == file.read_text().strip()
    with pytest.raises(CommandError, match="can't be read"):
        configure("--secret-file", str(tmp_path / "nowhere"), name="apple")
    with pytest.raises(CommandError, match="p8"):
        configure("--secret", "no key", name="apple")
