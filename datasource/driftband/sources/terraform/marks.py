"""What stands in place of a secret: one mark, or several where secrets must not be taken for each other."""

import re
from dataclasses import dataclass
from typing import Any

from driftband.model.attribute import REDACTED

_MARK = re.compile(rf"{REDACTED[:-1]}(?::\d+)?>")


@dataclass(frozen=True, slots=True)
class Hidden:
    """A secret in a tree of values. Within one resource equal numbers are equal secrets."""

    number: int = 1

    @property
    def mark(self) -> str:
        """The text that stands for it in a document."""
        return numbered(self.number)


HIDDEN = Hidden()


def numbered(number: int) -> str:
    """Return the mark of the ``number``-th secret, from 1 on."""
    return REDACTED if number == 1 else f"{REDACTED[:-1]}:{number}>"


def is_mark(text: str) -> bool:
    """Tell whether a text is such a mark, so that it is no secret itself."""
    return _MARK.fullmatch(text) is not None


def holds_hidden(tree: Any) -> bool:
    """Tell whether a tree of values has a secret in it."""
    if isinstance(tree, dict):
        return any(holds_hidden(inner) for inner in tree.values())
    if isinstance(tree, list):
        return any(holds_hidden(inner) for inner in tree)
    return isinstance(tree, Hidden)


def split(tree: Any) -> tuple[Any, Any]:
    """Return a tree as JSON with marks in it, and the mask of where they stand (False where there are none)."""
    if isinstance(tree, Hidden):
        return tree.mark, True
    if isinstance(tree, dict):
        parts = {key: split(inner) for key, inner in tree.items()}
        masked = {key: part[1] for key, part in parts.items() if part[1] is not False}
        return {key: part[0] for key, part in parts.items()}, masked or False
    if isinstance(tree, list):
        items = [split(inner) for inner in tree]
        masks = [item[1] for item in items]
        return [item[0] for item in items], masks if any(item is not False for item in masks) else False
    return tree, False


def renumbered(*trees: Any) -> tuple[Any, ...]:
    """Return trees whose secrets are numbered by their first appearance; they are changed in place."""
    numbers: dict[int, Hidden] = {}
    return tuple(_renumbered(tree, numbers) for tree in trees)


def _renumbered(tree: Any, numbers: dict[int, Hidden]) -> Any:
    if isinstance(tree, Hidden):
        return numbers.setdefault(tree.number, Hidden(len(numbers) + 1))
    if isinstance(tree, dict):
        for key, inner in tree.items():
            tree[key] = _renumbered(inner, numbers)
    elif isinstance(tree, list):
        tree[:] = [_renumbered(inner, numbers) for inner in tree]
    return tree
