"""How an attribute has moved while its finding stayed open: what a size that an autoscaler sets does all day."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from driftband.detect.noise import Move
from driftband.model.attribute import AttributeDiff
from driftband.model.finding import Finding
from driftband.model.moment import parse_moment, show_moment

MOST_MOVES = 40
"""Moves that a finding remembers, the last ones."""


def with_moves(finding: Finding, attributes: Sequence[AttributeDiff], at: datetime) -> Mapping[str, Any]:
    """Return the evidence of a finding whose attributes are ``attributes`` now, with the values that are new among them."""
    known = {a.path: a for a in finding.attributes if not a.sensitive}
    moves = list(finding.evidence.get("moves", ()))
    told = {move["path"] for move in moves}
    for now in attributes:
        old = known.get(now.path)
        if old is None or now.sensitive or old.after == now.after:
            continue
        if now.path not in told:
            moves.append(_written(now.path, finding.opened_at, old.after))
        moves.append(_written(now.path, at, now.after))
    return {**finding.evidence, "moves": moves[-MOST_MOVES:]} if moves else finding.evidence


def moves_of(finding: Finding) -> Iterator[Move]:
    """Yield every value that the attributes of a finding were found at."""
    told: dict[str, list[tuple[datetime, Any]]] = {}
    for move in finding.evidence.get("moves", ()):
        told.setdefault(move["path"], []).append((parse_moment(move["at"]), move["after"]))
    for attribute in finding.attributes:
        for at, after in told.get(attribute.path, [(finding.opened_at, attribute.after)]):
            yield Move(
                workspace=finding.workspace,
                resource_type=finding.resource_type,
                address=finding.address,
                path=attribute.path,
                at=at,
                before=attribute.before,
                after=after,
            )


def _written(path: str, at: datetime, after: Any) -> dict[str, Any]:
    return {"path": path, "at": show_moment(at), "after": after}
