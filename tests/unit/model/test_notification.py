"""Which destinations have to be told."""

import pytest

from driftband.model.incident import Deed
from driftband.model.notification import owed


@pytest.mark.parametrize(
    ("deed", "fits", "told", "expected"),
    [
        ("opened", ["a", "b"], [], [("a", "opened"), ("b", "opened")]),
        ("opened", ["a", "a"], [], [("a", "opened")]),
        ("updated", [], ["a"], [("a", "updated")]),
        ("updated", ["b"], ["a"], [("a", "updated"), ("b", "opened")]),
        ("acknowledged", ["b"], [], [("b", "opened")]),
        ("resolved", ["b"], ["a"], [("a", "resolved")]),
        ("resolved", ["b"], [], []),
        ("opened", [], [], []),
    ],
)
def test_owed(deed: Deed, fits: list[str], told: list[str], expected: list[tuple[str, Deed]]) -> None:
    assert owed(deed, fits, told) == expected
