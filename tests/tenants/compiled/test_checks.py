"""Warnings of the database."""

import pytest
from django.core.checks import Tags, run_checks
from django.db import connection

pytestmark = pytest.mark.django_db


def test_a_database_without_autovacuum_is_warned_of() -> None:
    found = [each for each in run_checks(tags=[Tags.database], databases=["default"]) if each.id == "tenants.W001"]
    if connection.vendor == "sqlite":
        assert found == []
        return
    with connection.cursor() as cursor:
        cursor.execute("SHOW autovacuum")
        is_off = cursor.fetchone() == ("off",)
    assert [each.obj for each in found] == ["default"] * is_off
