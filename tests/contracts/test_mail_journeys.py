"""What a customer does with a mail: confirm an account, get a new password, move the e-mail, delete the profile."""

import re

import pytest
from django.core import mail
from rest_framework.test import APIClient

from customers.models import Customer
from tenants.models import Tenant
from tenants.outbox import worker
from tests import factories
from tests.auth_providers import mailbox


def received(address: str = factories.EMAIL) -> list[str]:
    """What the worker sends now to the address: the texts of the mails."""
    mail.outbox.clear()
    worker.send_due()
    return [str(each.body) for each in mail.outbox if each.to == [address]]


def token_in(texts: list[str]) -> str:
    (text,) = [text for text in texts if mailbox.TOKEN.search(text)]
    found = mailbox.TOKEN.search(text)
    assert found is not None
    return found.group()


@pytest.fixture
def visitor(tenant: Tenant) -> APIClient:
    return APIClient(headers={"Authorization": f"Bearer {factories.open_anonymous(tenant).pair.access_token}"})


@pytest.fixture
def customer(tenant: Tenant) -> APIClient:
    logged_in = factories.log_in(factories.make_customer(tenant))
    return APIClient(headers={"Authorization": f"Bearer {logged_in.access_token}"})


def test_an_account_that_has_to_be_confirmed(tenant: Tenant, visitor: APIClient) -> None:
    Tenant.objects.update(is_opt_in_required=True)
    credentials = {"email": factories.EMAIL, "password": factories.PASSWORD}
    assert visitor.post("/customer/acme/signup", credentials).status_code == 201
    assert visitor.post("/customer/acme/login", credentials).status_code == 401
    first = token_in(received())
    assert visitor.post("/customer/acme/signup/optin/refresh_token", {"email": factories.EMAIL}).status_code == 202
    second = token_in(received())
    answer = visitor.get(f"/customer/acme/signup/optin/{second}")
    assert answer.status_code == 200
    assert answer.json()["access_token"]
    assert visitor.get(f"/customer/acme/signup/optin/{first}").status_code == 400
    assert visitor.post("/customer/acme/login", credentials).status_code == 200
    assert visitor.post("/customer/acme/signup/optin/refresh_token", {"email": factories.EMAIL}).status_code == 202
    assert received() == []


def test_a_forgotten_password(tenant: Tenant, customer: APIClient, visitor: APIClient) -> None:
    assert visitor.post("/customer/acme/password/reset/", {"email": factories.EMAIL}).status_code == 204
    token = token_in(received())
    short = visitor.post("/customer/acme/password/reset/update", {"token": token, "password": "short"})
    assert (short.status_code, short.json()["details"][0]["field"]) == (400, "password")
    update = {"token": token, "password": "another battery staple"}
    assert visitor.post("/customer/acme/password/reset/update", update).status_code == 204
    assert customer.get("/customer/acme/me").status_code == 401
    assert visitor.post("/customer/acme/password/reset/update", update).status_code == 400
    log_in = {"email": factories.EMAIL, "password": "another battery staple"}
    assert visitor.post("/customer/acme/login", log_in).status_code == 200
    assert "was changed" in received()[0]


def test_a_new_password_voids_what_was_mailed_before(customer: APIClient, visitor: APIClient) -> None:
    move = {"email": factories.EMAIL, "password": factories.PASSWORD, "newEmail": "mallory@example.com"}
    assert customer.post("/customer/acme/me/accounts/internal/email/change", move).status_code == 204
    stolen = token_in(received("mallory@example.com"))
    assert visitor.post("/customer/acme/password/reset", {"email": factories.EMAIL}).status_code == 204
    update = {"token": token_in(received()), "password": "another battery staple"}
    assert visitor.post("/customer/acme/password/reset/update", update).status_code == 204
    confirm = "/customer/acme/me/accounts/internal/email/change/confirm"
    assert visitor.post(confirm, {"token": stolen}).status_code == 400


def test_a_reset_for_an_unknown_address_sends_nothing(visitor: APIClient) -> None:
    assert visitor.post("/customer/acme/password/reset", {"email": "nobody@example.com"}).status_code == 204
    assert received("nobody@example.com") == []


def test_a_changed_password_keeps_this_session_alone(tenant: Tenant, customer: APIClient) -> None:
    other = factories.log_in(Customer.objects.get())
    wrong = customer.post(
        "/customer/acme/password/change", {"currentPassword": "not mine", "newPassword": "another battery staple"}
    )
    assert (wrong.status_code, wrong.json()["details"][0]["field"]) == (400, "currentPassword")
    change = {"currentPassword": factories.PASSWORD, "newPassword": "another battery staple"}
    assert customer.post("/customer/acme/password/change", change).status_code == 204
    assert customer.get("/customer/acme/me").status_code == 200
    gone = APIClient(headers={"Authorization": f"Bearer {other.access_token}"})
    assert gone.get("/customer/acme/me").status_code == 401


def test_a_new_email(tenant: Tenant, customer: APIClient, visitor: APIClient) -> None:
    change = {
        "email": factories.EMAIL,
        "password": factories.PASSWORD,
        "newEmail": "Countess@example.com",
        "syncContactEmail": True,
    }
    assert customer.post("/customer/acme/me/accounts/internal/email/change", change).status_code == 204
    token = token_in(received("countess@example.com"))
    confirm = "/customer/acme/me/accounts/internal/email/change/confirm"
    assert visitor.post(confirm, {"token": token}).status_code == 204
    assert visitor.post(confirm, {"token": token}).status_code == 400
    me = customer.get("/customer/acme/me").json()
    assert (me["contactEmail"], me["accounts"]) == ("countess@example.com", [{"id": "countess@example.com"}])


def test_a_new_email_that_is_taken_shows_in_the_mail_only(tenant: Tenant, customer: APIClient) -> None:
    factories.make_customer(tenant, email="grace@example.com")
    change = {"email": factories.EMAIL, "password": factories.PASSWORD, "newEmail": "grace@example.com"}
    assert customer.post("/customer/acme/me/accounts/internal/email/change", change).status_code == 204
    (text,) = received("grace@example.com")
    assert "belongs to an account already" in text


def test_a_second_log_in(customer: APIClient, visitor: APIClient) -> None:
    second = {"email": "work@example.com", "password": "another battery staple"}
    assert customer.post("/customer/acme/me/accounts/internal", second).status_code == 201
    assert customer.post("/customer/acme/me/accounts/internal", second).status_code == 409
    assert visitor.post("/customer/acme/login", second).status_code == 401
    token = token_in(received("work@example.com"))
    assert customer.get(f"/customer/acme/signup/optin/{token}").status_code == 200
    assert visitor.post("/customer/acme/login", second).status_code == 200
    assert len(customer.get("/customer/acme/me").json()["accounts"]) == 2


def test_a_profile_that_is_deleted(customer: APIClient, visitor: APIClient) -> None:
    assert customer.delete("/customer/acme/me").status_code == 202
    token = token_in(received())
    assert customer.delete("/customer/acme/me?token=wrong").status_code == 400
    assert customer.delete(f"/customer/acme/me?token={token}").status_code == 204
    assert customer.get("/customer/acme/me").status_code == 401
    log_in = {"email": factories.EMAIL, "password": factories.PASSWORD}
    assert visitor.post("/customer/acme/login", log_in).status_code == 401
    assert Customer.objects.get().contact_email is None


def test_a_profile_that_is_deleted_at_once(customer: APIClient) -> None:
    Tenant.objects.update(is_deletion_confirmed=False)
    assert customer.delete("/customer/acme/me").status_code == 204
    assert customer.get("/customer/acme/me").status_code == 401


def test_addresses(customer: APIClient) -> None:
    path = "/customer/acme/me/addresses"
    first = customer.post(path, {"contactName": "Ada", "tags": ["billing"]}).json()["id"]
    assert re.fullmatch(r"[0-9a-f]{10}", first)
    assert customer.post(path, {"contactName": "Ada", "id": "office", "isDefault": True}).status_code == 201
    assert customer.post(path, {"contactName": "Ada", "id": "office"}).status_code == 409
    assert [each["isDefault"] for each in customer.get(path).json()] == [False, True]
    assert customer.put(f"{path}/{first}", {"city": "London", "isDefault": True}).json()["city"] == "London"
    assert customer.post(f"{path}/{first}/tags?tags=shipping,billing").status_code == 204
    assert customer.delete(f"{path}/{first}/tags?tags=billing").status_code == 204
    assert customer.get(f"{path}/{first}/").json()["tags"] == ["SHIPPING"]
    assert customer.delete(f"{path}/{first}").status_code == 204
    assert [each["isDefault"] for each in customer.get(path).json()] == [True]
    missing = customer.get(f"{path}/{first}")
    assert (missing.status_code, missing.json()["message"]) == (404, f"Address {first} of customer 10000001 not found.")
