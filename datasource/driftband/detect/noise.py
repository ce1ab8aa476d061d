"""Attributes that always move, learned from history and proposed as ignore rules. Nothing is ignored by itself."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

MOVES = 4
DAYS = 3
VALUES = 4
MOVES_OF_KNOWN_NOISE = 2
_EXAMPLES = 3

_NEVER = (
    "polic", "ingress", "egress", "cidr", "acl", "public", "role", "permission", "principal", "security", "firewall", "encrypt",
    "kms", "secret", "passw", "token", "credential", "auth", "tls", "ssl", "cert", "key", "iam", "grant", "trust", "rule",
    "protocol", "port", "member", "bind", "owner", "admin", "privilege", "allow", "deny", "protect", "logging", "audit",
    "expir", "valid", "peer", "range", "super", "login",
)  # fmt: skip
"""How words begin that speak of security: such an attribute is never proposed, however often it moves."""

_AUTOSCALED = frozenset({
    "desired_capacity", "desired_count", "desired_size", "node_count", "current_node_count", "initial_node_count",
    "running_count", "task_count", "instance_count", "target_size", "target_capacity", "replicas", "replica_count",
})  # fmt: skip
_CLOCK_NAME = re.compile(
    r"(?:^|_)(?:timestamp|last_\w+|(?:updat|modifi|refresh|chang|access|sync|observ)\w*_(?:at|on|time|date))$"
)
_CLOCK_VALUE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")


@dataclass(frozen=True, kw_only=True)
class Move:
    """An attribute that was found changed: ``path`` of ``address`` went from ``before`` to ``after``, first seen at ``at``."""

    workspace: str
    resource_type: str
    address: str
    path: str
    at: datetime
    before: Any = None
    after: Any = None


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A rule that somebody may want. attribute: a pattern as ``model.ignore`` reads it, such as ``scaling[*].desired_size``.

    reason: in words, with the counts. examples: addresses, a few of them.
    """

    workspace: str
    resource_type: str
    attribute: str
    reason: str
    examples: tuple[str, ...]

    def json(self) -> dict[str, Any]:
        """Return the form of the API."""
        return {
            "workspace": self.workspace or None,
            "resource_type": self.resource_type,
            "attribute": self.attribute,
            "reason": self.reason,
            "examples": list(self.examples),
        }


def propose(history: Iterable[Move]) -> tuple[Proposal, ...]:
    """Propose a rule for each attribute that always moves, in a workspace and type, in the order of their names.

    It always moves where one and the same resource's has moved at least ``MOVES`` times, on ``DAYS`` days or to ``VALUES``
    values: four resources that were changed once each are four things that somebody did. Sizes that autoscalers set, and
    times, have moved enough with ``MOVES_OF_KNOWN_NOISE``. What speaks of security is never proposed.
    """
    groups: dict[tuple[str, str, str], dict[str, dict[tuple[str, datetime], Move]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for move in history:
        if _may_be_ignored(move.path):
            key = (move.workspace, move.resource_type, _pattern(move.path))
            groups[key][move.address][move.path, move.at] = move
    proposals = (_proposal(key, addresses) for key, addresses in sorted(groups.items()))
    return tuple(proposal for proposal in proposals if proposal is not None)


def _proposal(
    key: tuple[str, str, str], addresses: Mapping[str, Mapping[tuple[str, datetime], Move]]
) -> Proposal | None:
    workspace, resource_type, attribute = key
    moving = {}
    kinds = set()
    for address, moves in sorted(addresses.items()):
        kind = _known_noise(list(moves.values()))
        if _always_moves(list(moves.values()), known=bool(kind)):
            moving[address] = list(moves.values())
            kinds.add(kind)
    if not moving:
        return None
    every = [move for moves in moving.values() for move in moves]
    counts = f"{len(every)} times on {_count(_days(every), 'day')}, to {_count(_values(every), 'value')}"
    reason = f"{attribute} of {resource_type} moved {counts}, at {_count(len(moving), 'resource')}"
    # A kind is given only where it holds for all of them.
    kind = kinds.pop() if len(kinds) == 1 else ""
    return Proposal(
        workspace=workspace,
        resource_type=resource_type,
        attribute=attribute,
        reason=f"{reason}; {kind}" if kind else reason,
        examples=tuple(moving)[:_EXAMPLES],
    )


def _always_moves(moves: Sequence[Move], *, known: bool) -> bool:
    if known:
        return len(moves) >= MOVES_OF_KNOWN_NOISE
    return len(moves) >= MOVES and (_days(moves) >= DAYS or _values(moves) >= VALUES)


def _known_noise(moves: Sequence[Move]) -> str:
    """Return why an attribute is known to move by itself, or nothing."""
    last = re.split(r"[.\[]", re.sub(r"\[\d+\]", "", moves[0].path))[-1]
    if last in _AUTOSCALED:
        return "it is a size that autoscalers set"
    clock = all(isinstance(move.after, str) and _CLOCK_VALUE.fullmatch(move.after) for move in moves)
    return "it is a time" if clock or _CLOCK_NAME.search(last) else ""


def _may_be_ignored(path: str) -> bool:
    """Whether a rule may speak of it: not of security, and not so that the rule would cover more than was seen."""
    if not path or set(path) & set("*?"):
        return False
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", path).lower())
    return not any(word.startswith(_NEVER) for word in words)


def _pattern(path: str) -> str:
    return re.sub(r"\[\d+\]", "[*]", path)


def _days(moves: Sequence[Move]) -> int:
    return len({move.at.astimezone(UTC).date() for move in moves})


def _values(moves: Sequence[Move]) -> int:
    return len({json.dumps(move.after, sort_keys=True, default=str) for move in moves})


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
