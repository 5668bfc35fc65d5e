"""Staff log in at the company's OpenID provider: who gets in, with which roles, and after which second factor."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from social_django.models import Association, UserSocialAuth

from config.environment.single_sign_on import SingleSignOn
from tenants.models import AuditEvent, Role, StaffAuthenticator, StaffEvent, StaffMembership, Tenant, enrol_staff
from tenants.secrets.encryption import decrypt
from tests import authenticators, oidc_provider
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import LIST, Page

START, COMPLETE = "/admin/single-sign-on/", "/admin/single-sign-on/complete/"
LOG_IN, ENROL, CODE = "/admin/login/?next=/admin/", "/admin/second-factor/", "/admin/code/"


@pytest.fixture(scope="module")
def company() -> Iterator[oidc_provider.Provider]:
    with oidc_provider.running() as provider:
        yield provider


@pytest.fixture
def provider(db: None, company: oidc_provider.Provider, settings: Settings) -> SingleSignOn:
    settings.STAFF_SINGLE_SIGN_ON = SingleSignOn(
        issuer=company.issuer, client_id="patron", client_secret="of the company", roles_claim="shops"
    )
    return settings.STAFF_SINGLE_SIGN_ON  # type: ignore[no-any-return]


def callback(client: Client, subject: str = "ada", start: str = START, **claims: Any) -> str:
    """Log in at the provider as a browser does. Returns where it sends the browser back to."""
    there = client.get(start)["Location"]
    issuer = f"{urlsplit(there).scheme}://{urlsplit(there).netloc}"
    if claims:
        oidc_provider.Provider(issuer=issuer).sign_up(subject, **claims)
    answer = httpx.post(there, data={"sub": subject}, verify=oidc_provider.NO_AUTHORITIES)
    back = answer.headers["location"]
    assert back.startswith(f"http://localhost:8000{COMPLETE}?"), answer.text
    return back.removeprefix("http://localhost:8000")


def log_in(client: Client, subject: str = "ada", start: str = START, **claims: Any) -> Any:
    return client.get(callback(client, subject, start, **claims))


def roles_of(username: str) -> dict[str, str]:
    rows = StaffMembership.objects.filter(user__username=username)
    return dict(rows.values_list("tenant__code", "role"))


def trail() -> list[tuple[str, str, bool, str]]:
    return list(StaffEvent.objects.order_by("pk").values_list("action", "username", "is_success", "reason"))


def test_the_log_in_page_leads_to_the_provider_and_back_to_where_it_began(
    provider: SingleSignOn, tenant: Tenant
) -> None:
    client = Client()
    assert f'href="{START}?next={LIST}"' in Page(client.get(f"/admin/login/?next={LIST}")).text
    answer = log_in(
        client,
        start=f"{START}?next={LIST}",
        preferred_username="ada.l",
        email="ada@acme.example",
        given_name="Ada",
        family_name="Lovelace",
        shops=[f"{tenant.code}:support"],
    )
    assert (answer.status_code, answer["Location"]) == (302, LIST)
    assert client.get(LIST).status_code == 200
    user = User.objects.get(username="ada.l")
    assert (user.email, user.get_full_name(), user.has_usable_password()) == ("ada@acme.example", "Ada Lovelace", False)
    assert (user.is_staff, user.is_superuser, roles_of("ada.l")) == (True, False, {tenant.code: "support"})
    assert trail() == [("log_in", "ada.l", True, "single sign-on")]
    given = AuditEvent.objects.get(tenant=tenant, action="give_role")
    assert (given.staff_username, given.reason) == ("single sign-on", "ada.l: support")


def test_nothing_of_the_providers_tokens_is_kept(provider: SingleSignOn, tenant: Tenant) -> None:
    log_in(Client(), shops=[f"{tenant.code}:viewer"])
    assert (UserSocialAuth.objects.get().extra_data, Association.objects.count()) == ({}, 0)


def test_who_has_no_user_name_there_is_called_by_the_address(provider: SingleSignOn, tenant: Tenant) -> None:
    log_in(Client(), email="ada@acme.example", shops=[f"{tenant.code}:viewer"])
    assert User.objects.get().username == "ada@acme.example"


def test_the_same_identity_is_the_same_user_whatever_it_is_called(provider: SingleSignOn, tenant: Tenant) -> None:
    for name in ("ada.l", "ada.king"):
        log_in(Client(), preferred_username=name, shops=[f"{tenant.code}:viewer"])
    assert User.objects.get().username == "ada.l"


def test_a_user_name_or_an_e_mail_of_somebody_else_gives_nobody_their_access(
    provider: SingleSignOn, tenant: Tenant
) -> None:
    User.objects.create_superuser("clara", "clara@acme.example", None)
    log_in(
        Client(), preferred_username="clara", email="clara@acme.example", email_verified=True,
        shops=[f"{tenant.code}:viewer"],
    )  # fmt: skip
    other = User.objects.exclude(username="clara").get()
    assert (other.username.startswith("clara"), other.is_superuser, roles_of("clara")) == (True, False, {})


def test_the_same_subject_at_another_issuer_is_somebody_else(
    provider: SingleSignOn, tenant: Tenant, settings: Settings
) -> None:
    log_in(Client(), preferred_username="ada", shops=[f"{tenant.code}:viewer"])
    with oidc_provider.running() as other:
        settings.STAFF_SINGLE_SIGN_ON = replace(provider, issuer=other.issuer)
        log_in(Client(), preferred_username="ada", shops=[f"{tenant.code}:viewer"])
    assert User.objects.count() == 2


def test_roles_are_those_of_the_claim_at_every_log_in(
    provider: SingleSignOn, tenant: Tenant, other_tenant: Tenant
) -> None:
    own, other = tenant.code, other_tenant.code
    for shops, expected in [
        ([f"{own}:viewer", f"{own}:manager", f"{own}:support"], {own: "manager"}),  # the highest
        ([f"{own}:manager", f"{other}:owner"], {own: "manager", other: "owner"}),
        (f"{other}:viewer", {other: "viewer"}),
        ([f"{other}:viewer", "nowhere:owner", f"{own}:emperor", ":owner", 7], {other: "viewer"}),
    ]:
        log_in(Client(), preferred_username="ada", shops=shops)
        assert roles_of("ada") == expected
    lines = AuditEvent.objects.filter(action__in=["give_role", "take_role"]).order_by("pk")
    assert list(lines.values_list("tenant__code", "action", "reason")) == [
        (own, "give_role", "ada: manager"),
        (other, "give_role", "ada: owner"),
        (own, "take_role", "ada: manager"),
        (other, "give_role", "ada: viewer"),
    ]


def test_who_has_no_role_any_more_is_out(provider: SingleSignOn, tenant: Tenant) -> None:
    client = Client()
    log_in(client, preferred_username="ada", shops=[f"{tenant.code}:owner"])
    answer = log_in(Client(), shops=[])
    assert (answer.status_code, "no role in any shop" in Page(answer).text) == (403, True)
    assert roles_of("ada") == {}
    assert trail()[-1] == ("single_sign_on", "ada", False, "Your account has no role in any shop.")
    assert client.get(LIST).status_code == 403  # the session of before shows nothing either


def test_who_never_had_a_role_does_not_become_a_user(provider: SingleSignOn) -> None:
    assert log_in(Client(), "mallory", preferred_username="mallory").status_code == 403
    assert not User.objects.exists()


@pytest.mark.parametrize("lost", ["is_active", "is_staff"])
def test_who_was_locked_out_by_hand_stays_out(provider: SingleSignOn, tenant: Tenant, lost: str) -> None:
    log_in(Client(), preferred_username="ada", shops=[f"{tenant.code}:owner"])
    User.objects.update(**{lost: False})
    client = Client()
    assert log_in(client, shops=[f"{tenant.code}:owner"]).status_code == 403
    assert "_auth_user_id" not in client.session


def test_groups_of_the_companys_own_are_translated_and_may_lie_deep(
    provider: SingleSignOn, tenant: Tenant, settings: Settings
) -> None:
    group = "CN=shop-support,OU=acme"
    settings.STAFF_SINGLE_SIGN_ON = replace(
        provider, roles_claim="realm_access.roles", roles={group: (f"{tenant.code}:support",)}
    )
    log_in(Client(), preferred_username="ada", realm_access={"roles": [group]})
    assert roles_of("ada") == {tenant.code: "support"}


@pytest.mark.parametrize("word", ["operator", "superuser", "is_superuser", "admin", "*:owner", "patron-operators"])
def test_no_claim_makes_an_operator(provider: SingleSignOn, tenant: Tenant, word: str) -> None:
    log_in(
        Client(), preferred_username="ada", shops=[word, f"{tenant.code}:owner", f"{tenant.code}:{word}"],
        is_superuser=True, is_staff=True, groups=[word], roles=[word],
    )  # fmt: skip
    assert (User.objects.get().is_superuser, roles_of("ada")) == (False, {tenant.code: "owner"})


def test_the_value_that_an_operator_has_named_does_and_its_absence_ends_it(
    provider: SingleSignOn, tenant: Tenant, settings: Settings
) -> None:
    settings.STAFF_SINGLE_SIGN_ON = replace(provider, operators=frozenset({"patron-operators"}))
    for shops, expected in [
        (["patron-operators"], True),
        ([f"{tenant.code}:owner"], False),
        (["patron-operators"], True),
    ]:
        log_in(Client(), preferred_username="ada", shops=shops)
        assert User.objects.get().is_superuser is expected
    assert log_in(Client(), shops=[]).status_code == 403
    assert User.objects.get().is_superuser is False
    changes = [action for action, *_ in trail() if "operator" in action]
    assert changes == ["made_operator", "no_operator_any_more"] * 2


def test_without_a_claim_for_roles_owners_give_them(provider: SingleSignOn, tenant: Tenant, settings: Settings) -> None:
    settings.STAFF_SINGLE_SIGN_ON = replace(provider, roles_claim="")
    client = Client()
    log_in(client, preferred_username="ada", shops=[f"{tenant.code}:owner"])
    assert roles_of("ada") == {}
    assert client.get(LIST).status_code == 403
    StaffMembership.objects.create(tenant=tenant, user=User.objects.get(), role=Role.SUPPORT)
    log_in(client)
    assert (roles_of("ada"), client.get(LIST).status_code) == ({tenant.code: "support"}, 200)


# -- the second factor ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "is_enough"),
    [
        ({"amr": ["pwd", "mfa"]}, True),
        ({"acr": "gold"}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": 7}, False),
        ({}, False),
    ],
)
def test_what_the_provider_asserts_is_the_second_factor_where_an_operator_says_so(
    provider: SingleSignOn, tenant: Tenant, settings: Settings, claims: dict[str, Any], is_enough: bool
) -> None:
    settings.STAFF_SECOND_FACTOR = True
    settings.STAFF_SINGLE_SIGN_ON = replace(provider, second_factor=frozenset({"mfa", "gold"}))
    client = Client()
    log_in(client, shops=[f"{tenant.code}:support"], **claims)
    assert (client.get(LIST).status_code == 200) is is_enough
    assert is_enough or client.get(LOG_IN)["Location"] == ENROL


def test_ours_is_asked_for_whatever_the_provider_says_where_nobody_has_decided(
    provider: SingleSignOn, tenant: Tenant, settings: Settings
) -> None:
    settings.STAFF_SECOND_FACTOR = True
    client = Client()
    log_in(client, preferred_username="ada", shops=[f"{tenant.code}:support"], amr=["mfa"])
    assert (client.get(LIST).status_code, client.get(LOG_IN)["Location"]) == (302, ENROL)


def test_who_has_an_app_shows_its_code_after_the_provider(
    provider: SingleSignOn, tenant: Tenant, settings: Settings
) -> None:
    settings.STAFF_SECOND_FACTOR = True
    claims: dict[str, Any] = {"preferred_username": "ada", "shops": [f"{tenant.code}:support"]}
    log_in(Client(), **claims)
    device, _ = enrol_staff(user_id=User.objects.get().pk, name="app")
    client = Client()
    log_in(client, **claims)
    for path in (LIST, "/admin/"):
        assert client.get(path)["Location"].startswith("/admin/login/"), path
    assert client.get(LOG_IN)["Location"] == CODE
    assert "Wrong code" in Page(client.post(CODE, {"code": "000000"})).text
    assert client.get(LIST).status_code == 302
    StaffAuthenticator.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    right = authenticators.code_of(decrypt(device.secret_encrypted))
    assert client.post(CODE, {"code": right}).status_code == 302
    assert client.get(LIST).status_code == 200
    assert [line[2:] for line in trail()[-2:]] == [(False, "wrong code"), (True, "")]


def test_codes_are_not_guessed_without_end(provider: SingleSignOn, tenant: Tenant, settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = True
    client = Client()
    log_in(client, shops=[f"{tenant.code}:support"])
    device, _ = enrol_staff(user_id=User.objects.get().pk, name="app")
    for _ in range(5):
        client.post(CODE, {"code": "000000"})
    right = authenticators.code_of(decrypt(device.secret_encrypted))
    assert "Too many failed attempts" in Page(client.post(CODE, {"code": right})).text


@pytest.mark.parametrize("path", [CODE, ENROL])
def test_the_page_for_the_code_is_for_nobody_else(db: None, tenant: Tenant, path: str) -> None:
    for client in (Client(), log_in_as(tenant)):
        assert client.get(path)["Location"] == "/admin/"
        assert client.post(path, {"code": "000000"})["Location"] == "/admin/"


# -- what does not get in ---------------------------------------------------------------------------------------------


def test_a_log_in_that_somebody_else_began_is_refused(provider: SingleSignOn, tenant: Tenant) -> None:
    back = callback(Client(), shops=[f"{tenant.code}:owner"])
    victim = Client()
    assert victim.get(back).status_code == 403
    victim.get(START)
    assert victim.get(back).status_code == 403
    assert not User.objects.exists()
    assert {line[:3] for line in trail()} == {("single_sign_on", "", False)}


def test_a_log_in_works_once(provider: SingleSignOn, tenant: Tenant) -> None:
    client = Client()
    back = callback(client, shops=[f"{tenant.code}:owner"])
    assert [client.get(back).status_code for _ in range(2)] == [302, 403]


@pytest.mark.parametrize("change", ["nonce", "client_id"])
def test_what_was_asked_for_with_another_request_is_refused(
    provider: SingleSignOn, tenant: Tenant, change: str
) -> None:
    """As if the code of one browser's log-in were put into another's (RFC 9700, 4.5)."""
    client = Client()
    there = urlsplit(client.get(START)["Location"])
    asked = {name: values[0] for name, values in parse_qs(there.query).items()}
    assert (len(asked["nonce"]), asked["code_challenge_method"], asked["response_type"]) == (64, "S256", "code")
    issuer = oidc_provider.Provider(issuer=provider.issuer)
    issuer.sign_up("ada", shops=[f"{tenant.code}:owner"])
    answer = httpx.post(
        there._replace(query="").geturl(), params=asked | {change: "x" * 43}, data={"sub": "ada"},
        verify=oidc_provider.NO_AUTHORITIES,
    )  # fmt: skip
    back = answer.headers["location"].removeprefix("http://localhost:8000")
    assert client.get(back).status_code == 403
    assert not User.objects.exists()


def test_who_declines_at_the_provider_and_a_provider_that_is_down_are_told(
    provider: SingleSignOn, settings: Settings
) -> None:
    client = Client()
    state = parse_qs(urlsplit(client.get(START)["Location"]).query)["state"][0]
    answer = client.get(COMPLETE, {"error": "access_denied", "error_description": "<b>no</b>", "state": state})
    assert (answer.status_code, "canceled" in Page(answer).text, "<b>no" in Page(answer).text) == (403, True, False)
    settings.STAFF_SINGLE_SIGN_ON = replace(provider, issuer="http://localhost:1")
    answer = client.get(START)
    assert (answer.status_code, Page(answer).inline) == (403, [])


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_nobody_is_led_elsewhere(provider: SingleSignOn, tenant: Tenant, path: str) -> None:
    answer = log_in(Client(), start=f"{START}?next={path}", shops=[f"{tenant.code}:owner"])
    assert answer["Location"] == "/admin/"


def test_without_a_provider_there_is_no_such_page(db: None) -> None:
    assert [Client().get(path).status_code for path in (START, COMPLETE)] == [404, 404]
    assert START not in Page(Client().get("/admin/login/")).text


def test_passwords_can_be_switched_off(provider: SingleSignOn, tenant: Tenant, settings: Settings) -> None:
    User.objects.create_superuser("clara", "", "clara's long password")
    settings.STAFF_PASSWORDS = False
    page = Page(Client().get(LOG_IN))
    assert (START in page.text, "password" in page.fields) == (True, False)
    client = Client()
    answer = client.post(LOG_IN, {"username": "clara", "password": "clara's long password", "code": ""})
    assert ("your company" in Page(answer).text, "_auth_user_id" in client.session) == (True, False)
