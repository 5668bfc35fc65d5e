"""The shape that each contract gives to a failure, whatever the failure is."""

from typing import Any

from django.http import HttpResponse

from tests.contracts.calls import body_of

EMPORIX_FORBIDDEN = {"type": "Forbidden", "status": 403, "message": "User not authorized."}


def check_refusal(response: HttpResponse, contract: str) -> None:
    """A 4xx in the contract's shape."""
    assert 400 <= response.status_code < 500, response.content
    assert response.headers["Cache-Control"] == "no-store"
    body = body_of(response)
    if contract == "kibo":
        _check_kibo(response, body)
    elif contract in {"neostore", "account"}:
        _check_problem(response, body)
    elif contract == "oauth":
        assert response.headers["Content-Type"] == "application/json"
        assert body.keys() == {"error", "error_description"}
    else:
        _check_emporix(response, body)


def check_answer(response: HttpResponse, contract: str) -> None:
    """Success, or a refusal in the contract's shape: never a fault of ours."""
    if response.status_code not in {200, 201, 202, 204}:
        check_refusal(response, contract)


def _check_emporix(response: HttpResponse, body: Any) -> None:
    assert response.headers["Content-Type"] == "application/json"
    if response.status_code == 401:
        assert body.keys() == {"fault"}
        assert body["fault"].keys() == {"faultstring", "detail"}
        assert body["fault"]["detail"].keys() == {"errorcode"}
    elif response.status_code == 403 and "secondFactor" in body:
        assert body.keys() == {"type", "status", "message", "secondFactor"}
        assert body["secondFactor"].keys() == {"handle", "methods", "expiresAt"}
    elif response.status_code == 403 and "challenge" in body:
        assert body.keys() == {"type", "status", "message", "challenge"}
        assert body["challenge"].keys() == {"id", "type", "channel", "maskedDestination", "expiresAt"}
    elif response.status_code == 403:
        assert body == EMPORIX_FORBIDDEN
    else:
        assert {"status", "type", "message"} <= body.keys() <= {"status", "type", "message", "details"}
        assert body["status"] == response.status_code
        assert all(each.keys() == {"field", "type", "message"} for each in body.get("details", []))


def _check_kibo(response: HttpResponse, body: Any) -> None:
    assert response.headers["Content-Type"] == "application/json"
    whole = {"applicationName", "errorCode", "message", "correlationId", "additionalErrorData", "items"}
    assert all(each.keys() == whole for each in (body, *body["items"]))
    assert body["message"]
    assert body["correlationId"] == response.headers["x-vol-correlation"]


def _check_problem(response: HttpResponse, body: Any) -> None:
    assert response.headers["Content-Type"] == "application/problem+json"
    required = {"type", "title", "status", "detail", "instance", "code"}
    assert required <= body.keys() <= required | {"errors"}
    assert body["status"] == response.status_code
