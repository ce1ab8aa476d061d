"""``intent_violated``: what runs is not what the infrastructure's code declares.

A value that is missing on either side is no health: it is a finding of its own, of kind ``intent_unknown``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from driftband.detect.detector import State, States
from driftband.detect.episode import Episode, Patience, instants
from driftband.detect.event import Event, in_order
from driftband.detect.intent_telling import UNKNOWN, Context, Undeclared, Unknown, Violated, unmarked
from driftband.detect.joining import Demand, demands, sightings
from driftband.detect.quantity import quantity
from driftband.detect.walking import Looked, looked_at, tell, walk
from driftband.detect.words import DAY, HOUR, MINUTE
from driftband.model.intent import Declared, Intent
from driftband.model.series import Floats, Frame, Labels

LEAST_CALM = 5 * MINUTE
REOPEN_WITHIN = HOUR
GIVE_UP = 7 * DAY


@dataclass(frozen=True)
class IntentViolated:
    """Opens when declared and observed differ by more than the tolerance for ``for``; closes when they agree again."""

    kind: str = "intent_violated"

    def step(
        self, intent: Intent, states: States, inventory: Sequence[Declared], observed: Frame, interval: int
    ) -> tuple[dict[Labels, State], list[Event]]:
        """Return the states after ``observed`` (consecutive instants) and what happened, as ``Detector`` does.

        inventory: as it holds at these instants. The labels of events are those that the intent matches.
        """
        wanted = demands(intent, inventory)
        seen = sightings(intent, wanted, observed)
        context = Context(intent, wanted, seen, {at: place for place, at in enumerate(observed.times.tolist())})
        off = _off(context, len(observed.times))
        kept, gone = _declared_still(context, states, observed)
        calm = max(intent.for_ms, LEAST_CALM)
        patience = Patience(
            open_after=instants(intent.for_ms, interval),
            close_after=instants(min(calm, 2 * LEAST_CALM), interval),
            reopen_within=max(REOPEN_WITHIN, 3 * intent.for_ms),
            give_up=GIVE_UP,
        )
        known = {labels: state for labels, state in kept.items() if UNKNOWN not in labels}
        after, violated = walk(lambda s: Violated(context, s), _look(context, observed, off), known, patience, interval)
        known = {labels: state for labels, state in kept.items() if UNKNOWN in labels}
        blind, unknown = walk(
            lambda s: Unknown(context, s), _look_blind(context, observed, off), known, patience, interval
        )
        unknown = [replace(event, labels=unmarked(event.labels)) for event in unknown]
        return {**after, **blind}, in_order([*gone, *(_placed(wanted, event) for event in (*violated, *unknown))])


def _placed(wanted: Mapping[Labels, Demand], event: Event) -> Event:
    """Return an event with the resource that it is about."""
    declared = wanted[event.labels].declared if event.labels in wanted else None
    return event if declared is None else replace(event, resource=declared, identity=declared.identity)


def _off(context: Context, size: int) -> Floats:
    """Return how far each subject is off at ``size`` instants; NaN where either side is not known."""
    nothing = np.full(size, np.nan)
    found = [
        context.seen[subject].off if subject in context.seen and not demand.missing else nothing
        for subject, demand in context.wanted.items()
    ]
    return np.stack(found) if found else np.zeros((0, size))


def _look(context: Context, observed: Frame, off: Floats) -> Looked:
    nothing = np.full(len(observed.times), np.nan)
    subjects = tuple(context.wanted)
    declared = np.array([_number(context.wanted[s].value) for s in subjects]).reshape(-1, 1)
    scale = np.maximum(np.abs(np.nan_to_num(declared)), 1.0)
    values = [context.seen[s].values if s in context.seen else nothing for s in subjects]
    bad = off > context.intent.tolerance
    return looked_at(
        observed.times,
        subjects,
        known=~np.isnan(off),
        bad=bad,
        calm=~bad,
        score=np.where(bad, 1 + (np.nan_to_num(off) - context.intent.tolerance) / scale, 0.0)
        if context.intent.label is None
        else bad.astype(np.float64),
        side=np.zeros(off.shape),
        shown={
            "values": np.stack(values) if values else off,
            "expected": np.broadcast_to(declared, off.shape),
        },
    )


def _look_blind(context: Context, observed: Frame, off: Floats) -> Looked:
    missing = np.isnan(off)
    return looked_at(
        observed.times,
        tuple(tuple(sorted((*subject, UNKNOWN))) for subject in context.wanted),
        known=np.ones(off.shape, dtype=np.bool_),
        bad=missing,
        calm=~missing,
        score=missing.astype(np.float64),
        side=np.zeros(off.shape),
        shown={},
    )


def _declared_still(context: Context, states: States, observed: Frame) -> tuple[dict[Labels, State], list[Event]]:
    """Close what is no longer declared."""
    kept, events = {}, []
    for labels, state in states.items():
        subject = unmarked(labels)
        if subject in context.wanted or not len(observed.times):
            kept[labels] = state
            continue
        episode = Episode.of(state)
        if episode.opened is not None:
            blind = UNKNOWN in labels
            teller = Undeclared("intent_unknown" if blind else "intent_violated", context.intent, subject)
            names = () if blind else ("values", "expected")
            events.append(tell(teller, episode, subject, "closed", int(observed.times[0]), names))
    return kept, events


def _number(value: Any) -> float:
    found = quantity(value)
    return np.nan if found is None else found
