"""The table of journeys names them all."""

import pytest

from tests.browser import table
from tests.browser.test_journeys import JOURNEYS
from tests.browser.test_second_factor import JOURNEYS as OF_SECOND_FACTORS

pytestmark = pytest.mark.browser


def test_the_table_of_journeys_is_whole() -> None:
    every = [*JOURNEYS, *OF_SECOND_FACTORS]
    if table.RECORDS and set(table.COUNTED) == set(every):
        table.write()
    assert table.names() == every
