"""What holds for all tests."""

import pytest
from hypothesis import settings

# A busy machine is no defect: nothing here asserts timing.
settings.register_profile("driftband", deadline=None)
settings.load_profile("driftband")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let those begin that wait long: the others are done meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("first") is None)
