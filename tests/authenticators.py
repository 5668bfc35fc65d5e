"""A customer's authenticator app: enrolled as the product does it, and the codes that it shows."""

import base64

from django.utils import timezone
from django_otp.oath import TOTP

from auth_providers.login import totp
from auth_providers.models import Authenticator, Session
from customers.models import Customer
from tenants.secrets.encryption import decrypt
from tests import factories


def just_logged_in(customer: Customer) -> Session:
    """A session that is not stored, as fresh as a change of the second factor needs it."""
    return Session(tenant=customer.tenant, customer=customer, authenticated_at=timezone.now())


def begin(customer: Customer) -> str:
    """Start to enrol, and return the first code."""
    started = totp.start_enrolment(tenant=customer.tenant, customer=customer, session=just_logged_in(customer))
    return code_of(started.secret)


def enrol(customer: Customer, session: Session | None = None) -> list[str]:
    """Enrol the app; `session` goes on. Returns the recovery codes. The app's code of this moment is still good."""
    codes = totp.confirm_enrolment(
        tenant=customer.tenant,
        customer=customer,
        session=session or just_logged_in(customer),
        code=begin(customer),
        client=factories.CLIENT,
    )
    Authenticator.objects.for_tenant(customer.tenant).filter(customer=customer).update(last_step=0)
    return codes


def current_code(customer: Customer, *, steps: int = 0) -> str:
    """What the customer's app shows now, or so many steps later."""
    authenticator = Authenticator.objects.for_tenant(customer.tenant).get(customer=customer)
    return code_of(decrypt(authenticator.secret_encrypted), steps=steps)


def code_of(secret: str, *, steps: int = 0) -> str:
    app = TOTP(base64.b32decode(secret), drift=steps)
    app.time = timezone.now().timestamp()
    return f"{app.token():06d}"
