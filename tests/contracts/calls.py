"""Calling the API over Django's test client, with full control over what is sent."""

import json as json_module
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from tests import factories

JSON = "application/json"


def call(
    method: str,
    path: str,
    *,
    token: str = "",
    json: Any = None,
    body: bytes | None = None,
    content_type: str = JSON,
    headers: Mapping[str, str] | None = None,
    raises: bool = True,
    **environ: str,
) -> HttpResponse:
    """Send one request. `json` or the raw `body`; `raises=False` turns an unforeseen error into the 500 that a client
    would see; `environ` goes to WSGI as it is."""
    content = body if body is not None else b"" if json is None else json_module.dumps(json).encode()
    sent = {"Authorization": f"Bearer {token}"} if token else {}
    client: Any = Client(raise_request_exception=raises)
    response: HttpResponse = client.generic(
        method,
        path,
        content,
        content_type=content_type,
        headers={"User-Agent": factories.CLIENT.user_agent, **sent, **(headers or {})},
        **({"REMOTE_ADDR": factories.CLIENT.address} | environ),
    )
    return response


def body_of(response: HttpResponse) -> Any:
    """The decoded body; None when it is empty."""
    return json_module.loads(response.content) if response.content else None


@contextmanager
def one_transaction() -> Iterator[None]:
    """Also for what asks for a transaction of its own."""
    outermost = transaction.atomic()
    outermost._from_testcase = True  # type: ignore[attr-defined] # as Django marks its own: durable blocks fit inside
    with outermost:
        yield


@contextmanager
def rolled_back() -> Iterator[None]:
    """The rows of one example are not those of the next."""
    with one_transaction():
        yield
        transaction.set_rollback(True)
