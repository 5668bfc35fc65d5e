"""What each kind of provider needs, checked before it is stored; and whether a stored one works, tried on request."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings as deployment

from auth_providers.models import AuthProvider, OneTimeCode
from auth_providers.outbound import http_client, webhook_signature
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import oidc
from auth_providers.providers.kinds.apple import Apple
from auth_providers.providers.kinds.facebook import Facebook
from tenants.errors import FieldError, InvalidInput

Kind = AuthProvider.Kind
Problems = Iterator[tuple[str, str]]

# Fields and entries of `settings` that a kind can't do without.
NEEDED = {
    Kind.OIDC: ("issuer", "client_id"),
    Kind.JWT: ("issuer", "client_id"),
    Kind.GOOGLE: ("client_id",),
    Kind.APPLE: ("client_id", "settings.team_id", "settings.key_id"),
    Kind.FACEBOOK: ("client_id", "client_secret"),
    Kind.LINE: ("client_id", "client_secret"),
    Kind.WEBHOOK: ("settings.url", "client_secret"),
}


def check(provider: AuthProvider, *, secret: str) -> None:
    """Raises `InvalidInput` with everything that keeps a provider of this kind from working. `secret` is ours there."""
    if not isinstance(provider.settings, dict):
        raise InvalidInput.field("settings", "The settings are an object.")
    by_kind: dict[str, Callable[[AuthProvider, str], Problems]] = {
        Kind.OTP: _of_codes,
        Kind.APPLE: _of_apple,
        Kind.LINE: _of_line,
        Kind.WEBHOOK: _of_webhook,
    }
    found = [*_of_names(provider), *_of_needs(provider, secret), *_of_addresses(provider), *_of_lists(provider)]
    if provider.kind in by_kind:
        found += by_kind[provider.kind](provider, secret)
    if found:
        details = tuple(FieldError(field=field, code="invalid", message=message) for field, message in found)
        raise InvalidInput(details=details)


def test(provider: AuthProvider) -> str:
    """Ask the provider what a log-in would ask. Returns what to tell staff; raises `ProviderUnavailable`."""
    if provider.kind in AuthProvider.OWN_KINDS:
        return "It needs nobody else, so there is nothing to ask."
    if provider.kind == Kind.WEBHOOK:
        return "It is asked only when somebody logs in, so there is nothing to try."
    count = oidc.test(provider)
    if provider.kind == Kind.FACEBOOK:
        _test_facebook(provider)
    if provider.kind == Kind.APPLE and provider.client_secret_encrypted:
        Apple(provider).get_key_and_secret()
    if provider.introspection_url:
        _test_introspection(provider)
    return f"It answers, with {count} keys that we can use."


def explain(error: ProviderUnavailable) -> str:
    """What is wrong, and how we know."""
    return f"{error.message} ({error.__cause__})" if error.__cause__ else error.message


def _test_facebook(provider: AuthProvider) -> None:
    try:
        Facebook(provider).check_credentials()
    except http_client.ProviderRefused as error:
        raise ProviderUnavailable("It does not know this app id with this secret.") from error


def _test_introspection(provider: AuthProvider) -> None:
    """A token that it can't know shows whether it knows us."""
    try:
        oidc.introspect("no-token-of-yours", provider, now=0)
    except oidc.TokenRefused:
        return
    raise ProviderUnavailable("It says of a token that it can't know that it is good.")


def _of_names(provider: AuthProvider) -> Problems:
    if provider.kind in AuthProvider.OWN_KINDS and provider.name != provider.kind:
        yield "name", f"A provider of this kind is called {provider.kind}."
    if provider.kind not in AuthProvider.OWN_KINDS and provider.name in AuthProvider.OWN_KINDS:
        yield "name", f"Only a provider of that kind is called {provider.name}."


def _of_needs(provider: AuthProvider, secret: str) -> Problems:
    for name in NEEDED.get(Kind(provider.kind), ()) if provider.kind in Kind.values else ():
        group, _, entry = name.rpartition(".")
        value = (
            provider.settings.get(entry)
            if group
            else {"client_secret": secret}.get(name) or getattr(provider, name, "")
        )
        if not isinstance(value, str) or not value:
            yield group or name, f"This kind needs {f'an entry {entry}' if group else 'it'}."


def _of_addresses(provider: AuthProvider) -> Problems:
    """Those that we call have to be ones that `http_client` calls."""
    named = [("issuer", provider.issuer), ("introspection_url", provider.introspection_url)]
    named += (
        [("settings", provider.settings["url"])] if provider.kind == Kind.WEBHOOK and "url" in provider.settings else []
    )
    endpoints = provider.settings.get("endpoints", {})
    if not isinstance(endpoints, dict):
        yield "settings", "The entry endpoints is an object: beginnings of addresses, and what to call instead."
        endpoints = {}
    for field, url in [*named, *(("settings", other) for other in endpoints.values())]:
        if url and not _can_be_called(url):
            yield field, f"Only https is called, unless the deployment allows the host: {url}"


def _can_be_called(url: object) -> bool:
    try:
        parts = urlsplit(str(url))
    except ValueError:
        return False
    is_allowed = parts.hostname in deployment.ALLOWED_PROVIDER_HOSTS
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_allowed))


def _of_lists(provider: AuthProvider) -> Problems:
    others = provider.settings.get("other_client_ids", [])
    if not isinstance(others, list) or not all(isinstance(each, str) and each for each in others):
        yield "settings", "The entry other_client_ids is a list of texts."


def _of_codes(provider: AuthProvider, _: str) -> Problems:
    channels = provider.settings.get("channels", [OneTimeCode.Channel.EMAIL.value])
    if not isinstance(channels, list) or not channels or not set(map(str, channels)) <= set(OneTimeCode.Channel.values):
        yield "settings", "The entry channels is a list of email and sms, or one of them."


def _of_apple(_: AuthProvider, secret: str) -> Problems:
    """Without a key it takes id tokens, but no codes."""
    if not secret:
        return
    try:
        key = load_pem_private_key(secret.encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        yield "client_secret", "Apple's secret is the content of the .p8 file, a private key in PEM."


def _of_webhook(_: AuthProvider, secret: str) -> Problems:
    if secret and not webhook_signature.is_secret(secret):
        yield "client_secret", "A secret that signs is base64, with or without whsec_ in front."


def _of_line(_: AuthProvider, secret: str) -> Problems:
    if secret and len(secret) < oidc.SHORTEST_SHARED_SECRET:
        yield "client_secret", f"A channel secret has {oidc.SHORTEST_SHARED_SECRET} characters."
