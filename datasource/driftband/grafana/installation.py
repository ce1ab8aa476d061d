"""What ``driftband grafana install`` has to do: what is wanted against what is there. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["folder", "data source", "message template", "contact point", "dashboard", "rule group"]
Action = Literal["create", "change", "keep", "remove", "leave", "refuse"]

KINDS: tuple[Kind, ...] = ("folder", "data source", "message template", "contact point", "dashboard", "rule group")
"""In the order in which they are made; rules name the contact point, and all lies in the folder."""
_WHOLE = frozenset({"labels", "annotations", "rules"})
"""Of these what is there and not wanted is a difference as well; elsewhere Grafana adds what it likes."""
_MOST_SHOWN = 12
_WIDEST = 160


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One thing that is wanted. content: without secrets. secrets: by their path in the content, with dots."""

    kind: Kind
    uid: str
    content: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Held:
    """One thing that is there. not_ours: why it is none that ``install`` has made, or empty. has_others: what of others is
    in it, so that it cannot be removed.
    """

    kind: Kind
    uid: str
    content: Mapping[str, Any]
    not_ours: str = ""
    has_others: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What becomes of one thing. lines: what differs, or why it is left or refused; for people."""

    action: Action
    kind: Kind
    uid: str
    lines: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether Grafana has to be told."""
        return self.action in ("create", "change", "remove")

    def json(self) -> dict[str, Any]:
        """Return it as ``--json`` shows it."""
        return {"action": self.action, "kind": self.kind, "uid": self.uid, "lines": list(self.lines)}


def to_install(wanted: Sequence[Piece], held: Sequence[Held], *, renew_secrets: bool = False) -> list[Step]:
    """Return the steps to what is wanted, in order: what is there in excess goes first, if it is ours.

    renew_secrets: write what has secrets, even where nothing else differs: Grafana does not tell them.
    """
    there = {(one.kind, one.uid): one for one in held}
    named = {(one.kind, one.uid) for one in wanted}
    left_over = [one for one in held if not one.not_ours and (one.kind, one.uid) not in named]
    steps = [_removal(one) for one in _from_the_last(left_over)]
    in_turn = sorted(wanted, key=lambda one: KINDS.index(one.kind))
    return steps + [_towards(piece, there.get((piece.kind, piece.uid)), renew_secrets) for piece in in_turn]


def to_remove(held: Sequence[Held]) -> list[Step]:
    """Return the steps that undo it; what is not ours is left, and said to be."""
    return [_removal(one) for one in _from_the_last(held)]


def _from_the_last(held: Sequence[Held]) -> list[Held]:
    return sorted(held, key=lambda one: KINDS.index(one.kind), reverse=True)


def _removal(one: Held) -> Step:
    why = one.not_ours or one.has_others
    if why:
        return Step(action="leave", kind=one.kind, uid=one.uid, lines=(why,))
    return Step(action="remove", kind=one.kind, uid=one.uid)


def _towards(piece: Piece, there: Held | None, renew_secrets: bool) -> Step:
    if there is None:
        return Step(action="create", kind=piece.kind, uid=piece.uid)
    if there.not_ours:
        return Step(action="refuse", kind=piece.kind, uid=piece.uid, lines=(there.not_ours,))
    found = list(differences(there.content, piece.content))
    if renew_secrets and piece.secrets:
        found.append("the secrets are written again")
    more = len(found) - _MOST_SHOWN
    shown = [*found[:_MOST_SHOWN], f"and {more} more"] if more > 0 else found
    return Step(action="change" if found else "keep", kind=piece.kind, uid=piece.uid, lines=tuple(shown))


def differences(there: Any, wanted: Any, path: str = "") -> Iterator[str]:
    """Yield in words where what is there is not what is wanted.

    What Grafana adds to an object is no difference, but to labels, annotations and rules.
    """
    match there, wanted:
        case dict(), dict():
            whole = path.rpartition(".")[2] in _WHOLE
            for name in wanted.keys() | (there.keys() if whole else set()):
                yield from _entry(there, wanted, name, f"{path}.{name}" if path else str(name))
        case list(), list() if len(there) == len(wanted):
            for place, (one, other) in enumerate(zip(there, wanted, strict=True)):
                yield from differences(one, other, f"{path}[{place}]")
        case _ if not _same(there, wanted):
            yield f"{path}: {_shown(there)} -> {_shown(wanted)}"


def _entry(there: Mapping[str, Any], wanted: Mapping[str, Any], name: str, path: str) -> Iterator[str]:
    if name not in wanted:
        yield f"{path}: {_shown(there[name])} -> (gone)"
    elif name not in there:
        # Grafana leaves out what is empty.
        if not _is_empty(wanted[name]):
            yield f"{path}: (none) -> {_shown(wanted[name])}"
    else:
        yield from differences(there[name], wanted[name], path)


def _is_empty(value: Any) -> bool:
    return value is None or value is False or value in ("", [], {})


def _same(there: Any, wanted: Any) -> bool:
    return bool(there == wanted) and isinstance(there, bool) == isinstance(wanted, bool)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}..."
