"""Every operation, while other customers are there who have everything: it answers as if there were none, and leaves
them as they were."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from tenants.models import Tenant
from tests.contracts import golden
from tests.contracts.operations import ACCOUNT, EMPORIX, EVERY_OPERATION, KIBO, NEOSTORE, Operation
from tests.contracts.scene import Scene, set_scene
from tests.neighbours import Neighbours

WITH_GOLDEN_FILE = {each.name: each.name.removeprefix("kibo-") for each in EMPORIX + NEOSTORE + ACCOUNT + KIBO}


@pytest.fixture
def scene(neighbours: Neighbours, tenant: Tenant, openid_provider: Any, settings: Settings) -> Scene:
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    return set_scene(tenant, openid_provider)


@pytest.mark.parametrize("operation", EVERY_OPERATION, ids=str)
def test_an_operation_concerns_nobody_else(operation: Operation, neighbours: Neighbours, scene: Scene) -> None:
    answer = operation.send(scene)
    assert answer.status_code == operation.success, answer.content
    if name := WITH_GOLDEN_FILE.get(operation.name):
        golden.check(answer, operation.contract, f"{name}.{operation.success}")
    for each in (neighbours.beside.customer, neighbours.across.customer):
        assert each.number not in answer.content.decode()
    assert neighbours.changed() == {}
