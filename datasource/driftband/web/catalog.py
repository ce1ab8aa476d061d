"""Labels, label values, series and metadata of ours, to be merged into the source's answers."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from werkzeug.datastructures import MultiDict

from driftband.model.interval import Intervals
from driftband.model.series import Frame, Labels
from driftband.query.errors import QueryError
from driftband.query.fetch import Fetch
from driftband.query.names import NATIVE
from driftband.query.native import FUNCTION_OF, Signal, chosen, labelled, matches, names_chosen
from driftband.query.nodes import Matcher, Selector
from driftband.query.plan import plan_local
from driftband.query.service_graph import select_graph
from driftband.query.states import states
from driftband.web.arguments import limit, time_argument

T = TypeVar("T")
_LARGE = {"driftband_resource_info"}
_LOOK_BACK, _EVERY = 3_600_000, 300_000
"""Labels are taken from the last hour before the asked time, so that what pauses does not vanish from a menu (ms)."""


@dataclass(frozen=True)
class Catalog:
    """What is ours to complete: the native names, and the series of the signals."""

    signals: Sequence[Signal]
    states: Intervals
    dependencies: str | None = None

    def select(self, values: MultiDict[str, str], fetch: Callable[[], Fetch], now: int) -> tuple[list[Labels], bool]:
        """Return the label sets of ours that ``match[]`` leaves, and whether it can leave none of the source's.

        Without ``match[]`` the native names are there, each with its signals; labels that only the source knows are
        looked up where a matcher names one of our series exactly.
        """
        selectors = [s for s in map(_selector, values.getlist("match[]")) if s is not None]
        if not values.getlist("match[]"):
            at = min(time_argument(values, "end", now), now)
            return [*self._plain([()]), *self._of_states(at)], False
        if any(s.metric in NATIVE for s in selectors):
            found: list[Labels] = []
            for selector in selectors:
                found += self._full(selector, fetch(), min(time_argument(values, "end", now), now))
            return found, all(s.metric in NATIVE for s in selectors) and len(selectors) == len(
                values.getlist("match[]")
            )
        return self._plain([s.matchers for s in selectors]), False

    def _plain(self, matcher_lists: Sequence[Sequence[Matcher]]) -> list[Labels]:
        every: list[Labels] = [(("__name__", name),) for name in NATIVE]
        every += [labelled(name, s, ()) for name in FUNCTION_OF for s in self.signals]
        return [la for la in every if any(_about_us(ms) and matches(ms, la) for ms in matcher_lists)]

    def _of_states(self, at: int) -> list[Labels]:
        """Return the labels of the last hour's states, but for the inventory, which may be large."""
        names = (name for name, native in NATIVE.items() if native.is_state and name not in _LARGE)
        found: list[Labels] = []
        for name in names:
            with contextlib.suppress(QueryError):  # too many of them to complete
                selector = Selector((Matcher("__name__", "=", name),))
                found += [labels for labels, _ in states(self.states, selector, at - _LOOK_BACK, at)]
        return found

    def _full(self, selector: Selector, fetch: Fetch, at: int) -> list[Labels]:
        if selector.metric in NATIVE and NATIVE[selector.metric].is_state:
            return [labels for labels, _ in states(self.states, selector, at - _LOOK_BACK, at)]
        if selector.metric in NATIVE and NATIVE[selector.metric].is_graph:
            if self.dependencies is None:
                return []
            seen = _of_late(fetch, self.dependencies, at)
            return list(select_graph(self.states, selector, seen).labels)
        found: list[Labels] = []
        for signal in chosen(self.signals, selector.matchers) if selector.metric in NATIVE else ():
            frame = _of_late(fetch, signal.expr, at)
            for name in names_chosen(selector.matchers):
                found += [labelled(name, signal, known) for known in frame.labels]
        return [labels for labels in found if matches(selector.matchers, labels)]


def _of_late(fetch: Fetch, text: str, at: int) -> Frame:
    """Return what there was in the last hour, at even instants: those that have passed need not be asked for again."""
    end = -(-at // _EVERY) * _EVERY
    return fetch.range(text, end - _LOOK_BACK, end, _EVERY).frame


def _about_us(matchers: Sequence[Matcher]) -> bool:
    """Tell whether a selector can mean our names: one for other labels cannot."""
    return all(m.name in ("__name__", "signal") for m in matchers)


def _selector(text: str) -> Selector | None:
    """Read a ``match[]``, or return None: what cannot be read is the source's to judge."""
    try:
        node = plan_local(text)
    except (QueryError, ValueError):
        return None
    return node if isinstance(node, Selector) else None


def merge_names(
    values: MultiDict[str, str], theirs: Any, ours: Sequence[Labels], label: str | None = None
) -> list[str]:
    """Merge label names, or the values of ``label``; sorted, and at most ``limit``."""
    if label is None:
        mine = {name for labels in ours if len(labels) > 1 for name, _ in labels}
    else:
        mine = {value for labels in ours for name, value in labels if name == label}
    return _limited(values, sorted(mine | set(theirs or ())))


def merge_series(values: MultiDict[str, str], theirs: Any, ours: Sequence[Labels]) -> list[dict[str, str]]:
    """Merge label sets; of ours only those of a signal, since a bare name is no series."""
    return _limited(values, [*(theirs or ()), *(dict(labels) for labels in ours if len(labels) > 1)])


def merge_metadata(values: MultiDict[str, str], theirs: Any, ours: Sequence[Labels]) -> Mapping[str, Any]:
    """Merge metadata: type, help and unit by metric."""
    del ours
    wanted = values.get("metric", "")
    mine = {
        n.name: [{"type": "gauge", "help": n.help, "unit": ""}]
        for n in NATIVE.values()
        if not wanted or wanted == n.name
    }
    merged = {**(theirs or {}), **mine}
    return dict(_limited(values, list(merged.items())))


def _limited(values: MultiDict[str, str], items: list[T]) -> list[T]:
    most = limit(values)
    return items[:most] if most else items
