"""`import_customers`: what the exports of other systems say arrives, wrong records are left out, and a second run adds
nothing."""

import csv
import hashlib
import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.hashers import check_password
from django.core.management import CommandError, call_command
from django.db import connection
from passlib.hash import phpass

from auth_providers.accounts import accounts
from auth_providers.accounts.contact_points import EMAIL, ContactPoint
from auth_providers.models import Account
from auth_providers.selfservice import additional_log_in
from auth_providers.selfservice import sign_up as signing_up
from customers import consents
from customers.consents import current
from customers.models import Address, Consent, Customer, CustomerIdentifier
from tenants.models import AuditEvent, Receipt, Tenant
from tests import factories
from tests.auth_providers.importing import files

PASSWORD = "correct horse"


def run(folder: Path, content: str, *, mapping: str, output: StringIO | None = None, **options: object) -> str:
    path, output = folder / "export.csv", output or StringIO()
    path.write_text(content, encoding="utf-8")
    call_command("import_customers", "acme", path, mapping=mapping, stdout=output, stderr=StringIO(), **options)
    return output.getvalue().rsplit(", in ", 1)[0]


def errors(folder: Path) -> list[list[str]]:
    with (folder / "export.csv.errors.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def customer_of(tenant: Tenant, email: str) -> Customer:
    return Account.objects.for_tenant(tenant).select_related("customer").get(identifier=email).customer


def test_an_export_of_shopify(tenant: Tenant, tmp_path: Path) -> None:
    assert run(tmp_path, files.SHOPIFY, mapping="shopify") == "2 customers created, 0 were there"
    zoe = customer_of(tenant, "zoe.mueller@example.com")
    assert (zoe.first_name, zoe.last_name, zoe.company) == ("Zoë", "Müller", "Müller & Söhne")
    assert (zoe.contact_email, zoe.contact_phone) == ("zoe.mueller@example.com", "+491701234567")
    assert current(tenant=tenant, customer=zoe) == {"email": True, "sms": False}
    address = Address.objects.get(customer=zoe)
    assert (address.contact_name, address.street, address.extra_line_1) == ("Zoë Müller", "Hauptstraße 5", "Hinterhaus")
    assert (address.postal_code, address.city, address.state, address.country) == ("01067", "Berlin", "BE", "DE")
    assert address.is_default
    assert CustomerIdentifier.objects.get(customer=zoe).value == "7001"
    lee = customer_of(tenant, "lee@example.org")
    assert (lee.first_name, lee.contact_phone) == (None, None)
    assert not Address.objects.filter(customer=lee).exists()
    assert [len(number) for number in Customer.objects.values_list("number", flat=True)] == [8, 8]
    assert AuditEvent.objects.filter(action="import").count() == 2


def test_an_export_of_magento_with_further_addresses_on_lines_of_their_own(tenant: Tenant, tmp_path: Path) -> None:
    digest = hashlib.sha256(b"salt" + PASSWORD.encode()).hexdigest()
    content = files.MAGENTO.format(password_hash=f"{digest}:salt:1")
    assert run(tmp_path, content, mapping="magento") == "2 customers created, 0 were there"
    ana = customer_of(tenant, "ana@example.com")
    assert (ana.title, ana.middle_name, ana.sex, str(ana.birth_date)) == ("Dr.", "María", "female", "1985-04-01")
    assert [(each.city, each.is_default) for each in Address.objects.filter(customer=ana).order_by("pk")] == [
        ("Madrid", False),
        ("Sevilla", True),
    ]
    assert check_password(PASSWORD, Account.objects.get(customer=ana).password)
    bo = Account.objects.get(identifier="bo@example.com")
    assert not bo.has_password
    assert bo.customer.sex is None


def test_an_export_of_woocommerce(tenant: Tenant, tmp_path: Path) -> None:
    content = files.WOOCOMMERCE.format(password_hash=phpass.using(rounds=7).hash(PASSWORD))
    assert run(tmp_path, content, mapping="woocommerce") == "2 customers created, 0 were there"
    yuki = Account.objects.select_related("customer").get(identifier="yuki@example.jp")
    assert check_password(PASSWORD, yuki.password)
    assert yuki.customer.last_name == "山田"
    assert Address.objects.filter(customer=yuki.customer).count() == 1, "the same address twice is one"
    pat = customer_of(tenant, "pat@example.ie")
    assert [each.street for each in Address.objects.filter(customer=pat).order_by("pk")] == ["1 Main St", "2 Quay"]


def test_every_imported_consent_has_its_receipt(tenant: Tenant, tmp_path: Path) -> None:
    run(tmp_path, files.SHOPIFY, mapping="shopify")
    assert Consent.objects.count() == Receipt.objects.count() == 4
    assert consents.without_receipt(tenant=tenant) == []


def test_a_second_run_adds_nothing(tenant: Tenant, tmp_path: Path) -> None:
    run(tmp_path, files.SHOPIFY, mapping="shopify")
    before = list(Customer.objects.values())
    assert run(tmp_path, files.SHOPIFY, mapping="shopify") == "0 customers created, 2 were there"
    assert list(Customer.objects.values()) == before
    assert Account.objects.count() == 2


def test_what_customers_changed_in_the_meantime_stays(tenant: Tenant, tmp_path: Path) -> None:
    run(tmp_path, files.SHOPIFY, mapping="shopify")
    Account.objects.filter(identifier="lee@example.org").update(identifier="new@example.org")
    assert run(tmp_path, files.SHOPIFY, mapping="shopify") == "0 customers created, 2 were there"
    assert not Account.objects.filter(identifier="lee@example.org").exists()


def test_a_dry_run_says_the_same_and_writes_nothing(tenant: Tenant, tmp_path: Path) -> None:
    assert run(tmp_path, files.SHOPIFY, mapping="shopify", dry_run=True) == "2 customers would be created, 0 were there"
    assert not Customer.objects.exists()
    assert not AuditEvent.objects.exists()


def test_imported_log_ins_are_permitted_and_proven_by_nothing(tenant: Tenant, tmp_path: Path) -> None:
    run(tmp_path, files.SHOPIFY, mapping="shopify")
    assert list(Account.objects.values_list("is_permitted", "verified_at")) == [(True, None)] * 2


@pytest.mark.parametrize("is_dry_run", [False, True])
def test_nobody_loses_an_address_or_an_identifier_to_an_import(
    is_dry_run: bool, tenant: Tenant, tmp_path: Path
) -> None:
    owner = factories.make_customer(tenant, email="lee@example.org")
    holder = factories.make_customer(tenant, email="holder@example.com")
    CustomerIdentifier.objects.create(tenant=tenant, customer=holder, name="loyaltyCard", value="L1")
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("format: csv\nkey: {name: till, value: id}\nemail: email\nidentifiers: {loyaltyCard: card}\n")
    content = "id,email,card\n1,lee@example.org,\n2,new@example.com,L1\n3,third@example.com,L3\n4,third@example.com,\n"
    with pytest.raises(CommandError, match="3 records were left out") as failed:
        run(tmp_path, content, mapping=str(mapping), dry_run=is_dry_run)
    assert failed.value.returncode == 2
    assert [line for line, _ in errors(tmp_path)] == ["2", "3", "5"]
    known = {"lee@example.org", "holder@example.com"}
    assert set(Account.objects.values_list("identifier", flat=True)) == known | (
        set() if is_dry_run else {"third@example.com"}
    )
    assert CustomerIdentifier.objects.get(name="loyaltyCard", value="L1").customer == holder
    assert customer_of(tenant, "lee@example.org") == owner


class SignsUpMeanwhile:
    """Somebody who signs up once the import has looked who is there, and takes numbers for those who are not."""

    def __init__(self, tenant: Tenant, email: str) -> None:
        self._tenant, self._email = tenant, email
        self._is_there = False

    def __call__(self, execute: Callable[..., object], sql: str, *others: object) -> object:
        if not self._is_there and "customers_customernumber" in sql:
            self._is_there = True
            factories.make_customer(self._tenant, email=self._email)
        return execute(sql, *others)


@pytest.mark.parametrize(("others", "created"), [("", 0), ("2,new@example.com\n", 1)])
def test_who_signs_up_while_an_import_writes_stays(tenant: Tenant, tmp_path: Path, others: str, created: int) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("format: csv\nkey: {name: till, value: id}\nemail: email\n")
    output, rival = StringIO(), SignsUpMeanwhile(tenant, "lee@example.org")
    with connection.execute_wrapper(rival), pytest.raises(CommandError, match="1 records were left out"):
        run(tmp_path, f"id,email\n1,lee@example.org\n{others}", mapping=str(mapping), output=output)
    assert output.getvalue().startswith(f"{created} customers created, 0 were there")
    assert factories.account_of(customer_of(tenant, "lee@example.org")).is_verified
    assert Customer.objects.count() == 1 + created


def hand_in(tenant: Tenant, stranger: Customer, email: str) -> None:
    point = ContactPoint(channel=EMAIL, destination=email)
    accounts.create_for_contact_point(tenant=tenant, customer=stranger, point=point, proof=None)


def sign_up(tenant: Tenant, stranger: Customer, email: str) -> None:
    session = factories.open_anonymous(tenant).session
    registration = signing_up.Registration(email=email, password=factories.PASSWORD)
    signing_up.sign_up(tenant=tenant, registration=registration, client=factories.CLIENT, session_id=session.pk)


def add(tenant: Tenant, stranger: Customer, email: str) -> None:
    session = factories.log_in(stranger).session
    additional_log_in.add(
        tenant=tenant, session=session, email=email, password="a password of mallory", client=factories.CLIENT
    )


@pytest.mark.parametrize("reserve", [hand_in, sign_up, add], ids=lambda reserve: reserve.__name__)
@pytest.mark.parametrize("by_identifier", [True, False])
def test_who_typed_an_address_in_does_not_keep_it_from_an_import(
    tenant: Tenant, tmp_path: Path, reserve: Callable[[Tenant, Customer, str], None], by_identifier: bool
) -> None:
    stranger = factories.make_customer(tenant, email="mallory@example.com")
    reserve(tenant, stranger, "lee@example.org")
    held = Account.objects.get(identifier="lee@example.org")
    mapping = tmp_path / "mapping.yaml"
    key = "key: {name: till, value: id}\n" if by_identifier else ""
    mapping.write_text(f"format: csv\nemail: email\n{key}")
    for created, there in ((1, 0), (0, 1)):
        said = run(tmp_path, "id,email\n1,lee@example.org\n", mapping=str(mapping))
        assert said == f"{created} customers created, {there} were there"
    account = Account.objects.get(identifier="lee@example.org")
    assert (account.customer_id == held.customer_id, account.is_permitted) == (False, True)
    assert Customer.objects.filter(pk=held.customer_id, erased_at=None).exists()
    assert AuditEvent.objects.filter(action="release_address", customer_number=held.customer.number).count() == 1


def test_another_tenants_customers_are_no_obstacle(tenant: Tenant, other_tenant: Tenant, tmp_path: Path) -> None:
    factories.make_customer(other_tenant, email="lee@example.org")
    assert run(tmp_path, files.SHOPIFY, mapping="shopify") == "2 customers created, 0 were there"


def test_wrong_records_are_left_out_and_listed_without_their_values(tenant: Tenant, tmp_path: Path) -> None:
    content = (
        "Customer ID,Email,First Name,Default Address Country Code,Default Address City\n"
        "1,not an address,A,,\n"
        "2,b@example.com,B,Germany,Berlin\n"
        ",c@example.com,C,,\n"
        "4,d@example.com,D,,,one,too,many\n"
        f"5,e@example.com,{'x' * 300},,\n"
        "6,f@example.com,F,,\n"
    )
    with pytest.raises(CommandError, match="5 records were left out"):
        run(tmp_path, content, mapping="shopify")
    listed = dict(errors(tmp_path))
    assert listed["2"] == "email: Enter a valid e-mail address."
    assert "addresses.0.country" in listed["3"]
    assert listed["4"] == "key: This field is required."
    assert listed["5"] == "8 values for 5 columns"
    assert "6" in listed
    assert "not an address" not in str(listed.values())
    assert Account.objects.get().identifier == "f@example.com"


def test_json_lines_with_paths(tenant: Tenant, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        "format: jsonl\nemail: contact.mail\nprofile: {first_name: names.0}\nconsents: {email: newsletter}\n"
        "is_verified: verified\n"
    )
    lines = [
        json.dumps({"contact": {"mail": "a@example.com"}, "names": ["Ann", "B"], "newsletter": True, "verified": True}),
        "[1]",
        "",
        '{"contact": {"mail": "b@example.com"}, "names": []}',
        "{" * 100_000,
    ]
    with pytest.raises(CommandError, match="2 records were left out"):
        run(tmp_path, "\n".join(lines), mapping=str(mapping))
    ann = Account.objects.select_related("customer").get(identifier="a@example.com")
    assert ann.customer.first_name == "Ann"
    assert ann.verified_by == Account.Proof.SERVER
    assert not Account.objects.get(identifier="b@example.com").is_verified  # it does not say so
    assert current(tenant=tenant, customer=ann.customer) == {"email": True}
    assert [line for line, _ in errors(tmp_path)] == ["2", "5"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("format: xml\nemail: e\n", "xml"),
        ("format: csv\n", "email"),
        ("format: csv\nemail: e\nnonsense: 1\n", "nonsense"),
        ("format: csv\nemail: e\nprofile: {contact_email: e}\n", "profile.contact_email does not exist"),
        ("format: csv\nemail: e\naddresses: [{zip: z}]\n", "addresses.0.zip does not exist"),
        ("format: csv\nemail: e\nconsents: {'e mail': x}\n", "can't name a purpose"),
        ("format: csv\nemail: e\nkey: {name: 'a b', value: x}\n", "can't name an identifier"),
        ("format: csv\nemail: e\npassword: {hash: h, form: rot13(password)}\n", "password.form"),
        ("format: [", "mapping.yaml"),
    ],
)
def test_a_mapping_that_is_wrong(tenant: Tenant, tmp_path: Path, text: str, words: str) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(text)
    with pytest.raises(CommandError, match=words):
        run(tmp_path, "e\na@example.com\n", mapping=str(mapping))
    assert not Customer.objects.exists()


CONSENTS = "format: csv\nemail: e\nconsents: {email: [news, mails], sms: texts}\n"


def test_who_was_not_asked_has_said_nothing(tenant: Tenant, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(CONSENTS)
    content = "e,news,texts\na@example.com,Yes,\nb@example.com, ,NOT_SUBSCRIBED\nc@example.com,0,1\nd@example.com\n"
    run(tmp_path, content, mapping=str(mapping))
    said = {
        each.identifier: current(tenant=tenant, customer=each.customer)
        for each in Account.objects.select_related("customer")
    }
    assert said == {
        "a@example.com": {"email": True},
        "b@example.com": {"sms": False},
        "c@example.com": {"email": False, "sms": True},
        "d@example.com": {},
    }
    assert Consent.objects.count() == Receipt.objects.count() == 4


def test_a_consent_in_other_words_is_not_guessed(tenant: Tenant, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(CONSENTS)
    with pytest.raises(CommandError, match="1 records were left out"):
        run(tmp_path, "e,news\na@example.com,ja\nb@example.com,no\n", mapping=str(mapping))
    [(line, reason)] = errors(tmp_path)
    assert line == "2"
    assert reason.startswith("consents.email: This is neither yes nor no.")
    mapping.write_text(CONSENTS.replace("[news, mails]", "{columns: [news], values: {ja: 'yes', nein: 'no'}}"))
    run(tmp_path, "e,news\na@example.com,ja\nb@example.com,no\n", mapping=str(mapping))
    assert current(tenant=tenant, customer=customer_of(tenant, "a@example.com")) == {"email": True}


@pytest.mark.parametrize(
    ("head", "absent"),
    [("mail,id", "column e, which the mapping names for email"), ("e,number", "column id or nr, which")],
)
def test_a_file_of_another_kind_is_not_begun(tenant: Tenant, tmp_path: Path, head: str, absent: str) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("format: csv\nemail: e\nkey: {name: till, value: [id, nr]}\n")
    with pytest.raises(CommandError, match=absent):
        run(tmp_path, f"{head}\na@example.com,1\n", mapping=str(mapping))
    assert not (tmp_path / "export.csv.errors.csv").exists()


def test_columns_that_the_file_lacks_are_named(tenant: Tenant, tmp_path: Path) -> None:
    mapping, path, said = tmp_path / "mapping.yaml", tmp_path / "export.csv", StringIO()
    mapping.write_text(
        "format: csv\nemail: e\nphone: tel\nprofile: {first_name: {columns: [first, given], join: ' '}, title: t}\n"
        "consents: {sms: texts}\nidentifiers: {card: c}\naddresses: [{city: town}]\npassword: {hash: h, salt: s}\n"
    )
    path.write_text("e,given,h\na@example.com,Ada,\n")
    call_command("import_customers", "acme", path, mapping=str(mapping), stdout=StringIO(), stderr=said)
    names = (
        "tel (phone), s (password.salt), t (profile.title), texts (consents.sms), c (identifiers.card), "
        "town (addresses.0.city)"
    )
    assert f"{path} has no column {names}: those values are left out." in said.getvalue()
    assert customer_of(tenant, "a@example.com").first_name == "Ada"


@pytest.mark.parametrize("content", ["", "\n"])
def test_a_file_without_a_head(tenant: Tenant, tmp_path: Path, content: str) -> None:
    with pytest.raises(CommandError):
        run(tmp_path, content, mapping="magento")


def test_a_file_that_is_not_there(tenant: Tenant, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be read"):
        call_command("import_customers", "acme", tmp_path / "none.csv", mapping="shopify", stderr=StringIO())


def test_text_that_is_not_utf_8_is_left_out(tenant: Tenant, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(b"ID,user_email,first_name\n1,a@example.com,Zo\xeb\n2,b@example.com,B\n")
    with pytest.raises(CommandError, match="1 records were left out"):
        call_command("import_customers", "acme", path, mapping="woocommerce", stdout=StringIO(), stderr=StringIO())
    assert errors(tmp_path) == [["2", "first_name is not text in UTF-8"]]


def test_a_customer_whose_addresses_go_over_the_end_of_a_batch(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth_providers.importing.batches.BATCH", 1)
    run(tmp_path, files.MAGENTO.format(password_hash=""), mapping="magento", processes=1)
    assert Address.objects.filter(customer=customer_of(tenant, "ana@example.com")).count() == 2
    assert Customer.objects.count() == 2


def test_password_hashes_are_counted_by_tenant_and_kind(tenant: Tenant, other_tenant: Tenant, tmp_path: Path) -> None:
    content = files.WOOCOMMERCE.format(password_hash=phpass.using(rounds=7).hash(PASSWORD))
    run(tmp_path, content, mapping="woocommerce")
    factories.make_customer(tenant, email="own@example.com")
    factories.make_customer(other_tenant, email="own@example.com")
    output = StringIO()
    call_command("password_hashes", stdout=output)
    own = Account.objects.filter(identifier="own@example.com").first()
    assert own is not None
    ours = own.password.split("$")[0]
    assert sorted(output.getvalue().splitlines()) == sorted(
        [f"acme\t{ours}\t1", "acme\twrapped\t1", f"{other_tenant.code}\t{ours}\t1"]
    )
