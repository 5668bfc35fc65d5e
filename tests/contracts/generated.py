"""Requests that schemathesis generates from a document."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, cast

import schemathesis
from django.core.wsgi import get_wsgi_application
from schemathesis import Case, GenerationMode
from schemathesis.core.result import Ok


def operations_of(document: dict[str, Any], base_url: str = "") -> list[Any]:
    """The document's operations; what is generated for them goes to this server, or else to the application in this
    process, which answers within the test's transaction."""
    schema = schemathesis.openapi.from_dict(document)
    if base_url:
        schema.config.update(base_url=base_url)
    else:
        schema.app = get_wsgi_application()
    # NUL is in no text of ours, unknown fields included, which a schema can't say of those.
    schema.config.generation.update(with_security_parameters=False, allow_x00=False)
    return [cast(Ok[Any], each).ok() for each in schema.get_all_operations()]


def is_positive(case: Case[Any]) -> bool:
    """Whether the request is one that the document allows."""
    return case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE


def put_in(part: Any, real: Mapping[str, Any]) -> None:
    """Replace what the part and its parts have by the real values of the same names."""
    if not isinstance(part, MutableMapping):
        return
    for name, value in part.items():
        if name in real:
            part[name] = real[name]
        else:
            put_in(value, real)


def parts_of(case: Case[Any]) -> Iterator[Any]:
    """Where a request has values: its path, its query, its headers and its body."""
    yield from (case.path_parameters, case.query, case.headers, case.body)
