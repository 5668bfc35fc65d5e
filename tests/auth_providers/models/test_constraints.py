"""What must always be true of accounts and sessions is a constraint of the database."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from auth_providers.models import Account, Session, Token
from tenants.models import Tenant
from tests import factories


def test_two_accounts_of_one_email(tenant: Tenant, other_tenant: Tenant) -> None:
    customer = factories.make_customer(tenant)
    factories.make_customer(other_tenant)
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(tenant=tenant, customer=customer, identifier=factories.EMAIL, password="!")


EXTERNAL = {"kind": "external", "provider": "google", "issuer": "https://id.example", "email": "g@id.example"}
PHONE = {"kind": "phone", "identifier": "+441632960000"}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"password": "!", "issuer": "https://id.example"},
        {"password": "!", "provider": "password"},
        {"password": "!", "email": "grace@example.com"},
        {**PHONE, "password": "!"},
        {**PHONE, "provider": "otp"},
        {**PHONE, "issuer": "sms"},
        {**PHONE, "email": "grace@example.com"},
        {**EXTERNAL, "password": "!"},
        {**EXTERNAL, "provider": ""},
        {**EXTERNAL, "issuer": ""},
        {"kind": "", "password": "!"},
    ],
)
def test_account_with_what_its_kind_does_not_have(tenant: Tenant, values: dict[str, str]) -> None:
    customer = factories.make_customer(tenant)
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(tenant=tenant, customer=customer, **{"identifier": "grace@example.com"} | values)


@pytest.mark.parametrize("values", [{"password": "!", "identifier": "grace@example.com"}, PHONE, EXTERNAL])
def test_account_of_each_kind(tenant: Tenant, values: dict[str, str]) -> None:
    own = {"tenant": tenant, "customer": factories.make_customer(tenant), **values}
    Account.objects.create(**own)
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(**own)


def test_session_of_a_customer_who_never_logged_in(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant)
    with pytest.raises(IntegrityError), transaction.atomic():
        Session.objects.create(tenant=tenant, customer=customer, expires_at=timezone.now())


def test_one_token_in_two_sessions(tenant: Tenant, other_tenant: Tenant) -> None:
    first, second = (factories.open_anonymous(each) for each in (tenant, other_tenant))
    token = Token.objects.filter(session=first.session).first()
    assert token is not None
    with pytest.raises(IntegrityError), transaction.atomic():
        Token.objects.filter(session=second.session).update(token_hash=token.token_hash)
