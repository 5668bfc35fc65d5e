"""What a server of the shop hands in, and what is handed in by a customer's own token or without any look at who it is:
whose profile it goes to."""

from typing import Any

import pytest

from auth_providers import limits
from auth_providers.accounts import accounts
from auth_providers.accounts.contact_points import SMS, ContactPoint
from auth_providers.intake import flows, submission
from auth_providers.intake.entries import Entry
from auth_providers.intake.writing import ProofNeeded, Written
from auth_providers.login import one_time_code
from auth_providers.models import Account
from customers import identifiers
from customers.enrichment.fields import fields_of
from customers.models import Customer
from tenants.clients import Client
from tenants.errors import InvalidInput
from tenants.models import CheckIn, Tenant
from tests import factories
from tests.factories import CLIENT, EMAIL

NEW, PHONE = "new@example.com", "+442079460003"
CARD = {"card": "7"}


def hand_in(
    tenant: Tenant,
    *,
    caller: Customer | None = None,
    is_servers: bool = False,
    card: dict[str, str] | None = None,
    flow: str = "",
    **values: Any,
) -> submission.Outcome:
    entry = Entry(values=fields_of(values), identifiers=card or {})
    return submission.submit(tenant=tenant, entry=entry, flow=flow, caller=caller, client=CLIENT, is_servers=is_servers)


def profile_of(outcome: submission.Outcome) -> Customer:
    assert isinstance(outcome, Written)
    return outcome.customer


def with_policy(tenant: Tenant, policy: str) -> Tenant:
    Tenant.objects.filter(pk=tenant.pk).update(check_in_policy=policy)
    tenant.refresh_from_db()
    return tenant


def points_of(customer: Customer) -> set[str]:
    return set(Account.objects.filter(customer=customer).values_list("identifier", flat=True))


@pytest.fixture
def ada(tenant: Tenant) -> Customer:
    """She has an address, a telephone, a card and a name."""
    made = factories.make_customer(tenant, first_name="Ada", last_name="Lovelace")
    point = ContactPoint(channel=SMS, destination=PHONE)
    accounts.create_for_contact_point(tenant=tenant, customer=made, point=point, proof=Account.Proof.CODE)
    identifiers.assign(tenant=tenant, customer=made, identifiers=CARD)
    return made


# -- a server --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("how", [{"email": EMAIL}, {"phone": PHONE}, {"card": CARD}], ids=str)
def test_a_server_changes_the_profile_that_matches(ada: Customer, how: dict[str, Any]) -> None:
    changed = profile_of(hand_in(ada.tenant, is_servers=True, first_name="Ada", sex="female", **how))
    assert (changed.pk, changed.sex, changed.last_name) == (ada.pk, "FEMALE", "Lovelace")
    assert Customer.objects.count() == 1


def test_of_several_who_share_a_telephone_a_server_means_the_one_of_that_name(ada: Customer) -> None:
    other = profile_of(hand_in(ada.tenant, is_servers=True, phone=PHONE, first_name="Byron", last_name="Lovelace"))
    assert other.pk != ada.pk
    assert (other.first_name, points_of(other)) == ("Byron", set())
    same = profile_of(hand_in(ada.tenant, is_servers=True, phone=PHONE, first_name="ADA", sex="female"))
    assert (same.pk, same.first_name, same.sex) == (ada.pk, "Ada", "FEMALE"), "the names stay as they are"
    assert same.contact_email == EMAIL


def test_a_server_names_another_email_of_who_is_known_by_the_card(ada: Customer) -> None:
    changed = profile_of(hand_in(ada.tenant, is_servers=True, card=CARD, email=NEW, first_name="Augusta"))
    assert (changed.pk, changed.first_name, changed.contact_email) == (ada.pk, "Augusta", NEW)


@pytest.mark.parametrize(
    ("policy", "proof"), [(CheckIn.NONE, Account.Proof.SERVER), (CheckIn.FULL, ""), (CheckIn.PARTIAL, "")]
)
def test_a_servers_word_about_somebody_new_is_a_proof_where_the_policy_takes_it(
    tenant: Tenant, policy: str, proof: str
) -> None:
    with_policy(tenant, policy)
    made = profile_of(hand_in(tenant, is_servers=True, email=NEW, phone=PHONE, card=CARD))
    own = Account.objects.filter(customer=made)
    assert {each.identifier: each.verified_by for each in own} == {NEW: proof, PHONE: proof}
    assert {each.is_verified for each in own} == {bool(proof)}
    assert [each.value for each in identifiers.list_for(tenant=tenant, customer=made)] == ["7"]


def test_a_telephone_of_somebody_else_beside_a_new_address_stays_theirs(ada: Customer) -> None:
    made = profile_of(hand_in(ada.tenant, is_servers=True, email=NEW, phone=PHONE))
    assert made.pk != ada.pk
    assert points_of(made) == {NEW}
    assert points_of(ada) == {EMAIL, PHONE}


def test_a_server_is_not_limited_as_a_customer_is(tenant: Tenant) -> None:
    for _ in range(limits.SIGN_UP_BY_ADDRESS.limit):
        limits.spend(tenant=tenant, quota=limits.SIGN_UP_BY_ADDRESS, subject=CLIENT.subscriber)
    assert profile_of(hand_in(tenant, is_servers=True, email=NEW))
    with pytest.raises(limits.Throttled):
        hand_in(tenant, email="other@example.com")


def test_who_has_no_address_is_not_limited_by_it(tenant: Tenant) -> None:
    for _ in range(limits.SIGN_UP_BY_ADDRESS.limit + 1):
        limits.try_spend(tenant=tenant, quota=limits.SIGN_UP_BY_ADDRESS, subject="")
    nowhere = Client(address="", user_agent="")
    with_policy(tenant, CheckIn.NO_IDENTIFICATION)
    entry = Entry(values=fields_of({"first_name": "Ada"}))
    assert submission.submit(tenant=tenant, entry=entry, flow="", caller=None, client=nowhere)


# -- a customer's own token ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("is_proven", [True, False])
@pytest.mark.parametrize("is_servers", [True, False])
def test_identifiers_come_with_a_proof_or_by_a_server(tenant: Tenant, is_proven: bool, is_servers: bool) -> None:
    caller = factories.make_customer(tenant)
    if not is_proven:
        Account.objects.filter(customer=caller).update(verified_at=None, verified_by="")
    changed = profile_of(hand_in(tenant, caller=caller, is_servers=is_servers, card=CARD, first_name="Ada"))
    assert (changed.pk, changed.first_name) == (caller.pk, "Ada")
    kept = [each.value for each in identifiers.list_for(tenant=tenant, customer=caller)]
    assert kept == (["7"] if is_proven or is_servers else [])


def test_without_identification_a_token_makes_no_difference(ada: Customer) -> None:
    tenant = with_policy(ada.tenant, CheckIn.NO_IDENTIFICATION)
    made = profile_of(hand_in(tenant, caller=ada, email=EMAIL, phone="+442079460009", first_name="Eve"))
    assert (made.pk != ada.pk, points_of(made)) == (True, {"+442079460009"})
    ada.refresh_from_db()
    assert ada.first_name == "Ada"


# -- nobody's --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("is_servers", [True, False])
def test_a_profile_beside_others_leaves_them_what_is_theirs(ada: Customer, is_servers: bool) -> None:
    tenant = with_policy(ada.tenant, CheckIn.NO_IDENTIFICATION)
    card = CARD | {"till": "8"}
    made = profile_of(hand_in(tenant, is_servers=is_servers, email=EMAIL, phone=PHONE, card=card))
    assert (made.pk != ada.pk, points_of(made)) == (True, set())
    kept = [(each.name, each.value) for each in identifiers.list_for(tenant=tenant, customer=made)]
    assert kept == ([("till", "8")] if is_servers else [])
    assert [each.value for each in identifiers.list_for(tenant=tenant, customer=ada)] == ["7"]


@pytest.mark.parametrize(
    ("policy", "values", "channel"),
    [
        (CheckIn.FULL, {"email": NEW}, "email"),
        (CheckIn.FULL, {"email": NEW, "phone": PHONE}, "email"),
        (CheckIn.FULL, {"email": EMAIL, "phone": PHONE}, "email"),
        (CheckIn.PARTIAL, {"email": EMAIL}, "email"),
        (CheckIn.PARTIAL, {"email": NEW}, ""),
        (CheckIn.PARTIAL, {"first_name": "Eve"}, ""),
        (CheckIn.FULL, {"first_name": "Eve"}, ""),
    ],
    ids=str,
)
def test_who_is_asked_without_a_token(ada: Customer, policy: str, values: dict[str, Any], channel: str) -> None:
    outcome = hand_in(with_policy(ada.tenant, policy), **values)
    if channel:
        assert isinstance(outcome, one_time_code.Issued)
        assert outcome.channel == channel
        assert Customer.objects.count() == 1
    else:
        assert profile_of(outcome).pk != ada.pk


def test_who_is_known_and_can_not_be_asked_has_to_prove_it_otherwise(ada: Customer) -> None:
    Account.objects.all().delete()
    with pytest.raises(ProofNeeded):
        hand_in(ada.tenant, card=CARD, first_name="Eve")


# -- what is wrong ---------------------------------------------------------------------------------------------------
def test_an_unknown_flow_and_everything_else_that_is_wrong_are_told_at_once(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput) as raised:
        hand_in(tenant, flow="unknown", email="no address", card={"a card": "7"})
    assert [each.field for each in raised.value.details] == ["flow", "email", "identifiers"]
    with pytest.raises(flows.UnknownFlow) as unknown:
        hand_in(tenant, flow="unknown", email=NEW)
    assert [each.field for each in unknown.value.details] == ["flow"]


def test_a_customer_may_send_back_what_the_profile_has_and_nobody_else_may(ada: Customer) -> None:
    Customer.objects.filter(pk=ada.pk).update(preferred_currency="XQQ")
    ada.refresh_from_db()
    changed = profile_of(hand_in(ada.tenant, caller=ada, preferred_currency="XQQ", first_name="Augusta"))
    assert (changed.first_name, changed.preferred_currency) == ("Augusta", "XQQ")
    with pytest.raises(InvalidInput):
        hand_in(ada.tenant, preferred_currency="XQQ", first_name="Augusta")
    with pytest.raises(InvalidInput):
        hand_in(with_policy(ada.tenant, CheckIn.NO_IDENTIFICATION), caller=ada, preferred_currency="XQQ")
