"""Requests generated from our own documents: what one allows is accepted, what it doesn't is refused, and every
answer is one that it describes.

`FUZZ_COUNT` is the number of requests, `FUZZ_SEED` says which ones (`make documents`).
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.contracts.calls import rolled_back
from tests.contracts.documented import documented_operations, make_lenient, prepare
from tests.contracts.scene import Scene
from tests.contracts.test_hostile_bodies import bounded

SEED = int(os.environ.get("FUZZ_SEED", "1"))
CHECKS: list[Any] = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    positive_data_acceptance,
    negative_data_rejection,
]
# What a schema can't say: that a token exists, that a version is the present one, that nobody asked too often.
NOT_OF_THE_SCHEMA = ("2xx", "401", "403", "404", "409", "412", "413", "415", "422", "429")
REFUSALS = ("400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "429")

OPERATIONS = documented_operations()
COUNT = max(1, int(os.environ.get("FUZZ_COUNT", "400")) // len(OPERATIONS))


@pytest.fixture
def lenient(scene: Scene) -> Scene:
    """The scene with a tenant that takes the documents' passwords and sends codes."""
    make_lenient(scene)
    return scene


@pytest.mark.usefixtures("kept_connection")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_it_accepts_what_the_document_allows_and_nothing_else(
    operation: Any, mode: GenerationMode, lenient: Scene
) -> None:
    checks = operation.schema.config.checks
    checks.positive_data_acceptance.expected_statuses = list(NOT_OF_THE_SCHEMA)
    checks.negative_data_rejection.expected_statuses = list(REFUSALS)

    @seed(SEED)
    @settings(bounded, max_examples=COUNT, derandomize=False, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Case[Any]) -> None:
        prepare(case, lenient)
        with rolled_back():
            case.validate_response(case.call(), checks=CHECKS)

    check()
