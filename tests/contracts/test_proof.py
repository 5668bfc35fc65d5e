"""The person who proves an address owns the profile, and one who only typed it in keeps nothing: over HTTP, with mails
that are read. An attacker acts first with the owner's address, then the owner proves it."""

import pytest

from auth_providers.models import Account, Authenticator, Session
from auth_providers.selfservice import staff_actions
from customers.models import Address, Customer
from tenants.models import AuditEvent, Message, Tenant
from tests import authenticators, codes, factories
from tests.auth_providers import mailbox
from tests.contracts import arrivals
from tests.contracts.arrivals import ARRIVALS, Arrival
from tests.contracts.calls import body_of, call
from tests.contracts.visits import OWNER, OWNERS_PASSWORD, Visit, visit

ATTACKER, ATTACKERS_PASSWORD = "mallory@example.com", "a password of mallory"
ADDRESS = {"contactName": "Mallory", "street": "Side Street", "zipCode": "10115", "city": "Berlin", "country": "DE"}


@pytest.fixture
def shop(tenant: Tenant) -> Tenant:
    """Mails confirmation links, lets customers log in by code, has other customers."""
    Tenant.objects.update(is_confirmation_mailed=True)
    tenant.refresh_from_db()
    codes.add_provider(tenant)
    factories.make_customer(tenant, email="somebody@example.com")
    return tenant


@pytest.fixture
def attacker(shop: Tenant) -> Visit:
    return visit(shop)


@pytest.fixture
def owner(shop: Tenant) -> Visit:
    return visit(shop)


@pytest.mark.parametrize("prove", ARRIVALS, ids=lambda prove: prove.__name__)
def test_the_first_proof_evicts_who_signed_up_with_the_address(
    shop: Tenant, attacker: Visit, owner: Visit, prove: Arrival
) -> None:
    assert attacker.sign_up(ATTACKERS_PASSWORD, customerAddress=ADDRESS).status_code == 201
    assert attacker.log_in(ATTACKERS_PASSWORD).status_code == 200
    number = body_of(attacker.me())["customerNumber"]
    prove(shop, owner)
    assert attacker.me().status_code == 401
    assert attacker.log_in(ATTACKERS_PASSWORD).status_code == 401
    assert body_of(owner.me())["customerNumber"] == number
    assert not Address.objects.filter(is_default=True).exists()
    assert Address.objects.filter(customer__number=number).count() == 1
    assert AuditEvent.objects.get(action="evict_unproven").customer_number == number
    assert Message.objects.filter(template="profile_claimed", recipient=OWNER).count() == 1
    account = Account.objects.get(identifier=OWNER)
    assert (account.is_verified, account.is_permitted) == (True, True)


def test_the_owner_is_told_what_was_kept(shop: Tenant, attacker: Visit, owner: Visit) -> None:
    attacker.sign_up(ATTACKERS_PASSWORD, customerAddress=ADDRESS, customerDetails={"firstName": "Mal"})
    attacker.log_in(ATTACKERS_PASSWORD)
    arrivals.by_code(shop, owner)
    (text,) = [str(each.body) for each in mailbox.receive() if "yours alone" in str(each.subject)]
    number = Account.objects.get(identifier=OWNER).customer.number
    assert f"customer number {number}, name Mal, addresses 1, consents 0" in text


def test_the_first_proof_evicts_contact_points_that_nobody_has_proven(
    shop: Tenant, attacker: Visit, owner: Visit
) -> None:
    attacker.sign_up(ATTACKERS_PASSWORD)
    attacker.log_in(ATTACKERS_PASSWORD)
    changes = {"contactEmail": ATTACKER, "contactPhone": "+4915112345678"}
    assert call("PATCH", "/customer/acme/me", token=attacker.tokens[-1], json=changes).status_code == 200
    arrivals.by_code(shop, owner)
    customer = Account.objects.get(identifier=OWNER).customer
    assert (customer.contact_email, customer.contact_phone) == (OWNER, None)


def test_an_honest_customer_confirms_the_own_sign_up_and_loses_nothing(shop: Tenant, owner: Visit) -> None:
    assert owner.sign_up(OWNERS_PASSWORD, customerAddress=ADDRESS).status_code == 201
    assert owner.log_in(OWNERS_PASSWORD).status_code == 200  # the link blocks nothing
    assert visit(shop).follow(mailbox.receive_token(OWNER)).status_code == 200
    assert owner.me().status_code == 200
    assert visit(shop).log_in(OWNERS_PASSWORD).status_code == 200
    assert Address.objects.get().is_default
    assert not Message.objects.filter(template="profile_claimed").exists()


def test_a_customer_who_is_logged_in_asks_for_the_link_again_and_loses_nothing(shop: Tenant, owner: Visit) -> None:
    owner.sign_up(OWNERS_PASSWORD)
    later = visit(shop)
    assert later.log_in(OWNERS_PASSWORD).status_code == 200
    mailbox.receive()
    asked = later.post("signup/optin/refresh_token", {"email": OWNER}, token=later.tokens[-1])
    assert asked.status_code == 202
    assert visit(shop).follow(mailbox.receive_token(OWNER)).status_code == 200
    assert later.me().status_code == 200
    assert visit(shop).log_in(OWNERS_PASSWORD).status_code == 200


def test_who_has_proven_nothing_enrols_no_second_factor(shop: Tenant, attacker: Visit) -> None:
    attacker.sign_up(ATTACKERS_PASSWORD)
    attacker.log_in(ATTACKERS_PASSWORD)
    answer = call("POST", "/tenants/acme/account/authenticator", token=attacker.tokens[-1])
    assert (answer.status_code, body_of(answer)["code"]) == (403, "nothing_proven")
    assert not Authenticator.objects.exists()


def test_the_first_proof_evicts_second_factors(shop: Tenant, attacker: Visit, owner: Visit) -> None:
    """Such as one that was enrolled before a proof was asked for."""
    attacker.sign_up(ATTACKERS_PASSWORD)
    customer = Account.objects.get(identifier=OWNER).customer
    Account.objects.filter(customer=customer).update(**factories.VERIFIED)
    authenticators.enrol(customer)
    Account.objects.filter(customer=customer).update(**factories.UNVERIFIED | {"is_permitted": True})
    arrivals.by_reset(shop, owner)
    assert not Authenticator.objects.filter(customer=customer).exists()


@pytest.mark.parametrize("is_opt_in_required", [True, False])
def test_a_profile_that_nobody_has_proven_reserves_no_address(
    shop: Tenant, owner: Visit, is_opt_in_required: bool
) -> None:
    Tenant.objects.update(is_opt_in_required=is_opt_in_required)
    assert call("POST", "/api/acme/customer", json={"email": OWNER, "firstName": "Mal"}).status_code == 200
    assert owner.sign_up(OWNERS_PASSWORD, customerDetails={"firstName": "Vera"}).status_code == 201
    assert owner.log_in(OWNERS_PASSWORD).status_code == 401
    assert owner.follow(mailbox.receive_token(OWNER)).status_code == 200
    assert owner.log_in(OWNERS_PASSWORD).status_code == 200
    assert body_of(owner.me())["firstName"] == "Vera"


def test_the_password_of_the_sign_up_whose_link_is_followed_counts(shop: Tenant, attacker: Visit, owner: Visit) -> None:
    Tenant.objects.update(is_opt_in_required=True)
    attacker.sign_up(ATTACKERS_PASSWORD)
    attackers_link = mailbox.receive_token(OWNER)
    owner.sign_up(OWNERS_PASSWORD)
    owners_link = mailbox.receive_token(OWNER)
    assert owner.follow(owners_link).status_code == 200
    assert owner.log_in(OWNERS_PASSWORD).status_code == 200
    assert attacker.log_in(ATTACKERS_PASSWORD).status_code == 401
    assert attacker.follow(attackers_link).status_code == 400


def test_a_lost_opt_in_mail_comes_again_by_a_reset(shop: Tenant, owner: Visit) -> None:
    Tenant.objects.update(is_opt_in_required=True)
    owner.sign_up(OWNERS_PASSWORD)
    mailbox.receive()
    assert owner.post("password/reset", {"email": OWNER}).status_code == 204
    assert owner.follow(mailbox.receive_token(OWNER)).status_code == 200
    assert owner.log_in(OWNERS_PASSWORD).status_code == 200


def test_a_proven_address_is_taken(shop: Tenant, attacker: Visit, owner: Visit) -> None:
    owner.sign_up(OWNERS_PASSWORD)
    owner.follow(mailbox.receive_token(OWNER))
    assert attacker.sign_up(ATTACKERS_PASSWORD).status_code == 409


def _add_owners_address(shop: Tenant, attacker: Visit) -> Customer:
    """The attacker, who has proven an address of their own, adds the owner's to that profile."""
    customer = factories.make_customer(shop, email=ATTACKER, password=ATTACKERS_PASSWORD)
    assert attacker.log_in(ATTACKERS_PASSWORD, ATTACKER).status_code == 200
    body = {"email": OWNER, "password": ATTACKERS_PASSWORD}
    assert attacker.post("me/accounts/internal", body, token=attacker.tokens[-1]).status_code == 201
    return customer


@pytest.mark.parametrize("prove", ARRIVALS, ids=lambda prove: prove.__name__)
def test_who_proves_an_address_on_somebody_elses_profile_is_a_new_customer(
    shop: Tenant, attacker: Visit, owner: Visit, prove: Arrival
) -> None:
    attackers = _add_owners_address(shop, attacker)
    prove(shop, owner)
    assert Account.objects.get(identifier=OWNER).customer != attackers
    assert body_of(owner.me())["customerNumber"] != attackers.number
    assert attacker.log_in(ATTACKERS_PASSWORD).status_code == 401
    assert [each["id"] for each in body_of(attacker.me())["accounts"]] == [ATTACKER]


@pytest.mark.parametrize("prove", ARRIVALS, ids=lambda prove: prove.__name__)
@pytest.mark.parametrize("barred", ["is_active", "is_on_hold"])
def test_who_is_barred_keeps_no_address_of_somebody_else(
    shop: Tenant, attacker: Visit, owner: Visit, prove: Arrival, barred: str
) -> None:
    """Staff have deactivated the attacker, or put them on hold."""
    attackers = _add_owners_address(shop, attacker)
    Customer.objects.filter(pk=attackers.pk).update(**{barred: barred == "is_on_hold"})
    prove(shop, owner)
    assert body_of(owner.me())["customerNumber"] != attackers.number


def test_the_link_of_an_additional_log_in_followed_in_another_browser_opens_nobody_elses_profile(
    shop: Tenant, attacker: Visit, owner: Visit
) -> None:
    attackers = _add_owners_address(shop, attacker)
    answer = owner.follow(mailbox.receive_token(OWNER))
    assert answer.status_code == 200
    owner.tokens.append(body_of(answer)["access_token"])
    assert body_of(owner.me())["customerNumber"] != attackers.number
    assert attacker.log_in(ATTACKERS_PASSWORD).status_code == 401


def test_an_additional_log_in_opens_nothing_until_its_token_is_shown_with_the_owners_session(
    shop: Tenant, owner: Visit
) -> None:
    second = "vera.work@example.com"
    customer = factories.make_customer(shop, email=OWNER, password=OWNERS_PASSWORD)
    owner.log_in(OWNERS_PASSWORD)
    body = {"email": second, "password": "the password at work"}
    assert owner.post("me/accounts/internal", body, token=owner.tokens[-1]).status_code == 201
    assert visit(shop).log_in("the password at work", second).status_code == 401
    assert owner.follow(mailbox.receive_token(second), as_customer=True).status_code == 200
    assert visit(shop).log_in("the password at work", second).status_code == 200
    assert Account.objects.get(identifier=second).customer == customer


def test_an_old_session_adds_no_log_in(shop: Tenant, owner: Visit) -> None:
    """Tokens live for a month; a stolen one must not be enough."""
    factories.make_customer(shop, email=OWNER, password=OWNERS_PASSWORD)
    owner.log_in(OWNERS_PASSWORD)
    session = Session.objects.get(customer__number=body_of(owner.me())["customerNumber"])
    assert session.authenticated_at is not None
    for hours, status in ((24.1, 403), (23.9, 201)):
        session.authenticated_at = factories.hours_ago(hours)
        session.save()
        body = {"email": "vera.work@example.com", "password": OWNERS_PASSWORD}
        assert owner.post("me/accounts/internal", body, token=owner.tokens[-1]).status_code == status


@pytest.mark.parametrize(("current", "status"), [(OWNERS_PASSWORD, 201), ("not the right one", 400), ("", 403)])
def test_the_current_password_adds_a_log_in_to_an_old_session(
    shop: Tenant, owner: Visit, current: str, status: int
) -> None:
    factories.make_customer(shop, email=OWNER, password=OWNERS_PASSWORD)
    factories.make_customer(shop, email="someone.else@example.com", password="not the right one")
    owner.log_in(OWNERS_PASSWORD)
    Session.objects.filter(customer__isnull=False).update(authenticated_at=factories.hours_ago(600))
    body = {"email": "vera.work@example.com", "password": "another battery staple"}
    body |= {"currentPassword": current} if current else {}
    answer = owner.post("me/accounts/internal", body, token=owner.tokens[-1])
    assert answer.status_code == status
    assert Account.objects.filter(identifier="vera.work@example.com").count() == (status == 201)
    if status == 400:
        assert body_of(answer)["details"][0]["field"] == "currentPassword"


def test_the_current_password_is_guessed_no_more_often_than_elsewhere(shop: Tenant, owner: Visit) -> None:
    factories.make_customer(shop, email=OWNER, password=OWNERS_PASSWORD)
    owner.log_in(OWNERS_PASSWORD)
    for number in range(20):
        body = {"email": "vera.work@example.com", "password": OWNERS_PASSWORD, "currentPassword": f"guess {number}"}
        answer = owner.post("me/accounts/internal", body, token=owner.tokens[-1])
    assert answer.status_code == 429


def test_an_additional_log_in_tells_nobody_who_is_a_customer(shop: Tenant, owner: Visit) -> None:
    Tenant.objects.update(is_signup_enumeration_safe=True)
    factories.make_customer(shop, email=OWNER, password=OWNERS_PASSWORD)
    owner.log_in(OWNERS_PASSWORD)
    mailbox.receive()
    for email in ("somebody@example.com", "nobody@example.com"):
        answer = owner.post(
            "me/accounts/internal", {"email": email, "password": OWNERS_PASSWORD}, token=owner.tokens[-1]
        )
        assert (answer.status_code, body_of(answer)) == (201, {"id": "10000002"})
        assert [each["id"] for each in body_of(owner.me())["accounts"]] == [OWNER]
        mails = {each.to[0]: str(each.subject) for each in mailbox.receive()}
        assert (set(mails), "second log-in" in mails[OWNER]) == ({OWNER, email}, True)
        assert ("You already have" in mails[email]) == (email == "somebody@example.com")
    assert "Confirm" in mails["nobody@example.com"]


def test_moving_the_log_in_to_an_address_that_one_reads_is_a_proof(shop: Tenant, attacker: Visit, owner: Visit) -> None:
    """Of the new address: the old one is its owner's again, who finds nothing of the attacker's."""
    attacker.sign_up(ATTACKERS_PASSWORD)
    attacker.log_in(ATTACKERS_PASSWORD)
    change = {"email": OWNER, "password": ATTACKERS_PASSWORD, "newEmail": ATTACKER}
    assert attacker.post("me/accounts/internal/email/change", change, token=attacker.tokens[-1]).status_code == 204
    token = mailbox.receive_token(ATTACKER)
    assert attacker.post("me/accounts/internal/email/change/confirm", {"token": token}).status_code == 204
    assert Account.objects.get(identifier=ATTACKER).is_verified
    arrivals.by_code(shop, owner)
    assert body_of(owner.me())["customerNumber"] != body_of(attacker.me())["customerNumber"]


def test_staff_send_the_link_again(shop: Tenant, owner: Visit) -> None:
    """By the reset that they start: it is the same mail."""
    owner.sign_up(OWNERS_PASSWORD)
    account = Account.objects.get(identifier=OWNER)
    mailbox.receive()
    staff_actions.send_password_reset(
        tenant=shop, customer=account.customer, account_id=account.pk, staff_username="clara", client=factories.CLIENT
    )
    assert mailbox.receive_token(OWNER)
