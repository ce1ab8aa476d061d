"""Which departures of a signal people have accepted, and from when to when."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from sqlalchemy import RowMapping, bindparam, select

from driftband.model.departure import Accepted
from driftband.model.moment import to_ms
from driftband.store.database import Database
from driftband.store.tables import findings, transitions

_KINDS = ("band_breach", "level_shift")
_f, _t, _was = findings.c, transitions.c, transitions.alias().c  # it may have closed since
_ACCEPTED = (
    select(_f.id, _f.evidence, _f.accepted_until, _t.at, _t.state)
    .join(transitions, _t.finding == _f.id)
    .where(
        _f.signal == bindparam("its_signal"),
        _f.kind.in_(_KINDS),
        select(_was.id).where(_was.finding == _f.id, _was.state == "accepted").exists(),
    )
    .order_by(_f.id, _t.at, _t.id)
)
_SIDES = {"above": 1, "below": -1}


def accepted_of(database: Database, accept_after: int, signal: str) -> Sequence[Accepted]:
    """Return what has been accepted of a signal. accept_after: for how long at most (ms)."""
    with database.read() as connection:
        rows = connection.execute(_ACCEPTED, {"its_signal": signal}).mappings().all()
    return [one for _, steps in groupby(rows, lambda row: row["id"]) for one in _of(list(steps), accept_after)]


def _of(steps: Sequence[RowMapping], accept_after: int) -> Iterator[Accepted]:
    evidence = steps[0]["evidence"]
    if evidence.get("side") not in _SIDES:
        return
    labels, side = tuple(sorted(evidence["labels"].items())), _SIDES[evidence["side"]]
    began: int | None = None
    for step in steps:
        at = to_ms(step["at"])
        if step["state"] == "accepted" and began is None:
            began = at
        elif step["state"] == "open" and began is not None:
            if at > began:
                yield Accepted(labels, side, began, min(at, began + accept_after))
            began = None
    # That it has closed does not take the acceptance back: the level is what it was.
    if began is not None:
        until = steps[-1]["accepted_until"]
        end = began + accept_after if until is None else min(to_ms(until), began + accept_after)
        if end > began:
            yield Accepted(labels, side, began, end)
