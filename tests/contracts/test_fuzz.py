"""Every field of every operation with values of every type, size and encoding: no fault of ours, and no hanging.

`FUZZ_COUNT` is the number of requests, `FUZZ_SEED` says which ones (`make fuzz`).
"""

import os
import time

import pytest
from django.http import HttpResponse
from hypothesis import given, seed, settings

from tenants.models import Tenant
from tests.contracts.calls import call, rolled_back
from tests.contracts.fuzzed import Sent, requests_of
from tests.contracts.operations import EVERY_OPERATION, Operation
from tests.contracts.scene import Scene
from tests.contracts.shapes import check_answer
from tests.contracts.test_hostile_bodies import bounded

COUNT, SEED = int(os.environ.get("FUZZ_COUNT", "2000")), int(os.environ.get("FUZZ_SEED", "1"))
LONGEST = 5.0  # seconds of this thread's processor that one request may take


def send(operation: Operation, scene: Scene, sent: Sent) -> HttpResponse:
    """The request that succeeds with these changes."""
    Tenant.objects.filter(pk=scene.tenant.pk).update(check_in_policy=sent.policy)
    token = operation.least_token(scene)
    return call(operation.method, sent.path_of(operation), token=token, body=sent.body_of(operation))


@pytest.mark.parametrize("operation", EVERY_OPERATION, ids=str)
def test_any_field_of_any_type(operation: Operation, scene: Scene) -> None:
    operation = operation.prepared(scene)

    @seed(SEED)
    @settings(bounded, max_examples=max(1, COUNT // len(EVERY_OPERATION)), derandomize=False)
    @given(sent=requests_of(operation))
    def check(sent: Sent) -> None:
        began = time.thread_time()
        with rolled_back():
            check_answer(send(operation, scene, sent), operation.contract)
        assert time.thread_time() - began < LONGEST

    check()
