"""What is said of an intent: that it is violated, that nobody knows, that nobody declares it any more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from driftband.detect.episode import Episode
from driftband.detect.event import What
from driftband.detect.joining import Demand, Sighting
from driftband.detect.quantity import quantity
from driftband.detect.words import instant, number, span
from driftband.model.finding import Severity
from driftband.model.intent import Intent
from driftband.model.series import Labels

UNKNOWN: tuple[str, str] = ("__intent__", "unknown")
"""Marks the key of the state of what is not known."""
HALF = 1.5
"""Scores from which it is an error: half of what is declared is off."""


@dataclass(frozen=True)
class Context:
    """places: of the instants of this step, by epoch ms."""

    intent: Intent
    wanted: Mapping[Labels, Demand]
    seen: Mapping[Labels, Sighting]
    places: Mapping[int, int]


@dataclass(frozen=True)
class Violated:
    """The words of a violation."""

    context: Context
    subject: Labels
    kind: str = "intent_violated"

    def severity(self, score: float, lasted: int) -> Severity:  # noqa: ARG002 - a ``Judge``
        """Judge: not critical, since behaviour is watched by itself."""
        return "error" if score >= HALF else "warning"

    def numbers(self, episode: Episode) -> Mapping[str, Any]:
        """Return what decided."""
        at = int(episode.latest[0] or 0)
        observed = self._observed(episode, at) if self.context.intent.label is not None else episode.latest[1]
        return {**_about(self.context, self.subject), "observed": observed}

    def reason(self, what: What, episode: Episode, at: int) -> str:
        """Say why, in words with numbers and units."""
        intent, demand = self.context.intent, self.context.wanted.get(self.subject)
        since = episode.since if episode.since is not None else at
        if what == "closed" and episode.blind_since is not None:
            return f"nothing could be compared for {span(at - episode.blind_since)}; it was not seen to agree again"
        declared = _declared_text(intent, demand)
        observed = self._observed(episode, at)
        if what == "closed":
            agreed = span(at - episode.turned_at)
            return f"{observed} is observed again, as {declared}, for {agreed}; it differed for {span(episode.turned_at - since)}"
        tolerance = f", with a tolerance of {number(intent.tolerance, intent.unit)}" if intent.tolerance else ""
        return f"{declared}{tolerance}, and {observed} is observed, for {span(at - since)} since {instant(since)}"

    def _observed(self, episode: Episode, at: int) -> str:
        intent, sighting = self.context.intent, self.context.seen.get(self.subject)
        if intent.label is None:
            return number(episode.latest[1], intent.unit)
        place = self.context.places.get(at)
        return sighting.text(place) if sighting is not None and place is not None else "another value"


@dataclass(frozen=True)
class Unknown:
    """The words of missing evidence."""

    context: Context
    subject: Labels
    kind: str = "intent_unknown"

    def severity(self, score: float, lasted: int) -> Severity:  # noqa: ARG002 - a ``Judge``
        """Judge: somebody should look, and nobody be woken up."""
        return "info"

    def numbers(self, episode: Episode) -> Mapping[str, Any]:  # noqa: ARG002 - of a ``Teller``
        """Return what decided."""
        demand = self.context.wanted.get(unmarked(self.subject))
        side = "declared" if demand is not None and demand.missing else "observed"
        return {**_about(self.context, unmarked(self.subject)), "missing": side}

    def reason(self, what: What, episode: Episode, at: int) -> str:
        """Say why, in words with numbers and units."""
        since = episode.since if episode.since is not None else at
        subject = unmarked(self.subject)
        demand = self.context.wanted.get(subject)
        if what == "closed":
            return f"both values are known again, after {span(episode.turned_at - since)}"
        if demand is not None and demand.missing:
            who = f"{demand.address} declares no value to compare: " if demand.address else ""
            side = who + demand.missing
        else:
            by = ", ".join(f'{name}="{value}"' for name, value in subject)
            side = f"{_declared_text(self.context.intent, demand)}, and no sample with {by} is observed"
        return f"whether the intent holds is unknown for {span(at - since)}, since {instant(since)}: {side}"


@dataclass(frozen=True)
class Undeclared:
    """The words where the declaration has gone."""

    kind: str
    intent: Intent
    subject: Labels

    def severity(self, score: float, lasted: int) -> Severity:  # noqa: ARG002 - a ``Judge``
        """Judge: somebody should look, and nobody be woken up."""
        return "info"

    def numbers(self, episode: Episode) -> Mapping[str, Any]:  # noqa: ARG002 - of a ``Teller``
        """Return what decided."""
        return {"intent": self.intent.name}

    def reason(self, what: What, episode: Episode, at: int) -> str:  # noqa: ARG002 - of a ``Teller``
        """Say why, in words with numbers and units."""
        return f"no {self.intent.resource_type} declares it any more" if self.subject else "it is declared now"


def _declared_text(intent: Intent, demand: Demand | None) -> str:
    if demand is None:
        return "what was declared"
    value = str(demand.value)[:60] if intent.label is not None else number(quantity(demand.value), intent.unit)
    where = f" (workspace {demand.workspace})" if demand.workspace else ""
    return f"{demand.address}{where} declares {intent.attribute} {value}"


def _about(context: Context, subject: Labels) -> dict[str, Any]:
    intent, demand = context.intent, context.wanted.get(subject)
    return {
        "intent": intent.name,
        "query": intent.expr,
        "workspace": demand.workspace if demand else None,
        "address": demand.address if demand else None,
        "resource_type": intent.resource_type,
        "attribute": intent.attribute,
        "declared": demand.value if demand and not demand.missing else None,
        "tolerance": intent.tolerance,
        "unit": intent.unit,
    }


def unmarked(labels: Labels) -> Labels:
    """Return the subject of a state's key."""
    return tuple(pair for pair in labels if pair != UNKNOWN)
