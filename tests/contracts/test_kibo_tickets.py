"""Tickets: for visitors, by password, by code, by two factors, by refresh token; and where they are accepted."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import jwt
import pytest

from auth_providers.models import AuthProvider, KnownDevice, Session
from customers.models import Customer
from tenants.models import Message, SecondFactor, Tenant
from tests import factories
from tests.contracts.calls import body_of, call
from tests.contracts.kibo import TICKETS, ask
from tests.contracts.neostore_calls import sent_code
from tests.contracts.shapes import check_refusal

BROWSER = {"fingerprint": "a browser", "region": "DE"}
CREDENTIALS = {"username": factories.EMAIL, "password": factories.PASSWORD}
NOBODYS_EMAIL = "nobody@example.com"


@pytest.fixture
def shop(tenant: Tenant) -> Tenant:
    """A tenant that sends codes, and has one customer."""
    AuthProvider.objects.create(tenant=tenant, name="otp", kind="otp")
    factories.make_customer(tenant, first_name="Ada", last_name="Lovelace")
    return tenant


def post(shop: Tenant, path: str, json: Any, *, user_claims: str = "", status: int = 200) -> Any:
    """The body of the answer."""
    headers = {"x-vol-user-claims": user_claims} if user_claims else {}
    answer = ask(shop, "POST", f"{TICKETS}{path}", json=json, headers=headers)
    assert answer.status_code == status, answer.content
    if status >= 400:
        check_refusal(answer, "kibo")
    return body_of(answer)


def log_in_by_code(shop: Tenant, email: str = factories.EMAIL, **rest: Any) -> Any:
    post(shop, "/otp/request", {"email": email})
    body = {"email": email, "otpCode": sent_code(email)} | rest.pop("device", {})
    return post(shop, "/otp/auth", body, **rest)


def visit(shop: Tenant) -> Any:
    return body_of(ask(shop, "GET", f"{TICKETS}/anonymousshopper"))


def refresh(shop: Tenant, ticket: Any) -> Any:
    return ask(shop, "PUT", f"{TICKETS}/refresh?refreshToken={ticket['refreshToken']}")


# -- by code ----------------------------------------------------------------------------------------------------------
def test_a_ticket_by_code_opens_the_other_contracts(shop: Tenant) -> None:
    ticket = log_in_by_code(shop)
    assert (ticket["userId"], ticket["requires2FA"]) == ("10000001", False)
    assert Session.objects.latest("authenticated_at").method == "otp"
    for token in (ticket["accessToken"], ticket["jwtAccessToken"]):
        assert body_of(call("GET", "/customer/acme/me", token=token))["firstName"] == "Ada"
        profile = body_of(call("GET", "/api/acme/customer", token=token))
        assert (profile["provider"], profile["firstName"]) == ("otp", "Ada")


def test_a_code_for_somebody_new_brings_them_in(shop: Tenant) -> None:
    ticket = log_in_by_code(shop, NOBODYS_EMAIL)
    assert ticket["customerAccount"]["emailAddress"] == NOBODYS_EMAIL
    assert ticket["customerAccount"]["id"] == 10000002


def test_asking_for_a_code_tells_nothing(shop: Tenant, statements: Callable[[Callable[[], Any]], list[str]]) -> None:
    AuthProvider.objects.update(is_provisioning=False)
    ask(shop, "GET", f"{TICKETS}/anonymousshopper")
    answers: list[Any] = []

    def ask_for(email: str) -> None:
        answers.append(ask(shop, "POST", f"{TICKETS}/otp/request", json={"email": email}))

    counts = [len(statements(partial(ask_for, email))) for email in (factories.EMAIL, NOBODYS_EMAIL)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"")] * 2
    assert counts[0] == counts[1]
    wrong = [post(shop, "/otp/auth", {"email": email, "otpCode": "x"}, status=401) for email in (factories.EMAIL, "x")]
    assert wrong[0]["message"] == wrong[1]["message"]


def test_a_code_is_good_once(shop: Tenant) -> None:
    post(shop, "/otp/request", {"email": factories.EMAIL})
    body = {"email": f" {factories.EMAIL.upper()}", "otpCode": sent_code(factories.EMAIL)}
    post(shop, "/otp/auth", body)
    assert post(shop, "/otp/auth", body, status=401)["errorCode"] == "INVALID_CREDENTIALS"


def test_three_wrong_codes_use_a_code_up(shop: Tenant) -> None:
    post(shop, "/otp/request", {"email": factories.EMAIL})
    code = sent_code(factories.EMAIL)
    for _ in range(3):
        post(shop, "/otp/auth", {"email": factories.EMAIL, "otpCode": f"{(int(code) + 1) % 10**6:06d}"}, status=401)
    post(shop, "/otp/auth", {"email": factories.EMAIL, "otpCode": code}, status=401)


def test_a_malformed_answer_does_not_spend_the_code(shop: Tenant) -> None:
    """What it asks of the answer is read before anything happens."""
    post(shop, "/otp/request", {"email": factories.EMAIL})
    body = {"email": factories.EMAIL, "otpCode": sent_code(factories.EMAIL)}
    post(shop, "/otp/auth?responseFields=userId(", body, status=400)
    assert post(shop, "/otp/auth?responseFields=userId", body) == {"userId": "10000001"}


def test_a_tenant_that_sends_no_codes(tenant: Tenant) -> None:
    assert post(tenant, "/otp/request", {"email": factories.EMAIL}, status=400)["errorCode"] == (
        "MISSING_OR_INVALID_PARAMETER"
    )
    assert not Message.objects.exists()


def test_the_mail_is_the_sites(shop: Tenant) -> None:
    post(shop, "/otp/request", {"email": factories.EMAIL})
    assert Message.objects.latest("pk").site == "main"


def test_a_customer_on_hold(shop: Tenant) -> None:
    post(shop, "/otp/request", {"email": factories.EMAIL})
    Customer.objects.update(is_on_hold=True)
    body = {"email": factories.EMAIL, "otpCode": sent_code(factories.EMAIL)}
    assert post(shop, "/otp/auth", body, status=401)["errorCode"] == "INVALID_CREDENTIALS"
    assert post(shop, "", CREDENTIALS, status=401)["errorCode"] == "INVALID_CREDENTIALS"


# -- visitors ---------------------------------------------------------------------------------------------------------
def test_a_log_in_goes_on_with_the_visit(shop: Tenant) -> None:
    guest = visit(shop)
    assert (guest["customerAccount"]["isAnonymous"], guest["jwtAccessToken"]) == (True, None)
    assert (
        body_of(call("GET", "/customer/acme/validateauthtoken", token=guest["accessToken"]))["sessionId"]
        == (guest["userId"])
    )
    log_in_by_code(shop, user_claims=guest["accessToken"])
    session = Session.objects.get(pk=guest["userId"])
    assert (session.customer_id is not None, session.site) == (True, "main")
    assert Session.objects.count() == 1


@pytest.mark.parametrize("kind", ["garbage", "expired", "of another tenant", "of a customer"])
def test_user_claims_that_are_no_visitors_spoil_nothing(
    kind: str, shop: Tenant, other_tenant: Tenant, pass_time: Callable[[timedelta], None]
) -> None:
    other = factories.log_in(factories.make_customer(shop, email="charles@example.com"))
    claims = {
        "garbage": "x" * 5000,
        "expired": visit(shop)["accessToken"],
        "of another tenant": factories.open_anonymous(other_tenant).pair.access_token,
        "of a customer": other.access_token,
    }[kind]
    if kind == "expired":
        pass_time(timedelta(hours=2))
    before = Session.objects.count()
    ticket = post(shop, "", CREDENTIALS, user_claims=claims)
    assert ticket["customerAccount"]["emailAddress"] == factories.EMAIL
    assert Session.objects.count() == before + 1
    assert Session.objects.exclude(authenticated_at=None).latest("authenticated_at").api_key is None


# -- refreshing -------------------------------------------------------------------------------------------------------
def test_a_refresh_rotates_and_repeats(shop: Tenant) -> None:
    ticket = post(shop, "", CREDENTIALS)
    first, again = body_of(refresh(shop, ticket)), body_of(refresh(shop, ticket))
    assert first["accessToken"] == again["accessToken"] != ticket["accessToken"]
    assert first["customerAccount"] == ticket["customerAccount"]
    assert body_of(call("GET", "/api/acme/customer", token=first["jwtAccessToken"]))["provider"] == "password"


def test_a_refresh_token_outlives_the_access_token(shop: Tenant, pass_time: Callable[[timedelta], None]) -> None:
    """Storefronts refresh only when the access token has expired."""
    ticket = post(shop, "", CREDENTIALS)
    for each in (ticket, visit(shop)):
        assert each["refreshTokenExpiration"] > each["accessTokenExpiration"]
    pass_time(timedelta(seconds=shop.renewable_access_lifetime))
    assert call("GET", "/customer/acme/me", token=ticket["accessToken"]).status_code == 401
    newer = body_of(refresh(shop, ticket))
    assert newer["refreshTokenExpiration"] > newer["accessTokenExpiration"]
    assert call("GET", "/customer/acme/me", token=newer["accessToken"]).status_code == 200


def test_the_refresh_token_outlives_the_access_token_also_at_the_end_of_the_session(shop: Tenant) -> None:
    Tenant.objects.update(session_lifetime=60)
    for each in (post(shop, "", CREDENTIALS), visit(shop)):
        newer = body_of(refresh(shop, each))
        for ticket in (each, newer):
            assert ticket["refreshTokenExpiration"] > ticket["accessTokenExpiration"]


def test_a_tickets_jwt_says_who_the_user_is_in_the_contracts_own_claim(shop: Tenant) -> None:
    ticket = post(shop, "", CREDENTIALS)
    for each in (ticket, body_of(refresh(shop, ticket))):
        claims = jwt.decode(each["jwtAccessToken"], options={"verify_signature": False})
        assert claims["https://www.kibocommerce.com/user_claims"] == {"uid": ticket["userId"], "anon": "0", "bv": []}
        assert claims["sub"] == ticket["userId"]


def test_a_refresh_token_that_was_stolen_ends_the_session(shop: Tenant, pass_time: Callable[[timedelta], None]) -> None:
    ticket = post(shop, "", CREDENTIALS)
    newer = body_of(refresh(shop, ticket))
    pass_time(timedelta(minutes=1))
    for each in (ticket, newer):
        refused = refresh(shop, each)
        assert (refused.status_code, body_of(refused)["errorCode"]) == (401, "INVALID_CREDENTIALS")


def test_a_visitors_refresh_keeps_the_visit(shop: Tenant) -> None:
    guest = visit(shop)
    newer = body_of(refresh(shop, guest))
    assert newer["userId"] == guest["userId"]
    assert newer["accessToken"] != guest["accessToken"]
    assert newer["customerAccount"]["isAnonymous"] is True


def test_a_refresh_token_of_another_tenant(shop: Tenant, other_tenant: Tenant) -> None:
    ticket, guest = post(shop, "", CREDENTIALS), visit(shop)
    for each in (ticket, guest):
        assert refresh(other_tenant, each).status_code == 401
        assert refresh(shop, each).status_code == 200


def test_a_refresh_token_that_expired(shop: Tenant, pass_time: Callable[[timedelta], None]) -> None:
    tickets = [post(shop, "", CREDENTIALS), visit(shop)]
    pass_time(timedelta(seconds=shop.renewable_refresh_lifetime))
    for each in tickets:
        refused = refresh(shop, each)
        assert (refused.status_code, body_of(refused)["errorCode"]) == (401, "INVALID_CREDENTIALS")


# -- two factors ------------------------------------------------------------------------------------------------------
def ask_for_second_factor(shop: Tenant, **device: Any) -> str:
    due = post(shop, "", CREDENTIALS | device)
    assert due["requires2FA"] is True
    assert {due[name] for name in due if name not in ("requires2FA", "userId")} == {None}
    return str(due["userId"])


def complete(shop: Tenant, user_id: str) -> Any:
    return post(shop, "/2fa/auth", {"userId": user_id, "otpCode": sent_code(factories.EMAIL)})


def test_a_new_device_needs_a_second_factor_once(shop: Tenant) -> None:
    Tenant.objects.update(second_factor_policy=SecondFactor.NEW_DEVICE)
    # Known from the sign-up, which came from the same network and software.
    assert post(shop, "", CREDENTIALS)["requires2FA"] is False
    assert post(shop, "", CREDENTIALS | {"fingerprint": None, "region": ""})["requires2FA"] is False
    user_id = ask_for_second_factor(shop, **BROWSER)
    post(shop, "/2fa/request", {"userId": user_id})
    ticket = complete(shop, user_id)
    assert (ticket["requires2FA"], ticket["userId"]) == (False, "10000001")
    assert ticket["customerAccount"]["last2FaDate"]
    assert post(shop, "", CREDENTIALS | BROWSER)["requires2FA"] is False
    ask_for_second_factor(shop, fingerprint="another", region="DE")
    ask_for_second_factor(shop, fingerprint=BROWSER["fingerprint"], region="FR")


def test_a_device_that_is_known_by_its_code(shop: Tenant) -> None:
    """What a log-in by code tells of the device counts for a log-in by password, too."""
    log_in_by_code(shop, device=BROWSER)
    Tenant.objects.update(second_factor_policy=SecondFactor.NEW_DEVICE)
    assert post(shop, "", CREDENTIALS | BROWSER)["requires2FA"] is False


def test_a_log_in_by_code_from_a_new_device_needs_another_code_once(shop: Tenant) -> None:
    Tenant.objects.update(second_factor_policy=SecondFactor.NEW_DEVICE)
    due = log_in_by_code(shop, device=BROWSER)
    assert (due["requires2FA"], due["accessToken"]) == (True, None)
    post(shop, "/2fa/request", {"userId": due["userId"]})
    assert complete(shop, due["userId"])["requires2FA"] is False
    assert log_in_by_code(shop, device=BROWSER)["requires2FA"] is False


def test_the_second_code_is_asked_for_where_a_call_has_no_body(shop: Tenant) -> None:
    Tenant.objects.update(second_factor_policy=SecondFactor.ALWAYS)
    user_id = ask_for_second_factor(shop)
    headers = {"x-vol-user-claims": user_id}
    answer = ask(shop, "POST", f"{TICKETS}/2fa/request", body=b"", content_type="", headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    complete(shop, user_id)
    assert post(shop, "/2fa/request", {"userId": user_id}, status=401)["errorCode"] == "INVALID_CREDENTIALS"


def test_a_second_factor_goes_on_with_the_visit(shop: Tenant) -> None:
    Tenant.objects.update(second_factor_policy=SecondFactor.ALWAYS)
    guest = visit(shop)
    due = post(shop, "", CREDENTIALS | BROWSER, user_claims=guest["accessToken"])
    post(shop, "/2fa/request", {"userId": due["userId"]})
    complete(shop, due["userId"])
    assert Session.objects.get().pk == Session.objects.get(pk=guest["userId"]).pk


@pytest.mark.parametrize("end", ["", ".", ".x", ".." + "a" * 32, "." + "A" * 32, "." + "a" * 33])
def test_a_user_id_that_was_changed_tells_of_no_device(end: str, shop: Tenant) -> None:
    Tenant.objects.update(second_factor_policy=SecondFactor.ALWAYS)
    handle = ask_for_second_factor(shop, **BROWSER).partition(".")[0]
    post(shop, "/2fa/request", {"userId": handle + end})
    complete(shop, handle + end)
    assert set(KnownDevice.objects.values_list("device", flat=True)) == {factories.CLIENT.device}


def test_a_user_id_of_another_tenant(shop: Tenant, other_tenant: Tenant) -> None:
    Tenant.objects.update(second_factor_policy=SecondFactor.ALWAYS)
    user_id = ask_for_second_factor(shop)
    assert post(other_tenant, "/2fa/request", {"userId": user_id}, status=401)["errorCode"] == "INVALID_CREDENTIALS"
    post(other_tenant, "/2fa/auth", {"userId": user_id, "otpCode": "000000"}, status=401)
