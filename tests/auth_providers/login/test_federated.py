"""Identities at other providers: one customer each, linked by proof only, checked online where the tenant wants it."""

import time
from typing import Any

import pytest
from pytest_django import Settings

from auth_providers.login import federated, social, token_exchange
from auth_providers.login.federated import LinkNeeded, UnknownCustomer
from auth_providers.models import Account, AuthProvider, Session
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import registry
from auth_providers.providers.oidc import Identity
from auth_providers.providers.registry import UnknownProvider
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer
from tenants.models import AuditEvent, Tenant
from tests import factories
from tests.factories import CLIENT, EMAIL, make_customer
from tests.openid_issuer import INTROSPECTION, Issuer
from tests.races import at_once

OPAQUE = "opaque"
ADA = Identity(
    issuer="https://id.example",
    subject="ada",
    email=EMAIL,
    is_email_verified=True,
    claims={"given_name": "Ada", "family_name": "Lovelace"},
)


def log_in(provider: AuthProvider, identity: Identity = ADA) -> sessions.Started:
    return federated.log_in(
        attempt=LogInAttempt(tenant=provider.tenant, issue=Issue.PAIR, client=CLIENT),
        provider=provider,
        identity=identity,
    )


def exchange(provider: AuthProvider, token: str = OPAQUE) -> sessions.Started:
    return token_exchange.exchange(
        attempt=LogInAttempt(tenant=provider.tenant, issue=Issue.PAIR, client=CLIENT),
        subject_token=token,
        provider_name="",
    )


def setting(provider: AuthProvider, **values: Any) -> AuthProvider:
    for name, value in values.items():
        setattr(provider, name, value)
    provider.save()
    return provider


@pytest.fixture
def asking(provider: AuthProvider, issuer: Issuer) -> AuthProvider:
    """A provider that is asked about each token."""
    return setting(provider, kind="jwt", introspection_url=issuer.url + INTROSPECTION, authorized_parties=["the-app"])


def test_who_is_new_gets_a_profile(provider: AuthProvider) -> None:
    customer = log_in(provider).session.customer
    assert customer is not None
    assert (customer.first_name, customer.last_name, customer.contact_email) == ("Ada", "Lovelace", EMAIL)
    account = Account.objects.get()
    assert (account.kind, account.provider, account.issuer, account.identifier) == (
        "external",
        "corporate",
        ADA.issuer,
        "ada",
    )
    assert log_in(provider).session.customer == customer
    assert Customer.objects.count() == 1


def test_the_subject_of_another_issuer_is_someone_else(provider: AuthProvider) -> None:
    log_in(provider)
    log_in(provider, Identity(issuer="https://another.example", subject="ada"))
    assert Customer.objects.count() == 2


def test_what_a_provider_says_may_be_nonsense(provider: AuthProvider) -> None:
    claims = {"given_name": ["Ada"], "family_name": "x" * 1000}
    log_in(provider, Identity(issuer="i", subject="s", email="not an address", claims=claims))
    customer = Customer.objects.get()
    assert (customer.first_name, customer.last_name, customer.contact_email) == (None, "x" * 255, None)


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        *(("de", "de"), ("de-AT", "de_AT"), ("fr_CA", "fr_CA")),
        *(("d", "en_US"), ("de-", "en_US"), ("not a locale", "en_US"), (7, "en_US")),
    ],
)
def test_the_language_is_taken_where_the_locale_is_one(provider: AuthProvider, locale: object, language: str) -> None:
    """And else that of the shop."""
    log_in(provider, Identity(issuer="i", subject="s", email=EMAIL, claims={"locale": locale}))
    assert Customer.objects.get().preferred_language == language


@pytest.mark.parametrize(("length", "kept"), [(254, 254), (255, 255), (256, 255)])
def test_a_name_is_cut_at_255_characters(provider: AuthProvider, length: int, kept: int) -> None:
    log_in(provider, Identity(issuer="i", subject="s", email=EMAIL, claims={"given_name": "x" * (length - 1) + "y"}))
    assert Customer.objects.get().first_name == ("x" * (length - 1) + "y")[:kept]


@pytest.mark.parametrize("name", ["", "A\0da", None])
def test_a_name_that_is_none_is_left_out(provider: AuthProvider, name: str | None) -> None:
    claims = {"given_name": name, "family_name": "Lovelace"}
    log_in(provider, Identity(issuer="i", subject="s", email=EMAIL, claims=claims))
    customer = Customer.objects.get()
    assert (customer.first_name, customer.last_name) == (None, "Lovelace")


@pytest.mark.parametrize(
    ("email", "is_verified", "is_proven"), [(EMAIL, True, True), (EMAIL, False, False), ("not an address", True, False)]
)
def test_an_address_is_proven_where_the_provider_says_so_of_one(
    provider: AuthProvider, email: str, is_verified: bool, is_proven: bool
) -> None:
    log_in(provider, Identity(issuer="i", subject="s", email=email, is_email_verified=is_verified))
    account = Account.objects.get()
    assert bool(account.mail_address and account.is_email_verified) == is_proven


def test_who_is_new_where_nobody_is_provisioned(provider: AuthProvider) -> None:
    with pytest.raises(UnknownCustomer):
        log_in(setting(provider, is_provisioning=False))
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("is_linking", "is_verified", "is_confirmed", "is_let_in"),
    [(True, True, True, True), (False, True, True, False), (True, False, True, False), (True, True, False, False)],
)
def test_who_has_the_email_of_a_customer(
    provider: AuthProvider, is_linking: bool, is_verified: bool, is_confirmed: bool, is_let_in: bool
) -> None:
    customer = make_customer(provider.tenant)
    Account.objects.update(**factories.VERIFIED if is_confirmed else factories.UNVERIFIED)
    setting(provider, is_linking_by_email=is_linking)
    identity = Identity(issuer="i", subject="s", email=EMAIL, is_email_verified=is_verified)
    if is_let_in:
        assert log_in(provider, identity).session.customer == customer
    else:
        with pytest.raises(LinkNeeded):
            log_in(provider, identity)
        assert AuditEvent.objects.filter(reason="e-mail belongs to another account").count() == 1
    assert (Customer.objects.count(), Account.objects.count()) == (1, 2 if is_let_in else 1)
    assert not Session.objects.exclude(customer=customer).exists()


def test_an_email_of_another_tenants_customer_is_nobodys(provider: AuthProvider, other_tenant: Tenant) -> None:
    make_customer(other_tenant)
    log_in(provider)
    assert Customer.objects.for_tenant(provider.tenant).count() == 1


def test_a_customer_who_may_not_log_in_is_refused(provider: AuthProvider) -> None:
    log_in(provider)
    Customer.objects.update(is_on_hold=True)
    with pytest.raises(sessions.LogInRefused):
        log_in(provider)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_known", [False, True])
def test_first_log_ins_at_once_are_one_customers(provider: AuthProvider, is_known: bool) -> None:
    setting(provider, is_linking_by_email=True)
    if is_known:
        make_customer(provider.tenant)
    results = at_once(6, lambda _: log_in(provider).account.customer_id)
    assert len(set(results)) == 1
    assert not [result for result in results if isinstance(result, Exception)]
    assert (Customer.objects.count(), Account.objects.count()) == (1, 2 if is_known else 1)


def test_get_provider_by_name_or_the_only_one(provider: AuthProvider) -> None:
    kind = "oidc"

    def get(name: str = "", tenant: Tenant = provider.tenant) -> AuthProvider:
        return registry.get_provider(tenant=tenant, kind=kind, name=name)

    assert get() == get("corporate") == provider
    other = AuthProvider.objects.create(tenant=provider.tenant, name="other", kind=kind, issuer="i", client_id="c")
    with pytest.raises(UnknownProvider):
        get()
    assert get("other") == other
    setting(other, name="default")
    assert get() == other
    setting(other, is_enabled=False)
    with pytest.raises(UnknownProvider):
        get("default")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "shop", "azp": "the-app"},
        {"aud": ["other", "shop"], "client_id": "the-app"},
        {"exp": time.time() + 24 * 3600, "client_id": "the-app"},
        {"azp": "the-app"},
        {"client_id": "the-app"},
    ],
)
def test_introspection_of_a_good_token(asking: AuthProvider, issuer: Issuer, claims: dict[str, Any]) -> None:
    issuer.answers[INTROSPECTION] = (200, {"active": True, "sub": "ada", "iss": issuer.url} | claims)
    assert exchange(asking).account.identifier == "ada"
    assert issuer.forms == [b"token=opaque"]


@pytest.mark.parametrize(
    "claims",
    [
        {"active": False},
        {"active": "true"},
        {"active": 1},
        {"aud": "another-shop"},
        {"aud": []},
        {"iss": "https://evil.example"},
        {"exp": time.time() - 120},
        {"exp": str(time.time() - 120)},
        {"exp": "soon"},
        {"sub": ""},
        {"sub": None},
        {"azp": "mallorys-app"},
        {"client_id": "mallorys-app"},
    ],
)
def test_introspection_of_a_bad_token(asking: AuthProvider, issuer: Issuer, claims: dict[str, Any]) -> None:
    good = {"active": True, "sub": "ada", "iss": issuer.url, "azp": "the-app"}
    answer = good | claims
    if "client_id" in claims:
        del answer["azp"]
    issuer.answers[INTROSPECTION] = (200, answer)
    with pytest.raises(sessions.LogInRefused):
        exchange(asking)
    assert not Customer.objects.exists()


@pytest.mark.parametrize("kind", ["jwt", "oidc"])
@pytest.mark.parametrize("claims", [{}, {"azp": None}, {"client_id": "another-app"}, {"azp": "another-app"}])
def test_introspected_token_of_another_application_without_audience(
    asking: AuthProvider, issuer: Issuer, claims: dict[str, Any], kind: str
) -> None:
    setting(asking, kind=kind)
    issuer.answers[INTROSPECTION] = (200, {"active": True, "sub": "ada", "iss": issuer.url} | claims)
    with pytest.raises(sessions.LogInRefused):
        exchange(asking) if kind == "jwt" else bring(asking, access_token=OPAQUE)
    assert not Customer.objects.exists()


def test_introspected_token_of_ours_without_audience(asking: AuthProvider, issuer: Issuer) -> None:
    setting(asking, kind="oidc")
    answer = {"active": True, "sub": "ada", "iss": issuer.url, "client_id": "shop"}
    issuer.answers[INTROSPECTION] = (200, answer)
    assert bring(asking, access_token=OPAQUE).started.account.identifier == "ada"


@pytest.mark.parametrize("audience", [{}, {"aud": "shop"}])
def test_nobodys_token_is_exchanged_where_no_party_is_authorized(
    asking: AuthProvider, issuer: Issuer, audience: dict[str, Any]
) -> None:
    setting(asking, authorized_parties=[])
    answer = {"active": True, "sub": "ada", "iss": issuer.url, "client_id": "another-app"} | audience
    issuer.answers[INTROSPECTION] = (200, answer)
    with pytest.raises(sessions.LogInRefused):
        exchange(asking)
    assert not Customer.objects.exists()


@pytest.mark.parametrize("answer", [(401, {}), (403, {}), (500, {}), (200, b"nonsense")])
def test_introspection_that_is_not_answered(asking: AuthProvider, issuer: Issuer, answer: tuple[int, Any]) -> None:
    issuer.answers[INTROSPECTION] = answer
    with pytest.raises(ProviderUnavailable):
        exchange(asking)


@pytest.mark.parametrize(("party", "is_accepted"), [("the-app", True), ("mallorys-app", False), (..., False)])
def test_a_party_is_accepted_from_the_list(
    provider: AuthProvider, issuer: Issuer, party: Any, is_accepted: bool
) -> None:
    setting(provider, kind="jwt", authorized_parties=["the-app"])
    if is_accepted:
        assert exchange(provider, issuer.token(azp=party)).account.identifier == "ada"
    else:
        with pytest.raises(sessions.LogInRefused):
            exchange(provider, issuer.token(azp=party))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((400, {"error": "invalid_grant"}), sessions.LogInRefused),
        ((200, {}), sessions.LogInRefused),
        ((200, {"id_token": 5}), sessions.LogInRefused),
        ((200, {"id_token": "a.b.c"}), sessions.LogInRefused),
        ((500, {}), ProviderUnavailable),
    ],
)
def test_a_code_that_is_not_exchanged(
    provider: AuthProvider, issuer: Issuer, answer: tuple[int, Any], error: type[Exception]
) -> None:
    issuer.answers["/token"] = answer
    with pytest.raises(error):
        bring_code(provider)


def test_a_provider_without_a_token_endpoint(provider: AuthProvider, issuer: Issuer, settings: Settings) -> None:
    issuer.publish(token_endpoint=None)
    with pytest.raises(ProviderUnavailable):
        bring_code(provider)


def bring_code(provider: AuthProvider) -> social.SocialLogIn:
    return bring(provider, code="code")


def bring(provider: AuthProvider, **credentials: str) -> social.SocialLogIn:
    return social.log_in(
        attempt=LogInAttempt(tenant=provider.tenant, issue=Issue.PAIR, client=CLIENT),
        provider=provider,
        credentials=social.Credentials(**credentials),
    )
