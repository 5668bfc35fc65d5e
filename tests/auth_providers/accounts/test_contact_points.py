"""E-mail addresses and telephone numbers as they are stored and shown."""

import pytest

from auth_providers.accounts import contact_points
from auth_providers.accounts.contact_points import EMAIL, SMS, ContactPoint
from tenants.errors import InvalidInput
from tenants.models import Tenant


def normalize(tenant: Tenant, channel: str, text: str) -> str:
    return contact_points.normalize(tenant=tenant, channel=channel, text=text)


@pytest.fixture
def german(tenant: Tenant) -> Tenant:
    tenant.default_country = "DE"
    return tenant


def test_an_address_has_one_spelling(tenant: Tenant) -> None:
    assert normalize(tenant, EMAIL, " Ada@EXAMPLE.com ") == "ada@example.com"


@pytest.mark.parametrize("text", ["", "ada", "ada@", "@example.com", "a b@example.com", "+4915112345678"])
def test_what_is_no_address_is_refused(tenant: Tenant, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        normalize(tenant, EMAIL, text)
    assert {each.field for each in refused.value.details} == {"to"}


@pytest.mark.parametrize("text", ["0151 12345678", "+49 (0)151 12345678", "0049 151 12345678", "+4915112345678"])
def test_a_number_without_a_country_is_the_tenants_countrys(german: Tenant, text: str) -> None:
    assert normalize(german, SMS, text) == "+4915112345678"


def test_a_number_without_any_country_is_refused(tenant: Tenant) -> None:
    tenant.default_country = ""
    assert normalize(tenant, SMS, "+4915112345678") == "+4915112345678"
    with pytest.raises(InvalidInput):
        normalize(tenant, SMS, "0151 12345678")


@pytest.mark.parametrize(
    "text",
    ["+499001234567", "+498001234567", "+491801234567", "+448448000000", "+443700000000", "1", "ada@example.com", ""],
    ids=["premium rate", "toll free", "shared cost", "shared cost abroad", "UAN", "too short", "an address", "empty"],
)
def test_a_number_that_takes_no_text_messages_is_refused(german: Tenant, text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        normalize(german, SMS, text)
    assert [(each.field, each.code) for each in refused.value.details] == [("to", "invalid")]


@pytest.mark.parametrize("text", ["+493012345678", "+442079460001", "+12025550123"])
def test_a_number_that_may_take_text_messages_is_accepted(german: Tenant, text: str) -> None:
    assert normalize(german, SMS, text) == text


@pytest.mark.parametrize(
    ("number", "country"),
    [("+4915112345678", "DE"), ("+12025550123", "US"), ("+16135550123", "CA"), ("+88213300001", "+882")],
)
def test_the_country_of_a_number(number: str, country: str) -> None:
    assert contact_points.country_of(number) == country


@pytest.mark.parametrize(
    ("channel", "destination", "shown"),
    [
        (EMAIL, "ada@example.com", "a***@example.com"),
        (EMAIL, "a@example.com", "a***@example.com"),
        (EMAIL, "augusta.ada.king@example.com", "a***@example.com"),
        (EMAIL, '"a@b"@example.com', '"***@example.com'),
        (SMS, "+4915112345678", "+49 ******5678"),
        (SMS, "+12025550123", "+1 ******0123"),
    ],
)
def test_a_masked_destination_tells_no_length(channel: str, destination: str, shown: str) -> None:
    assert contact_points.mask(channel=channel, destination=destination) == shown


def test_the_kind_of_account_follows_from_the_channel() -> None:
    kinds = [ContactPoint(channel=channel, destination="x").kind for channel in (EMAIL, SMS)]
    assert kinds == ["email", "phone"]
