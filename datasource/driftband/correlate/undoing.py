"""Which changes undo others: what happens then is the end of one trouble, not the beginning of the next."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from driftband.correlate.subject import Act


@dataclass(frozen=True, slots=True)
class _Move:
    """What one change did to one thing. before: None where it is not known."""

    place: Hashable
    before: Any
    after: Any


def undoing(acts: Sequence[Act]) -> Mapping[int, int]:
    """Return the changes that undo another one, with that one; both by their place in ``acts``, the first that began first.

    All that a change did to attributes has to put back what one other change did last to the same ones; of a deployment, the
    commit has to be the one before. What undoes an undoing belongs to the first.
    """
    last: dict[Hashable, tuple[int, _Move]] = {}
    found: dict[int, int] = {}
    for index, act in enumerate(acts):
        undone: set[int | None] = set()
        for move in _moves(act, last):
            earlier, was = last.get(move.place, (None, move))
            back = (
                earlier is not None and move.before is not None and (was.before, was.after) == (move.after, move.before)
            )
            undone.add(earlier if back else None)
            last[move.place] = (index, move)
        if len(undone) == 1 and (one := undone.pop()) is not None:
            found[index] = found.get(one, one)
    return found


def _moves(act: Act, last: Mapping[Hashable, tuple[int, _Move]]) -> Iterator[_Move]:
    change = act.change
    for touched in change.resources:
        for attribute in touched.attributes:
            if not attribute.sensitive:
                place = (change.workspace, touched.address, attribute.path)
                yield _Move(place, attribute.before, attribute.after)
    if change.kind == "deploy" and change.commit:
        what = (change.kind, change.workspace, *sorted(change.identity.items()))
        yield _Move(what, last[what][1].after if what in last else None, change.commit)
