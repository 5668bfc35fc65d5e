"""Which application calls, for which tenant and site, and what its token is accepted for."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from auth_providers import limits
from auth_providers.models import Session
from auth_providers.tokens import client_credentials
from tenants import api_keys, sites
from tenants.models import ApiKey, AuditEvent, Tenant
from tests import factories
from tests.contracts.calls import body_of, call, rolled_back
from tests.contracts.kibo import CLIENT_ID, OAUTH, TICKETS, application_token, ask, make_application
from tests.contracts.operations import BY_NAME
from tests.contracts.scene import Scene
from tests.contracts.shapes import check_answer, check_refusal
from tests.contracts.test_hostile_bodies import bounded
from tests.contracts.test_hostile_requests import HOSTILE_JWTS, header_texts

OLDER = "/api/platform/applications/authtickets"
VISIT = f"{TICKETS}/anonymousshopper"
CORRELATION = "0f0e0d0c-0b0a-4908-8706-050403020100"


def log_in(secret: str, *, client_id: str = CLIENT_ID, **rest: Any) -> Any:
    return call("POST", OAUTH, json={"client_id": client_id, "client_secret": secret}, **rest)


def code_of(answer: Any) -> tuple[int, str]:
    check_refusal(answer, "kibo")
    return answer.status_code, body_of(answer)["errorCode"]


# -- the application's token ------------------------------------------------------------------------------------------
def test_credentials_name_the_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    """Client ids are a tenant's own, so two may be alike; the secrets are not."""
    secrets = {each: make_application(each)[1] for each in (tenant, other_tenant)}
    for each, secret in secrets.items():
        token = body_of(log_in(secret))["access_token"]
        assert body_of(call("GET", f"/platform/tenants/{each.number}", token=token))["name"] == each.name
        named = {"x-vol-tenant": str(each.number)}
        assert log_in(secret, headers=named).status_code == 200
        assert log_in(secret, HTTP_HOST=f"t{each.number}.shop.example").status_code == 200
    named = {"x-vol-tenant": str(other_tenant.number)}
    assert code_of(log_in(secrets[tenant], headers=named)) == (401, "INVALID_CREDENTIALS")


def test_credentials_that_fit_two_tenants_open_neither_until_one_is_named(tenant: Tenant, other_tenant: Tenant) -> None:
    for each in (tenant, other_tenant):
        api_keys.replace_secret(key=make_application(each)[0], secret="shared by mistake")
    assert code_of(log_in("shared by mistake")) == (401, "INVALID_CREDENTIALS")
    assert log_in("shared by mistake", headers={"x-vol-tenant": str(tenant.number)}).status_code == 200


@pytest.mark.parametrize("client_id", ["storefront", "nobody", CLIENT_ID])
def test_credentials_that_are_wrong(client_id: str, tenant: Tenant) -> None:
    """The tenant's public key has no secret: nothing fits it."""
    make_application(tenant)
    for secret in ("wrong", "x" * 255):
        assert code_of(log_in(secret, client_id=client_id)) == (401, "INVALID_CREDENTIALS")


def test_an_older_client_gets_a_ticket_and_sends_it_in_its_own_header(tenant: Tenant) -> None:
    secret = make_application(tenant)[1]
    for path in (OLDER, OLDER.removeprefix("/api")):
        ticket = body_of(call("POST", path, json={"applicationId": CLIENT_ID, "sharedSecret": secret}))
        assert ticket.keys() == {"accessToken", "accessTokenExpiration", "refreshToken", "refreshTokenExpiration"}
        headers = {"x-vol-app-claims": ticket["accessToken"]}
        assert call("GET", f"/platform/tenants/{tenant.number}", headers=headers).status_code == 200
    refused = call("POST", OLDER, json={"applicationId": CLIENT_ID, "sharedSecret": "wrong"})
    assert code_of(refused) == (401, "INVALID_CREDENTIALS")
    refused = call("GET", f"/platform/tenants/{tenant.number}", headers={"x-vol-app-claims": "wrong"})
    assert code_of(refused) == (401, "INVALID_ACCESS_TOKEN")


def test_credentials_of_another_grant(tenant: Tenant) -> None:
    body = {"client_id": CLIENT_ID, "client_secret": make_application(tenant)[1], "grant_type": "password"}
    assert code_of(call("POST", OAUTH, json=body)) == (400, "MISSING_OR_INVALID_PARAMETER")


def test_a_client_that_refreshes_sends_its_credentials_again(tenant: Tenant) -> None:
    body = {"client_id": CLIENT_ID, "client_secret": make_application(tenant)[1], "refresh_token": None}
    assert call("POST", OAUTH, json=body).status_code == 200


def test_guessing_from_another_address_does_not_lock_an_application_out(tenant: Tenant, stopped_clock: None) -> None:
    secret = make_application(tenant)[1]
    for _ in range(limits.APPLICATION_LOG_IN_BY_ADDRESS.free):
        assert log_in("wrong", REMOTE_ADDR="198.51.100.9").status_code == 401
    refused = log_in(secret, REMOTE_ADDR="198.51.100.9")
    assert code_of(refused) == (429, "TOO_MANY_REQUESTS")
    assert int(refused.headers["Retry-After"]) >= 1
    assert log_in(secret).status_code == 200


def test_log_ins_of_applications_are_on_the_trail(tenant: Tenant) -> None:
    secret = make_application(tenant)[1]
    log_in("wrong")
    log_in(secret)
    events = AuditEvent.objects.filter(action="application_log_in").order_by("pk")
    assert [(event.is_success, event.reason, event.address) for event in events] == [
        (False, CLIENT_ID, factories.CLIENT.address),
        (True, CLIENT_ID, factories.CLIENT.address),
    ]


def switch_off(key: ApiKey) -> None:
    ApiKey.objects.filter(pk=key.pk).update(is_active=False)


def replace_secret(key: ApiKey) -> None:
    api_keys.replace_secret(key=key)


def delete(key: ApiKey) -> None:
    key.delete()


def close_shop(key: ApiKey) -> None:
    Tenant.objects.update(is_active=False)


@pytest.mark.parametrize("change", [switch_off, replace_secret, delete, close_shop])
def test_a_token_ends_with_its_key(change: Any, tenant: Tenant) -> None:
    token = application_token(tenant)
    assert ask(tenant, "GET", VISIT, token=token).status_code == 200
    change(ApiKey.objects.get(client_id=CLIENT_ID))
    assert code_of(ask(tenant, "GET", VISIT, token=token)) == (401, "INVALID_ACCESS_TOKEN")


def test_a_token_lives_an_hour(tenant: Tenant, pass_time: Any) -> None:
    token = application_token(tenant)
    pass_time(client_credentials.TOKEN_LIFETIME - timedelta(seconds=5))
    assert ask(tenant, "GET", VISIT, token=token).status_code == 200
    pass_time(timedelta(seconds=6))
    assert code_of(ask(tenant, "GET", VISIT, token=token)) == (401, "INVALID_ACCESS_TOKEN")


def test_a_token_that_was_tampered_with(tenant: Tenant) -> None:
    token = application_token(tenant)
    for spoiled in (
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        "x" + token,
        token.replace(".", ".."),
        token + "ü",
    ):
        assert code_of(ask(tenant, "GET", VISIT, headers={"Authorization": f"Bearer {spoiled}"}, token="")) == (
            401,
            "INVALID_ACCESS_TOKEN",
        )


def test_an_applications_token_is_no_customers(tenant: Tenant) -> None:
    token = application_token(tenant)
    for path in ("/customer/acme/me", "/api/acme/customer"):
        assert call("GET", path, token=token).status_code == 401


# -- tenant and site --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["x-vol-tenant", "x-vol-site"])
@pytest.mark.parametrize("text", ["x", "-1", "1.0", "1 2", "9" * 10, "99999999999999999999", "٣", "²", "\xff"])
def test_a_number_that_is_none(text: str, name: str, tenant: Tenant) -> None:
    answer = ask(tenant, "GET", VISIT, headers={name: text})
    assert code_of(answer) == (400, "MISSING_OR_INVALID_PARAMETER")
    assert body_of(answer)["message"].startswith(f"{name}: ")


def test_the_host_names_tenant_and_site(tenant: Tenant, other_tenant: Tenant) -> None:
    sites.create(tenant=tenant, code="de")
    own, other = tenant.number, other_tenant.number
    token = application_token(tenant)

    def visit(host: str, **headers: str) -> Any:
        return call("GET", VISIT, token=token, headers=headers, HTTP_HOST=host)

    assert visit(f"T{own}-S2.shop.example").status_code == 200
    assert Session.objects.latest("created_at").site == "de"
    assert visit(f"t{own}.shop.example", **{"x-vol-site": "1", "x-vol-tenant": f"0{own}"}).status_code == 200
    assert Session.objects.latest("created_at").site == "main"
    assert visit("shop.example").status_code == 200
    assert Session.objects.latest("created_at").site == ""
    assert code_of(visit(f"t{other}-s1.shop.example")) == (401, "INVALID_ACCESS_TOKEN")
    assert code_of(visit(f"t{own}-s3.shop.example"))[0] == 400
    assert code_of(visit(f"t{own}-s2.shop.example", **{"x-vol-site": "1"}))[0] == 400
    assert code_of(visit(f"t{own}-s2.shop.example", **{"x-vol-tenant": str(other)}))[0] == 400


def test_a_host_that_is_not_answered(tenant: Tenant, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = [".shop.example"]
    token = application_token(tenant)
    assert call("GET", VISIT, token=token, HTTP_HOST="t10001-s1.shop.example").status_code == 200
    assert code_of(call("GET", VISIT, token=token, HTTP_HOST="t10001-s1.evil.example"))[0] == 400


def test_a_site_of_another_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    sites.create(tenant=other_tenant, code="de")
    assert code_of(ask(tenant, "GET", VISIT, headers={"x-vol-site": "2"}))[0] == 400


def test_the_domain_is_told_where_clients_can_use_it(tenant: Tenant, settings: Settings) -> None:
    """They put https:// before it."""
    assert body_of(ask(tenant, "GET", f"/platform/tenants/{tenant.number}"))["domain"] is None
    settings.PUBLIC_URL = "https://id.shop.example:8443"
    body = body_of(ask(tenant, "GET", f"/platform/tenants/{tenant.number}/"))
    assert body["domain"] == body["sites"][0]["domain"] == "id.shop.example:8443"


# -- what every answer has --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("sent", [CORRELATION, CORRELATION.replace("-", ""), CORRELATION.upper()])
def test_a_correlation_id_comes_back(sent: str, tenant: Tenant) -> None:
    for path in (VISIT, "/commerce/wishes", OAUTH):
        answer = ask(tenant, "GET", path, headers={"x-vol-correlation": sent})
        assert answer.headers["x-vol-correlation"] == sent
        if answer.status_code != 200:
            assert body_of(answer)["correlationId"] == sent


@pytest.mark.parametrize("sent", ["", "x", CORRELATION + "0", CORRELATION[:-1], CORRELATION.replace("-", "", 1)])
def test_a_correlation_id_that_is_none_is_replaced(sent: str, tenant: Tenant) -> None:
    ids = {ask(tenant, "GET", VISIT, headers={"x-vol-correlation": sent}).headers["x-vol-correlation"] for _ in "ab"}
    assert len(ids) == 2
    assert sent not in ids


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "x"])
@pytest.mark.parametrize(
    "path", ["/commerce", "/api/commerce/", "/api/platform/tenants/x", "/platform/x\n", "/api/commerce/customer"]
)
def test_a_path_that_there_is_not(path: str, method: str, db: None) -> None:
    assert code_of(call(method, path))[0] in {404, 405}


def test_every_path_answers_bare_and_with_a_slash(tenant: Tenant) -> None:
    for path in (VISIT, VISIT.removeprefix("/api"), f"{VISIT}/"):
        assert ask(tenant, "GET", path).status_code == 200


@pytest.mark.parametrize("name", ["x-vol-user-claims", "x-vol-tenant", "x-vol-site", "x-vol-correlation", "Host"])
def test_any_header(name: str, scene: Scene) -> None:
    operations = [BY_NAME[each].prepared(scene) for each in ("kibo-oauth", "kibo-anonymous", "kibo-2fa-request")]

    @bounded
    @given(sent=header_texts | st.sampled_from(list(HOSTILE_JWTS.values())))
    def check(sent: str) -> None:
        environ: Any = {"HTTP_HOST": sent} if name == "Host" else {"headers": {name: sent}}
        for operation in operations:
            with rolled_back():
                check_answer(operation.send(scene, **environ), "kibo")

    check()
