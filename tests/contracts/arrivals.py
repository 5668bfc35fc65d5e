"""The ways in which the reader of `OWNER`'s mailbox comes to a storefront, proves the address, and is logged in."""

from collections.abc import Callable

from tenants.models import Tenant
from tests import codes
from tests.auth_providers import mailbox
from tests.contracts.calls import body_of
from tests.contracts.kibo import TICKETS, ask
from tests.contracts.visits import OWNER, OWNERS_PASSWORD, Visit

Arrival = Callable[[Tenant, Visit], None]


def by_code(shop: Tenant, reader: Visit) -> None:
    assert ask(shop, "POST", f"{TICKETS}/otp/request", json={"email": OWNER}).status_code == 200
    (code,) = codes.receive(OWNER)
    body = {"email": OWNER, "otpCode": code, "fingerprint": None, "region": None}
    answer = ask(shop, "POST", f"{TICKETS}/otp/auth", json=body)
    assert answer.status_code == 200
    reader.tokens.append(body_of(answer)["accessToken"])


def by_opt_in_mail(shop: Tenant, reader: Visit) -> None:
    mailbox.receive()
    assert reader.post("signup/optin/refresh_token", {"email": OWNER}).status_code == 202
    answer = reader.follow(mailbox.receive_token(OWNER))
    assert answer.status_code == 200
    reader.tokens.append(body_of(answer)["access_token"])


def by_reset(shop: Tenant, reader: Visit) -> None:
    assert reader.reset(OWNERS_PASSWORD).status_code == 200


def by_sign_up(shop: Tenant, reader: Visit) -> None:
    mailbox.receive()
    signed_up = reader.sign_up(OWNERS_PASSWORD, customerDetails={"firstName": "Vera"})
    assert signed_up.status_code == 201
    assert reader.follow(mailbox.receive_token(OWNER)).status_code == 200
    assert reader.log_in(OWNERS_PASSWORD).status_code == 200
    assert body_of(reader.me())["customerNumber"] == body_of(signed_up)["id"]


ARRIVALS: list[Arrival] = [by_code, by_opt_in_mail, by_reset, by_sign_up]
