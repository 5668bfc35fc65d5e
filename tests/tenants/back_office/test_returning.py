"""Where a button leads back to: a page of the back office that the request names, and nowhere else."""

from urllib.parse import urlencode

import pytest
from django.http import HttpRequest
from django.test import RequestFactory
from django.urls import reverse

from tenants.back_office import returning

PAGE, OTHER = "/admin/customers/customer/?p=3", "/admin/tenants/site/"


def request(*, posted: str | None = None, queried: str | None = None) -> HttpRequest:
    query = {} if queried is None else {"next": queried}
    if posted is None:
        return RequestFactory().get("/", query)
    return RequestFactory().post(f"/?{urlencode(query)}", {"next": posted})


def test_the_pages_of_these_tests_are_the_back_offices() -> None:
    assert PAGE.startswith(reverse("admin:index"))


@pytest.mark.parametrize(
    ("posted", "queried", "expected"),
    [
        (PAGE, None, PAGE),
        (None, PAGE, PAGE),
        (PAGE, OTHER, PAGE),
        ("", OTHER, OTHER),
        (None, None, ""),
        ("", None, ""),
    ],
)
def test_the_form_says_so_before_the_address(posted: str | None, queried: str | None, expected: str) -> None:
    assert returning.asked(request(posted=posted, queried=queried)) == expected


@pytest.mark.parametrize(
    "named",
    [
        "https://evil.example/admin/",
        "//evil.example/admin/",
        "/",
        "/shop/admin/",
        "admin/",
        "javascript:alert(1)",
    ],
)
def test_nobody_is_sent_anywhere_else(named: str) -> None:
    assert returning.asked(request(posted=named), OTHER) == OTHER
    assert returning.back(request(posted=named), OTHER)["Location"] == OTHER


def test_an_answer_leads_to_the_page_that_was_named_or_else_to_the_given_one() -> None:
    assert returning.back(request(posted=PAGE), OTHER)["Location"] == PAGE
    assert returning.back(request(posted=""), OTHER)["Location"] == OTHER
