"""One customer, three contracts: sign up through one, log in through the second, read through the third."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from auth_providers.models import OTP, AuthProvider
from customers.models import Customer
from tenants.models import CheckIn, Tenant
from tenants.outbox import worker
from tests import factories, smtp_server
from tests.contracts.kibo import CLIENT_ID, make_application
from tests.smtp_server import SmtpServer

EMAIL = "grace@example.com"
GIVEN = {"email": EMAIL.upper(), "firstName": " Grace ", "lastName": "Hopper", "country": "DEU", "consents_email": True}
TICKETS = "/api/commerce/customer/authtickets"


class Story:
    """What the storefronts do, over HTTP, and what the customer reads in the mail."""

    def __init__(self, http: httpx.Client, smtp: SmtpServer, tenant: Tenant, secret: str) -> None:
        self.http, self.smtp, self.tenant, self.secret = http, smtp, tenant, secret

    def sign_up(self) -> dict[str, Any]:
        """Through Neostore, whose policy here is to verify who is new."""
        asked = self.http.post("/api/acme/customer", json=GIVEN)
        assert asked.status_code == 202, asked.text
        assert not Customer.objects.exists()
        answer = {"challenge": {"id": asked.json()["challengeId"], "code": self.mailed_code()}}
        profile = self.http.post("/api/acme/customer", json=answer)
        assert profile.status_code == 200, profile.text
        return dict(profile.json())

    def log_in(self) -> dict[str, Any]:
        """Through Kibo, by a code."""
        headers = self.application_headers()
        assert self.http.post(f"{TICKETS}/otp/request", json={"email": EMAIL}, headers=headers).status_code == 200
        code = {"email": EMAIL, "otpCode": self.mailed_code(), "fingerprint": None, "region": None}
        ticket = self.http.post(f"{TICKETS}/otp/auth", json=code, headers=headers)
        assert ticket.status_code == 200, ticket.text
        return dict(ticket.json())

    def application_headers(self) -> dict[str, str]:
        application = self.http.post(
            "/api/platform/applications/authtickets/oauth",
            json={"client_id": CLIENT_ID, "client_secret": self.secret, "grant_type": "client_credentials"},
        ).json()
        return {"Authorization": f"Bearer {application['access_token']}", "x-vol-tenant": str(self.tenant.number)}

    def read(self, token: str) -> dict[str, Any]:
        """Through Emporix."""
        profile = self.http.get("/customer/acme/me", headers={"Authorization": f"Bearer {token}"})
        assert profile.status_code == 200, profile.text
        return dict(profile.json())

    def mailed_code(self) -> str:
        worker.send_due()
        mail = self.smtp.mails.pop()
        assert mail["To"] == EMAIL
        text = mail.get_body(("plain",))
        assert text is not None
        found = re.search(r"^\d{6}\s*$", str(text.get_content()), re.M)
        assert found is not None
        return found.group().strip()


@pytest.fixture
def story(live_server: LiveServer, transactional_db: None, settings: Settings) -> Iterator[Story]:
    tenant = factories.make_tenant("acme", check_in_policy=CheckIn.FULL)
    AuthProvider.objects.create(tenant=tenant, name=OTP, kind=OTP, is_provisioning=False)
    _, secret = make_application(tenant)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with smtp_server.running() as smtp, httpx.Client(base_url=live_server.url, timeout=30) as http:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp.port
        yield Story(http, smtp, tenant, secret)


def test_one_customer_through_all_three(story: Story) -> None:
    profile = story.sign_up()
    ticket = story.log_in()
    for token in (ticket["accessToken"], ticket["jwtAccessToken"]):
        me = story.read(token)
        assert (me["firstName"], me["lastName"], me["contactEmail"]) == ("Grace", "Hopper", EMAIL)
        assert me["customerNumber"] == str(ticket["customerAccount"]["id"])
        assert profile["identifiers"]["customerNumber"] == me["customerNumber"]
    assert ticket["customerAccount"]["acceptsMarketing"] is True
    assert Customer.objects.count() == 1


def test_the_other_way_round(story: Story) -> None:
    """Sign up through Emporix, log in through Kibo with that password, read through Neostore."""
    http = story.http
    visit = http.get("/customerlogin/auth/anonymous/login", params={"tenant": "acme", "client_id": "storefront"}).json()
    sign_up = {"email": EMAIL, "password": factories.PASSWORD, "customerDetails": {"firstName": "Grace"}}
    bearer = {"Authorization": f"Bearer {visit['access_token']}"}
    assert http.post("/customer/acme/signup", json=sign_up, headers=bearer).status_code == 201
    credentials = {"username": EMAIL, "password": factories.PASSWORD}
    ticket = http.post(TICKETS, json=credentials, headers=story.application_headers()).json()
    bearer = {"Authorization": f"Bearer {ticket['jwtAccessToken']}"}
    profile = http.get("/api/acme/customer", headers=bearer).json()
    assert (profile["firstName"], profile["provider"]) == ("Grace", "password")
    assert profile["identifiers"]["customerNumber"] == str(ticket["customerAccount"]["id"])
