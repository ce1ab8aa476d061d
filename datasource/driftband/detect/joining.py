"""Joins what is declared with what is observed, by the labels that an intent matches."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from driftband.detect.quantity import quantity
from driftband.model.intent import Declared, Intent
from driftband.model.series import Bools, Floats, Frame, Labels, make_labels

MOST_VALUES = 3
"""Different values of a label that a reason names."""


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What one subject is declared to be. value: as declared. missing: why it is not known, empty where it is.

    declared: what declares it; None where nothing does.
    """

    subject: Labels
    declared: Declared | None
    value: Any
    missing: str = ""

    @property
    def workspace(self) -> str:
        """The workspace that declares it; empty where none does."""
        return self.declared.workspace if self.declared else ""

    @property
    def address(self) -> str:
        """The address that declares it; empty where none does."""
        return self.declared.resource.address if self.declared else ""


@dataclass(frozen=True, eq=False)
class Sighting:
    """What is observed of one subject at T instants. off: distance from what is declared, NaN where nothing is seen.

    values: the observed value that is the furthest off; for labels NaN. texts: values of the label, by series.
    """

    off: Floats
    values: Floats
    texts: tuple[tuple[str, Bools], ...] = ()

    def text(self, place: int) -> str:
        """Return the values of the label at an instant."""
        shown = sorted({text for text, present in self.texts if present[place]})
        more = f" and {len(shown) - MOST_VALUES} more" if len(shown) > MOST_VALUES else ""
        return ", ".join(shown[:MOST_VALUES]) + more


def demands(intent: Intent, inventory: Iterable[Declared]) -> dict[Labels, Demand]:
    """Return what is demanded by subject. Where nothing is, that is a demand without labels: nobody knows it."""
    found: dict[Labels, Demand] = {}
    unmatched = 0
    kind, paths = kind_of(intent.resource_type), {label: _plain(path) for label, path in intent.match.items()}
    wanted = _plain(intent.attribute)
    for declared in inventory:
        resource = declared.resource
        if kind_of(resource.resource_type) != kind:
            continue
        attributes = {_plain(path): value for path, value in resource.attributes.items()}
        keys = {name: declared.identity.get(name) for name in intent.identity}
        keys |= {label: attributes.get(path) for label, path in paths.items()}
        if any(value in (None, "") for value in keys.values()):
            unmatched += 1
            continue
        subject = make_labels({label: str(value) for label, value in keys.items()})
        secret = wanted in {_plain(path) for path in resource.sensitive}
        value = attributes.get(wanted)
        demand = Demand(
            subject=subject,
            declared=declared,
            value=value,
            missing=_missing(intent, value, secret=secret),
        )
        found[subject] = _both(found[subject], demand) if subject in found else demand
    return found or {(): Demand(subject=(), declared=None, value=None, missing=_undeclared(intent, unmatched))}


def _undeclared(intent: Intent, unmatched: int) -> str:
    if not unmatched:
        return f"no {intent.resource_type} is in the inventory"
    by = ", ".join([*intent.identity, *intent.match.values()])
    return f"no {intent.resource_type} in the inventory has what it is matched by ({by})"


def subject_in(intent: Intent, labels: Labels) -> Labels:
    """Return the labels of a series that an intent joins by."""
    # Sorted and without empty values, as label sets are.
    return tuple(pair for pair in labels if pair[0] in intent.match or pair[0] in intent.identity)


def sightings(intent: Intent, wanted: Mapping[Labels, Demand], observed: Frame) -> dict[Labels, Sighting]:
    """Return what is observed of each subject that is wanted; subjects of which no series was found are left out."""
    rows: dict[Labels, list[int]] = {}
    for row, labels in enumerate(observed.labels):
        subject = subject_in(intent, labels)
        if subject in wanted:
            rows.setdefault(subject, []).append(row)
    return {subject: _sighting(intent, wanted[subject], observed, places) for subject, places in rows.items()}


def _sighting(intent: Intent, demand: Demand, observed: Frame, rows: Sequence[int]) -> Sighting:
    values = observed.values[rows]
    if not (present := observed.present[rows]).all():
        values = np.where(present, values, np.nan)
    if intent.label is not None:
        present = ~np.isnan(values) & (values != 0)
        texts = tuple(
            (dict(observed.labels[row]).get(intent.label, ""), shown) for row, shown in zip(rows, present, strict=True)
        )
        other = np.array([text != str(demand.value) for text, _ in texts])
        off = np.where(present.any(axis=0), (present & other[:, None]).any(axis=0).astype(np.float64), np.nan)
        return Sighting(off, np.full(off.shape, np.nan), texts)
    declared = quantity(demand.value)
    if len(rows) == 1:
        return Sighting(np.abs(values[0] - (np.nan if declared is None else declared)), values[0])
    off = np.abs(values - (np.nan if declared is None else declared))
    worst = np.where(np.isnan(off), -1.0, off).argmax(axis=0)
    columns = np.arange(values.shape[1])
    return Sighting(off[worst, columns], values[worst, columns])


def _missing(intent: Intent, value: Any, *, secret: bool) -> str:
    if secret:
        return f"{intent.attribute} is secret"
    if value is None:
        return f"{intent.attribute} is not set, or secret"
    if intent.label is None and quantity(value) is None:
        return f"{intent.attribute} is {str(value)[:60]!r}, which is no number"
    return ""


def _both(one: Demand, other: Demand) -> Demand:
    """Return the demand of a subject that two resources declare: it is known only where they agree."""
    first, second = sorted((one, other), key=lambda demand: (demand.workspace, demand.address))
    if one.value == other.value:
        return first
    return Demand(
        subject=one.subject,
        declared=first.declared,
        value=None,
        missing=f"it is declared twice and not alike, by {first.address} and by {second.address}",
    )


@lru_cache(maxsize=4096)
def kind_of(resource_type: str) -> str:
    """Return a type without the version of an API that it may carry."""
    return re.sub(r"_v\d+$", "", resource_type)


@lru_cache(maxsize=65_536)
def _plain(path: str) -> str:
    """Return a path without the indices of first blocks: a single block of Terraform is a list of one."""
    return path.replace("[0]", "")
