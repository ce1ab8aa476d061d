"""Waiting for what the service does by itself."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
WITHIN = 60.0


def until(look: Callable[[], T], within: float = WITHIN) -> T:
    """Look again and again until there is something to see, and return it."""
    deadline = time.monotonic() + within
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)
    return seen
