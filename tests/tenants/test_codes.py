"""A code that a list has retired is no reason to refuse what is stored: only what is sent is checked."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import checks
from django.core.management import call_command

from auth_providers.intake import entries
from auth_providers.intake.entries import Entry
from customers import mixins, profiles
from customers.enrichment.fields import fields_of
from customers.models import Customer, MixinSchema
from tenants import codes
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tests.factories import CLIENT, make_customer, open_anonymous

RETIRED = "BGN"  # Bulgaria pays in euros since 2026


@pytest.fixture
def bulgarian(tenant: Tenant) -> Tenant:
    tenant.default_currency = RETIRED
    tenant.save()
    return tenant


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return make_customer(tenant)


def update(customer: Customer, **changes: Any) -> Customer:
    return profiles.update(tenant=customer.tenant, customer=customer, changes=profiles.changes_of(changes))


def refused(act: Callable[[], Any]) -> list[str]:
    with pytest.raises(InvalidInput) as failure:
        act()
    return [each.field for each in failure.value.details]


def test_the_list_has_retired_it() -> None:
    assert not codes.is_currency(RETIRED)


@pytest.mark.parametrize(
    ("field", "value"),
    [("preferred_currency", RETIRED), ("nationality", "AN"), ("contact_email", "ada@internal.local")],
)
def test_yesterdays_value_stays_and_blocks_nothing(customer: Customer, field: str, value: str) -> None:
    Customer.objects.update(**{field: value})
    customer.refresh_from_db()
    assert getattr(update(customer, first_name="Augusta"), field) == value
    assert getattr(update(customer, **{field: value, "last_name": "King"}), field) == value  # read and sent back


@pytest.mark.parametrize(
    ("field", "value"),
    [("preferred_currency", RETIRED), ("nationality", "AN"), ("contact_email", "ada@internal.local")],
)
def test_what_is_sent_is_held_to_the_list_of_today(customer: Customer, field: str, value: str) -> None:
    assert refused(lambda: update(customer, **{field: value})) == [field]


def test_a_shop_with_a_retired_currency_goes_on(bulgarian: Tenant) -> None:
    assert make_customer(bulgarian).preferred_currency == RETIRED
    assert make_customer(bulgarian, email="b@example.com", preferred_currency=RETIRED).preferred_currency == RETIRED
    assert open_anonymous(bulgarian, currency=RETIRED).session.currency == RETIRED
    for values in ({"email": "c@example.com"}, {"email": "c@example.com", "preferred_currency": "bgn"}):
        entry = entries.complete(tenant=bulgarian, entry=Entry(values=fields_of(values)))
        assert entry.values["preferred_currency"] == RETIRED
    entries.create(tenant=bulgarian, number="90000001", entry=entry, client=CLIENT)


def test_a_mixin_that_is_not_sent_is_not_held_to_a_schema_that_staff_replaced(customer: Customer) -> None:
    tenant, old, other = customer.tenant, "https://schemas.example/old", "https://schemas.example/other"
    for url in (old, other):
        mixins.register(tenant=tenant, url=url, schema={"type": "object"})
    update(customer, mixins={"old": {"size": 1}}, mixin_schemas={"old": old})
    mixins.register(tenant=tenant, url=old, schema={"required": ["colour"]})
    changed = update(customer, mixins={"other": {}}, mixin_schemas={"other": other})
    assert changed.mixins == {"old": {"size": 1}, "other": {}}
    assert refused(lambda: update(customer, mixins={"old": {"size": True}})) == ["mixins.old.colour"]
    MixinSchema.objects.filter(url=old).delete()
    assert update(customer, mixins={"other": {"a": 1}}).mixins["other"] == {"a": 1}
    assert refused(lambda: update(customer, mixins={"old": {"size": 2}})) == ["mixin_schemas.old"]


def test_kosovo_is_a_nationality_and_a_country(customer: Customer) -> None:
    assert update(customer, nationality="XK").nationality == "XK"
    entry = entries.complete(
        tenant=customer.tenant,
        entry=Entry(values=fields_of({"country": "XK", "nationality": "xk", "phone": "044 123 456"})),
    )
    assert (entry.values["country"], entry.values["nationality"]) == ("XK", "XK")
    assert entry.values["phone"] == "+38344123456"


@pytest.mark.parametrize(
    ("change", "what"), [({"default_currency": RETIRED}, "currency BGN"), ({"default_country": "AN"}, "country AN")]
)
def test_check_warns_of_a_default_that_is_not_in_use(tenant: Tenant, change: dict[str, str], what: str) -> None:
    assert _warnings() == []
    Tenant.objects.update(**change)
    assert _warnings() == [f"The default {what} of tenant acme is not in use any more."]
    call_command("check", databases=["default"])  # a warning, no failure


def _warnings() -> list[str]:
    found = checks.run_checks(databases=["default"])
    return [str(each.msg) for each in found if each.id == "customers.W001"]


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("it", "it"),
        ("pt_br", "pt-BR"),
        ("ZH-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("ca-VALENCIA", "ca-valencia"),
        ("iw", "he"),
        ("deu", "de"),
        ("gsw", "gsw"),
        *((text, None) for text in ("", "xx", "und", "de-", "-de", "de-XX", "de-Abcd", "de-klingon", "de.UTF-8", "dé")),
        *((text, None) for text in ("x-shop", "de-x-shop", "de\n", "de" + "-de" * 20)),
    ],
)
def test_a_language_has_one_tag(text: str, tag: str | None) -> None:
    assert codes.language_tag(text) == tag
    assert tag is None or codes.language_tag(tag) == tag


def test_languages_to_choose_from_are_those_of_two_letters() -> None:
    offered = dict(codes.language_choices())
    assert offered["de"] == "German"
    assert {len(code) for code in offered} == {2}
