"""Authorization: every operation that asks for a token, with every token that it has to refuse."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone

from auth_providers.models import Account, Authenticator, MailedToken, RecoveryCode, Session, Token
from auth_providers.selfservice import staff_actions
from auth_providers.tokens import sessions
from customers.models import Address, Customer
from tenants.models import Message, Tenant
from tests import factories
from tests.contracts import jwts
from tests.contracts.calls import body_of, call, rolled_back
from tests.contracts.operations import BY_NAME, CREDENTIALS, EVERY_OPERATION, Operation
from tests.contracts.scene import NEW_EMAIL, Scene, set_scene
from tests.contracts.shapes import check_refusal
from tests.neighbours import stored_rows

GUARDED = [operation for operation in EVERY_OPERATION if operation.opens != "none"]
OPEN_TO_VISITORS = [operation for operation in GUARDED if operation.opens == "visitor"]
FOR_CUSTOMERS = [operation for operation in GUARDED if operation.opens == "customer"]
CHANGEABLE: list[Any] = [Customer, Address, Account, Authenticator, MailedToken, Message, RecoveryCode, Session, Token]


# -- tokens that open nothing -----------------------------------------------------------------------------------------
def no_token(scene: Scene, other_tenant: Tenant) -> str:
    return ""


def garbage(scene: Scene, other_tenant: Tenant) -> str:
    return "not-a-token"


def refresh_token(scene: Scene, other_tenant: Tenant) -> str:
    return scene.logged_in.refresh_token


def expired(scene: Scene, other_tenant: Tenant) -> str:
    Token.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    return scene.logged_in.access_token


def logged_out(scene: Scene, other_tenant: Tenant) -> str:
    sessions.end(tenant=scene.tenant, session=scene.logged_in.session)
    return scene.logged_in.access_token


def of_a_deactivated_customer(scene: Scene, other_tenant: Tenant) -> str:
    staff_actions.set_active(tenant=scene.tenant, customer=scene.customer, is_active=False, staff_username="root")
    return scene.logged_in.access_token


def of_a_customer_on_hold(scene: Scene, other_tenant: Tenant) -> str:
    """The hold alone, as an import might set it: the session goes on."""
    Customer.objects.update(is_on_hold=True)
    return scene.logged_in.access_token


def of_another_tenants_customer(scene: Scene, other_tenant: Tenant) -> str:
    return factories.log_in(factories.make_customer(other_tenant)).access_token


def of_another_tenants_visitor(scene: Scene, other_tenant: Tenant) -> str:
    return factories.open_anonymous(other_tenant).pair.access_token


def jwt_of_another_tenant(scene: Scene, other_tenant: Tenant) -> str:
    return factories.log_in(factories.make_customer(other_tenant)).customer_jwt


def jwt_of_a_session_that_ended(scene: Scene, other_tenant: Tenant) -> str:
    sessions.end(tenant=scene.tenant, session=scene.logged_in.session)
    return scene.logged_in.service_jwt


def jwt_expired(scene: Scene, other_tenant: Tenant) -> str:
    return jwts.signed_by(scene.tenant, scene.logged_in.customer_jwt, exp=1_000_000_000)


def jwt_without_expiry(scene: Scene, other_tenant: Tenant) -> str:
    return jwts.signed_by(scene.tenant, scene.logged_in.customer_jwt, exp=None)


def jwt_tampered(scene: Scene, other_tenant: Tenant) -> str:
    return jwts.tampered(scene.logged_in.customer_jwt, sub="10000002")


def jwt_signed_by_another_tenant(scene: Scene, other_tenant: Tenant) -> str:
    return jwts.signed_by(other_tenant, scene.logged_in.customer_jwt)


def jwt_of_a_number_that_is_not_the_sessions(scene: Scene, other_tenant: Tenant) -> str:
    return jwts.signed_by(scene.tenant, scene.logged_in.customer_jwt, sub="10000002")


def jwt_unsigned(scene: Scene, other_tenant: Tenant) -> str:
    return jwts.unsigned(scene.logged_in.customer_jwt)


def jwt_unsigned_in_capitals(scene: Scene, other_tenant: Tenant) -> str:
    return jwts.unsigned(scene.logged_in.customer_jwt, algorithm="NONE")


def jwt_signed_with_the_public_key(scene: Scene, other_tenant: Tenant) -> str:
    return jwts.signed_with_public_key(scene.logged_in.customer_jwt, scene.tenant)


def jwt_that_brings_its_key(scene: Scene, other_tenant: Tenant) -> str:
    return jwts.bringing_its_own_key(scene.logged_in.customer_jwt)


OPENS_NOTHING = [
    no_token,
    garbage,
    refresh_token,
    expired,
    logged_out,
    of_a_deactivated_customer,
    of_a_customer_on_hold,
    of_another_tenants_customer,
    of_another_tenants_visitor,
    jwt_of_another_tenant,
    jwt_of_a_session_that_ended,
    jwt_expired,
    jwt_without_expiry,
    jwt_tampered,
    jwt_signed_by_another_tenant,
    jwt_of_a_number_that_is_not_the_sessions,
    jwt_unsigned,
    jwt_unsigned_in_capitals,
    jwt_signed_with_the_public_key,
    jwt_that_brings_its_key,
]


def everything() -> list[Any]:
    """All that a request could change: profiles, addresses, log-ins, sessions, mailed tokens and mails."""
    return [stored_rows(model) for model in CHANGEABLE]


@pytest.mark.parametrize("operation", GUARDED, ids=str)
def test_token_that_opens_nothing(
    operation: Operation, scene: Scene, other_tenant: Tenant, subtests: pytest.Subtests
) -> None:
    prepared = operation.prepared(scene)
    for token in OPENS_NOTHING:
        with subtests.test(token.__name__), rolled_back():
            cache.clear()
            sent, before = token(scene, other_tenant), everything()
            answer = prepared.send(scene, token=sent)
            assert answer.status_code == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            check_refusal(answer, operation.contract)
            assert everything() == before


# -- tokens that open what they should --------------------------------------------------------------------------------
@pytest.mark.parametrize("operation", FOR_CUSTOMERS, ids=str)
def test_customers_operation_for_a_visitor(operation: Operation, scene: Scene) -> None:
    answer = operation.send(scene, token=scene.visitor_token)
    assert answer.status_code == (401 if operation.contract == "neostore" else 403)
    check_refusal(answer, operation.contract)


@pytest.mark.parametrize("operation", FOR_CUSTOMERS, ids=str)
def test_customers_operation_for_the_visitor_of_the_session_that_the_customer_took_over(
    operation: Operation, scene: Scene
) -> None:
    visit = factories.open_anonymous(scene.tenant)
    logged_in = factories.log_in(scene.customer, anonymous_session=visit.session)
    assert logged_in.session.pk == visit.session.pk
    assert operation.send(scene, token=visit.pair.access_token).status_code in {401, 403}


@pytest.mark.parametrize("operation", OPEN_TO_VISITORS, ids=str)
def test_visitors_operation_for_a_visitor(operation: Operation, scene: Scene) -> None:
    assert operation.send(scene, token=scene.visitor_token).status_code == operation.success


# What the JWT for other services opens is for `test_service_tokens`.
@pytest.mark.parametrize("kind", ["access_token", "customer_jwt"])
@pytest.mark.parametrize("operation", OPEN_TO_VISITORS + FOR_CUSTOMERS, ids=str)
def test_every_operation_for_every_token_of_a_customer(operation: Operation, kind: str, scene: Scene) -> None:
    assert operation.send(scene, token=getattr(scene.logged_in, kind)).status_code == operation.success


# -- one tenant's values in another tenant's calls --------------------------------------------------------------------
def test_refresh_token_of_another_tenant(scene: Scene, other_tenant: Tenant) -> None:
    visitor = factories.open_anonymous(other_tenant).pair.access_token
    path = f"/customer/globex/refreshauthtoken?refreshToken={scene.logged_in.refresh_token}"
    assert call("GET", path, token=visitor).status_code == 401
    again = f"/customer/acme/refreshauthtoken?refreshToken={scene.logged_in.refresh_token}"
    assert call("GET", again, token=scene.visitor_token).status_code == 200


@pytest.mark.parametrize("state", [{"is_active": False}, {"is_on_hold": True}])
def test_refresh_token_of_a_customer_who_may_not_log_in(state: dict[str, bool], scene: Scene) -> None:
    Customer.objects.update(**state)
    path = f"/customer/acme/refreshauthtoken?refreshToken={scene.logged_in.refresh_token}"
    assert call("GET", path, token=scene.visitor_token).status_code == 401


def test_access_token_in_the_place_of_a_refresh_token(scene: Scene) -> None:
    path = f"/customer/acme/refreshauthtoken?refreshToken={scene.logged_in.access_token}"
    assert call("GET", path, token=scene.visitor_token).status_code == 401
    path = f"/customer/acme/refreshauthtoken?refreshToken={scene.visitor_refresh_token}"
    assert call("GET", path, token=scene.visitor_token).status_code == 401


def test_anonymous_refresh_token_of_another_tenant(scene: Scene, other_tenant: Tenant) -> None:
    path = "/customerlogin/auth/anonymous/refresh?tenant=globex&client_id=storefront"
    assert call("GET", f"{path}&refresh_token={scene.visitor_refresh_token}").status_code == 401
    assert call("GET", f"{path}&anonymous_token={scene.visitor_token}").status_code == 401


def test_log_out_naming_a_token_of_another_tenant(scene: Scene, other_tenant: Tenant) -> None:
    stranger = factories.log_in(factories.make_customer(other_tenant))
    path = f"/customer/acme/logout?accessToken={stranger.access_token}"
    assert call("GET", path, token=scene.logged_in.access_token).status_code == 401
    assert call("GET", "/customer/globex/me", token=stranger.access_token).status_code == 200
    assert call("GET", "/customer/acme/me", token=scene.logged_in.access_token).status_code == 200


def test_log_in_with_the_credentials_of_another_tenants_customer(scene: Scene, other_tenant: Tenant) -> None:
    factories.make_customer(other_tenant, email="grace@example.com")
    body = {"email": "grace@example.com", "password": factories.PASSWORD}
    assert call("POST", "/customer/acme/login", json=body, token=scene.visitor_token).status_code == 401
    assert call("POST", "/api/acme/customer/authenticate?provider=password", json=body).status_code == 422


@pytest.mark.parametrize("operation", ["email-confirm", "password-reset-update", "opt-in", "me-delete-by-token"])
def test_mailed_token_of_another_tenant(operation: str, scene: Scene, other_tenant: Tenant) -> None:
    there = set_scene(other_tenant)
    called = BY_NAME[operation]
    path = called.path_in(scene).replace("/acme/", "/globex/")
    refused = call(called.method, path, json=called.json_in(scene), token=called.least_token(there))
    assert refused.status_code == 400
    check_refusal(refused, "emporix")
    assert called.send(scene).status_code == called.success


@pytest.mark.parametrize("purpose", ["reset", "email_change", "deletion", "opt_in"])
@pytest.mark.parametrize(
    ("operation", "good_for"), [("email-confirm", "email_change"), ("password-reset-update", "reset")]
)
def test_mailed_token_of_another_purpose(operation: str, good_for: str, purpose: str, scene: Scene) -> None:
    called = BY_NAME[operation]
    body = (called.json_in(scene) or {}) | {"token": scene.filled(f"{{{purpose}}}")}
    assert called.send(scene, json=body).status_code == (204 if purpose == good_for else 400)


@pytest.mark.parametrize("purpose", ["reset", "email_change", "deletion"])
def test_opting_in_with_a_token_of_another_purpose(purpose: str, scene: Scene) -> None:
    path = f"/customer/acme/signup/optin/{scene.filled(f'{{{purpose}}}')}"
    assert call("GET", path, token=scene.visitor_token).status_code == 400


@pytest.mark.parametrize("operation", ["email-confirm", "password-reset-update"])
def test_mailed_token_that_was_used(operation: str, scene: Scene) -> None:
    called = BY_NAME[operation]
    assert called.send(scene).status_code == called.success
    assert called.send(scene).status_code == 400


def test_opt_in_token_that_was_used(scene: Scene) -> None:
    """A link that is followed twice answers as the first time for 30 s."""
    assert BY_NAME["opt-in"].send(scene).status_code == BY_NAME["opt-in"].send(scene).status_code == 200
    MailedToken.objects.exclude(used_at=None).update(used_at=timezone.now() - timedelta(seconds=31))
    assert BY_NAME["opt-in"].send(scene).status_code == 400


@pytest.mark.parametrize("operation", ["email-confirm", "password-reset-update", "opt-in", "me-delete-by-token"])
def test_mailed_token_that_expired(operation: str, scene: Scene) -> None:
    MailedToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert BY_NAME[operation].send(scene).status_code == 400


def test_deletion_with_another_customers_token(scene: Scene) -> None:
    other = factories.log_in(factories.make_customer(scene.tenant, email=NEW_EMAIL))
    called = BY_NAME["me-delete-by-token"]
    assert called.send(scene, token=other.access_token).status_code == 400
    assert Customer.objects.filter(erased_at=None).count() == 3
    assert called.send(scene).status_code == 204
    assert Customer.objects.filter(erased_at=None).count() == 2


def test_password_of_another_customers_log_in(scene: Scene) -> None:
    other = factories.log_in(factories.make_customer(scene.tenant, email=NEW_EMAIL))
    body = CREDENTIALS | {"newEmail": "mine@example.com"}
    refused = BY_NAME["email-change"].send(scene, json=body, token=other.access_token)
    assert refused.status_code == 400
    check_refusal(refused, "emporix")


@pytest.mark.parametrize("operation", ["social-login", "exchange"])
def test_provider_of_another_tenant(operation: str, scene: Scene, other_tenant: Tenant) -> None:
    visitor = factories.open_anonymous(other_tenant).pair.access_token
    path = BY_NAME[operation].path_in(scene, tenant_code="globex")
    assert call("POST", path, token=visitor).status_code == 400


def test_customer_number_of_someone_erased_is_not_given_again(scene: Scene) -> None:
    assert BY_NAME["me-delete-by-token"].send(scene).status_code == 204
    again = BY_NAME["signup"].send(scene, json=CREDENTIALS)
    assert (again.status_code, body_of(again)) == (201, {"id": "10000002"})


def test_a_deactivated_tenant(scene: Scene) -> None:
    operations = [each.prepared(scene) if each.contract == "kibo" else each for each in EVERY_OPERATION]
    application_token = scene.values["application"]()
    Tenant.objects.update(is_active=False)
    for operation in operations:
        expected = {"emporix": 400, "kibo": 401}.get(operation.contract, 404)
        assert operation.send(scene).status_code == expected
    assert call("GET", "/platform/tenants/10001", token=application_token).status_code == 401
