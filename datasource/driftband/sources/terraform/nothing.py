"""How providers write nothing: null, an empty text, an empty collection, and collections of those."""

from typing import Any


def is_nothing(value: Any) -> bool:
    """Tell whether a value says nothing. A list with an empty text in it does say something."""
    if value is None or value == "":
        return True
    if isinstance(value, dict):
        return all(is_nothing(inner) for inner in value.values())
    if isinstance(value, list):
        return all(inner != "" and is_nothing(inner) for inner in value)
    return False
