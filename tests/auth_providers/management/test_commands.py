"""The operator's commands for log-ins, mail and the demo do what they say, and nothing when run again."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import check_password
from django.core import mail
from django.core.management import CommandError, call_command
from pytest_django import Settings

from auth_providers import demo
from auth_providers.management.commands import reencrypt
from auth_providers.management.commands.reencrypt import SECRETS
from auth_providers.messaging import senders
from auth_providers.models import Token
from auth_providers.tokens import client_credentials
from tenants import api_keys, signing_keys
from tenants.models import Message, SigningKey, StaffAuthenticator, Tenant
from tenants.outbox import queue
from tests.factories import CLIENT, log_in, make_customer, open_anonymous


def run(*words: str, **options: Any) -> str:
    output = StringIO()
    call_command(*words, stdout=output, **options)
    return output.getvalue()


def enqueue(tenant: Tenant) -> Message:
    context = {"email": "ada@example.com"}
    return queue.enqueue(tenant=tenant, template="already_registered", recipient="ada@example.com", context=context)


@pytest.mark.django_db
@pytest.mark.real_hashing
def test_create_staff_with_password_and_second_factor() -> None:
    output = run("create_staff", "grace", "--email", "grace@example.com")
    user = get_user_model().objects.get()
    [password] = [line.split(": ")[1] for line in output.splitlines() if line.startswith("Password: ")]
    assert (user.get_username(), user.is_staff, user.is_superuser) == ("grace", True, True)
    assert check_password(password, user.password)
    assert user.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    device = StaffAuthenticator.objects.get()
    assert device.user == user
    assert device.uri in output


@pytest.mark.django_db
def test_create_staff_twice() -> None:
    run("create_staff", "grace")
    before = get_user_model().objects.get().password
    assert run("create_staff", "grace") == "Unchanged: there is a member of staff grace.\n"
    assert get_user_model().objects.get().password == before
    assert StaffAuthenticator.objects.count() == 1


def test_reencrypt_frees_the_old_key(tenant: Tenant, settings: Settings) -> None:
    old, new = settings.ENCRYPTION_KEYS[0], Fernet.generate_key().decode()
    logged_in = log_in(make_customer(tenant))
    message = enqueue(tenant)
    sent = enqueue(tenant)
    Message.objects.filter(pk=sent.pk).update(context_encrypted="")
    settings.ENCRYPTION_KEYS = [new, old]
    assert run("reencrypt").splitlines()[:3] == ["signing keys: 1", "messages: 1", "auth providers: 0"]
    settings.ENCRYPTION_KEYS = [new]
    assert signing_keys.private_key(signing_keys.current(tenant=tenant))
    mail = senders.build_mail(Message.objects.get(pk=message.pk))
    assert "ada@example.com" in str(mail.body)
    assert Message.objects.get(pk=sent.pk).context_encrypted == ""
    assert log_in(logged_in.customer).service_jwt


def test_reencrypt_again(tenant: Tenant) -> None:
    assert [run("reencrypt").splitlines()[0] for _ in range(2)] == ["signing keys: 1"] * 2


def test_reencrypt_goes_on_from_batch_to_batch(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reencrypt, "BATCH", 2)
    for _ in range(5):
        enqueue(tenant)
    assert "messages: 5" in run("reencrypt").splitlines()


def test_reencrypt_knows_every_column_that_holds_a_secret() -> None:
    columns = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.name.endswith("_encrypted")
    }
    assert columns == set(SECRETS)


def test_work_once_sends_mail_and_forgets_what_is_over(tenant: Tenant, pass_time: Callable[[timedelta], None]) -> None:
    open_anonymous(tenant)
    enqueue(tenant)
    pass_time(timedelta(days=9))
    run("work", "--once")
    assert [each.to for each in mail.outbox] == [["ada@example.com"]]
    assert not Token.objects.exists()
    run("work", "--once")
    assert len(mail.outbox) == 1


def test_work_once_sends_however_many_are_due(tenant: Tenant) -> None:
    for _ in range(101):  # one more than a batch
        enqueue(tenant)
    run("work", "--once")
    assert len(mail.outbox) == 101


@pytest.mark.django_db
def test_demo_refuses_to_run_by_accident(settings: Settings) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="DEMO=true"):
        run("demo")
    assert not Tenant.objects.exists()


@pytest.mark.django_db
def test_demo_twice(settings: Settings) -> None:
    settings.DEMO = True
    settings.DEMO_STAFF_PASSWORD = "only for this test"
    settings.DEMO_APPLICATION_SECRET = "kept for this test"
    first = run("demo")
    users = get_user_model().objects
    before = (Tenant.objects.get(), users.get().password, SigningKey.objects.get().kid)
    assert run("demo") == first
    assert (Tenant.objects.get(), users.get().password, SigningKey.objects.get().kid) == before
    for told in (
        "demo",
        "demo-storefront",
        "admin",
        "only for this test",
        "/customer/demo/signup",
        "10001, its site 1",
    ):
        assert told in first
    application = client_credentials.log_in(
        tenant_number=None, client_id=demo.APPLICATION_ID, secret="kept for this test", client=CLIENT
    )
    assert application.tenant.code == "demo"
    assert "kept for this test" in first


@pytest.mark.django_db
def test_demo_makes_a_shop_that_takes_the_documents_examples(settings: Settings) -> None:
    settings.DEMO = True
    settings.DEMO_STAFF_PASSWORD = "only for this test"
    run("demo")
    key = api_keys.get_active(tenant_code="demo", client_id="demo-storefront")
    customer = make_customer(key.tenant, password="password123")
    assert log_in(customer).session.customer == customer
