"""A copy for developers: complete and consistent, and nobody is in it who is in the original."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from customers.models import Customer
from tenants.privacy.classification import Disguise, classified
from tests import factories
from tests.neighbours import Neighbours

SHORTEST = 5  # characters: what is shorter may be in anything

pytestmark = pytest.mark.django_db(transaction=True)


def anonymise(path: Path) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own: a test may open no other database."""
    name = str(connection.settings_dict["NAME"])
    url = f"sqlite:///{name}"
    if connection.vendor == "postgresql":
        url = os.environ["TEST_DATABASE_URL"].rpartition("/")[0] + f"/{name}"
    return subprocess.run(  # noqa: S603
        [sys.executable, "manage.py", "anonymise", f"sqlite:///{path}"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "TEST_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as opened:
        return opened.execute(sql).fetchall()


def everything(path: Path) -> str:
    with closing(sqlite3.connect(path)) as opened:
        return "\n".join(opened.iterdump())


def originals() -> set[str]:
    """Every personal and every secret value, but for the coarse ones."""
    found: set[str] = set()
    for model, own in classified():
        fine = [name for name, each in own.personal.items() if each not in {Disguise.SAME, Disguise.CUSTOMER_NUMBER}]
        for name in (*own.secret, *fine):
            found |= {str(value) for value in model._default_manager.values_list(name, flat=True)}
    # One is the value of a till's identifier, too.
    numbers = set(Customer.objects.values_list("number", flat=True))
    return {value for value in found if len(value) >= SHORTEST} - numbers


def test_nobody_and_no_secret_is_in_the_copy(neighbours: Neighbours, tmp_path: Path) -> None:
    anonymise(tmp_path / "copy.sqlite3")
    copied = everything(tmp_path / "copy.sqlite3")
    assert factories.EMAIL in originals()
    assert {value for value in originals() if value in copied} == set()


def test_what_belongs_together_still_does(neighbours: Neighbours, tmp_path: Path) -> None:
    path = tmp_path / "copy.sqlite3"
    anonymise(path)
    assert rows(path, "SELECT count(*) FROM customers_customer") == [(Customer.objects.count(),)]
    same = "SELECT count(*) FROM customers_customer c JOIN auth_providers_account a ON a.customer_id = c.id "
    assert rows(path, same + "WHERE a.kind = 'email' AND a.identifier = c.contact_email") == [(2,)]
    assert rows(path, same + "WHERE a.kind = 'phone' AND a.identifier = c.contact_phone") == [(2,)]
    numbers = "SELECT count(*) FROM tenants_auditevent e JOIN customers_customer c ON c.number = e.customer_number"
    assert rows(path, f"{numbers} AND c.tenant_id = e.tenant_id WHERE e.customer_number <> ''") == rows(
        path, "SELECT count(*) FROM tenants_auditevent WHERE customer_number <> ''"
    )
    assert rows(path, "SELECT count(*) FROM auth_providers_token") == [(0,)]
    assert rows(path, "PRAGMA foreign_key_check") == []


def test_each_copy_makes_other_people_up(neighbours: Neighbours, tmp_path: Path) -> None:
    emails = []
    for name in ("one", "two"):
        anonymise(tmp_path / name)
        emails.append(set(rows(tmp_path / name, "SELECT contact_email FROM customers_customer")))
    assert emails[0].isdisjoint(emails[1])


def test_a_database_with_tenants_is_left_alone(neighbours: Neighbours, tmp_path: Path) -> None:
    assert anonymise(tmp_path / "copy.sqlite3").stdout.startswith("Copied ")
    before = everything(tmp_path / "copy.sqlite3")
    assert "There are tenants" in anonymise(tmp_path / "copy.sqlite3").stderr
    assert everything(tmp_path / "copy.sqlite3") == before


def test_an_address_of_no_database(db: None) -> None:
    with pytest.raises(CommandError, match="starts with"):
        call_command("anonymise", "mysql//nowhere")
