"""What must always be true of log-ins and sessions, the database itself holds."""

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


def test_account_without_a_password(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant)
    with pytest.raises(IntegrityError), transaction.atomic():
        Account.objects.create(tenant=tenant, customer=customer, identifier="grace@example.com")


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
