"""Federated log-in and token exchange against a real OpenID provider."""

import pytest
from pytest_django.fixtures import Settings
from rest_framework.response import Response
from rest_framework.test import APIClient

from auth_providers.models import Account, AuthProvider
from customers.models import Customer
from tenants.models import AuditEvent, Tenant
from tenants.secrets.encryption import encrypt
from tests import factories, oidc_provider
from tests.contracts.calls import body_of
from tests.contracts.scene import CLIENT_ID
from tests.oidc_provider import REDIRECT_URI, Provider


@pytest.fixture
def registered(tenant: Tenant, openid_provider: Provider, settings: Settings) -> AuthProvider:
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    return AuthProvider.objects.create(
        tenant=tenant,
        name="partner",
        kind="oidc",
        issuer=openid_provider.issuer,
        client_id=CLIENT_ID,
        client_secret_encrypted=encrypt("secret"),
        redirect_uris=[REDIRECT_URI],
    )


@pytest.fixture
def visitor(tenant: Tenant) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {factories.open_anonymous(tenant).pair.access_token}"})


def social_log_in(visitor: APIClient, code: str, **query: str) -> Response:
    answer: Response = visitor.post("/customer/acme/socialLogin", query_params={"code": code} | query)
    return answer


def test_who_is_new_gets_a_profile_and_a_session(
    registered: AuthProvider, openid_provider: Provider, visitor: APIClient
) -> None:
    verifier = oidc_provider.new_verifier()
    code = openid_provider.code_for("ada", client_id=CLIENT_ID, verifier=verifier)
    answer = social_log_in(visitor, code, redirect_uri=REDIRECT_URI, code_verifier=verifier)
    assert answer.status_code == 200
    assert isinstance(body_of(answer)["expires_in"], str)
    assert body_of(answer)["social_id_token"]
    customer = APIClient(headers={"Authorization": f"Bearer {body_of(answer)['access_token']}"})
    me = customer.get("/customer/acme/me").json()
    assert (me["firstName"], me["contactEmail"]) == ("Ada", "ada@example.com")
    assert me["accounts"] == [{"id": "ada@example.com", "providerId": "ada"}]


def test_who_comes_back_is_the_same_customer(
    registered: AuthProvider, openid_provider: Provider, visitor: APIClient
) -> None:
    for _ in range(2):
        assert social_log_in(visitor, openid_provider.code_for("ada", client_id=CLIENT_ID)).status_code == 200
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("state", ["partner--123", ""])
def test_a_provider_is_named_by_the_state_or_is_the_only_one(
    state: str, registered: AuthProvider, openid_provider: Provider, visitor: APIClient
) -> None:
    code = openid_provider.code_for("ada", client_id=CLIENT_ID)
    assert social_log_in(visitor, code, state=state).status_code == 200
    assert social_log_in(visitor, code, state="nobody--1").status_code == 400


def test_a_code_is_good_once(registered: AuthProvider, openid_provider: Provider, visitor: APIClient) -> None:
    code = openid_provider.code_for("ada", client_id=CLIENT_ID)
    assert social_log_in(visitor, code).status_code == 200
    assert social_log_in(visitor, code).status_code == 401


def test_a_redirect_uri_off_the_list_is_refused(registered: AuthProvider, visitor: APIClient) -> None:
    answer = social_log_in(visitor, "any", redirect_uri="https://evil.example/callback")
    assert (answer.status_code, body_of(answer)["details"][0]["field"]) == (400, "redirect_uri")


def test_an_unverified_email_of_an_existing_customer_is_challenged(
    tenant: Tenant, registered: AuthProvider, openid_provider: Provider, visitor: APIClient
) -> None:
    factories.make_customer(tenant)
    AuthProvider.objects.update(is_linking_by_email=True)
    answer = social_log_in(visitor, openid_provider.code_for("mallory", client_id=CLIENT_ID))
    body = body_of(answer)
    assert (answer.status_code, body["type"], body["status"]) == (403, "Forbidden", 403)
    assert "code was mailed" in body["message"]
    assert set(body["challenge"]) == {"id", "type", "channel", "maskedDestination", "expiresAt"}
    assert (body["challenge"]["type"], body["challenge"]["channel"]) == ("otp", "email")
    assert factories.EMAIL not in str(body)
    assert AuditEvent.objects.filter(reason="e-mail belongs to another account").exists()


@pytest.mark.parametrize(("is_linking", "status"), [(True, 200), (False, 403)])
def test_a_verified_email_links_where_the_tenant_wants_it(
    is_linking: bool, status: int, registered: AuthProvider, openid_provider: Provider, visitor: APIClient
) -> None:
    factories.make_customer(registered.tenant)
    AuthProvider.objects.update(is_linking_by_email=is_linking)
    assert social_log_in(visitor, openid_provider.code_for("ada", client_id=CLIENT_ID)).status_code == status
    assert Customer.objects.count() == 1
    assert Account.objects.count() == (2 if is_linking else 1)


def test_an_id_token_for_another_client_is_refused(
    registered: AuthProvider, openid_provider: Provider, visitor: APIClient
) -> None:
    AuthProvider.objects.update(kind="jwt", authorized_parties=[CLIENT_ID])
    token = id_token(openid_provider, client_id="someone-else")
    assert exchange(visitor, token).status_code == 401


def id_token(openid_provider: Provider, *, client_id: str = CLIENT_ID) -> str:
    return openid_provider.tokens_for("ada", client_id=client_id)["id_token"]


def exchange(visitor: APIClient, token: str, **query: str) -> Response:
    answer: Response = visitor.post(
        "/customer/acme/exchangeauthtoken", query_params={"subjectAccessToken": token} | query
    )
    return answer


def test_a_token_is_exchanged(registered: AuthProvider, openid_provider: Provider, visitor: APIClient) -> None:
    AuthProvider.objects.update(kind="jwt", authorized_parties=[CLIENT_ID])
    token = id_token(openid_provider)
    answer = exchange(visitor, token)
    assert (answer.status_code, body_of(answer)["subject_access_token"]) == (200, token)
    assert isinstance(body_of(answer)["expires_in"], int)
    assert exchange(visitor, token, config="partner").status_code == 200
    assert exchange(visitor, token, config="nobody").status_code == 400
    assert exchange(visitor, token[:-4] + "AAAA").status_code == 401
    assert exchange(visitor, "rubbish").status_code == 401


def test_an_unknown_customer_where_nobody_is_provisioned(
    registered: AuthProvider, openid_provider: Provider, visitor: APIClient
) -> None:
    AuthProvider.objects.update(kind="jwt", authorized_parties=[CLIENT_ID], is_provisioning=False)
    assert exchange(visitor, id_token(openid_provider)).status_code == 404


def test_a_party_that_is_not_accepted(registered: AuthProvider, openid_provider: Provider, visitor: APIClient) -> None:
    AuthProvider.objects.update(kind="jwt", authorized_parties=["the-app"])
    assert exchange(visitor, id_token(openid_provider)).status_code == 401


def test_a_provider_that_is_down_is_not_a_wrong_credential(
    registered: AuthProvider, visitor: APIClient, openid_provider: Provider
) -> None:
    token = id_token(openid_provider)
    AuthProvider.objects.update(kind="jwt", issuer="http://localhost:9")
    answer = exchange(visitor, token)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("issuer", ["http://localhost:9", "https://127.0.0.1:9", "https://169.254.169.254", "ftp://x"])
def test_an_issuer_in_our_own_network_is_not_called(
    issuer: str, registered: AuthProvider, visitor: APIClient, settings: Settings
) -> None:
    settings.ALLOWED_PROVIDER_HOSTS = []
    AuthProvider.objects.update(kind="jwt", issuer=issuer)
    assert exchange(visitor, "a.b.c").status_code == 503


def test_a_disabled_provider_lets_nobody_in(
    registered: AuthProvider, openid_provider: Provider, visitor: APIClient
) -> None:
    AuthProvider.objects.update(is_enabled=False)
    assert social_log_in(visitor, openid_provider.code_for("ada", client_id=CLIENT_ID)).status_code == 400
