"""The service graph is what the source shows and what findings say; it answers at any past instant, and holds together."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.model.band import BandSettings
from driftband.model.interval import Interval
from driftband.model.series import Frame, Labels, make_labels
from driftband.query.errors import QueryError
from driftband.query.fetch import Answer
from driftband.query.fitting import Fitter
from driftband.query.leaves import Engine
from driftband.query.question import Question, Result
from driftband.query.service_graph import edges_in

MINUTE = 60_000
T = 1_700_000_000_000 // MINUTE * MINUTE
NODES = ("cart", "db", "web")
EXPR = "sum by (client, server) (calls) > 0"


class Calls:
    """A source that shows calls in spans of minutes."""

    def __init__(self, **spans: tuple[int, int]) -> None:
        self.spans, self.asked = spans, []

    def instant(self, text: str, time: int) -> Answer:
        self.asked.append((text, time, time))
        return self._answer(np.array([time], dtype=np.int64))

    def range(self, text: str, start: int, end: int, step: int) -> Answer:
        self.asked.append((text, start, end))
        return self._answer(np.arange(start, end + 1, step, dtype=np.int64))

    def _answer(self, times: Any) -> Answer:
        minutes = (times - T) // MINUTE
        labels = tuple(
            make_labels(dict(zip(("client", "server"), name.split("__"), strict=True))) for name in self.spans
        )
        present = np.array([(minutes >= a) & (minutes < b) for a, b in self.spans.values()], dtype=np.bool_).reshape(
            -1, len(times)
        )
        return Answer(Frame(times, labels, np.where(present, 2.5, np.nan), present))


def told(*edges: tuple[str, str, str, int, int | None]) -> Any:
    held = [
        Interval({"source": s, "target": t, "state": state}, T + a * MINUTE, None if b is None else T + b * MINUTE, 1.0)
        for s, t, state, a, b in edges
    ]
    teams = [Interval({"service": "cart", "team": "shop", "env": "prod"}, T - MINUTE, None, 1.0)]

    def find(name: str, start: int, end: int, _equal: Mapping[str, str], _limit: int) -> list[Interval]:
        known = {"driftband_service_edge": held, "driftband_identity_info": teams}[name]
        return [one for one in known if one.start <= end and (one.end is None or one.end > start)]

    return find


def ask(source: Calls, find: Any, text: str, start: int, end: int | None = None, now: int = 100) -> Result:
    last, step = (start, None) if end is None else (end, MINUTE)
    engine = Engine(BandSettings(), Fitter(BandSettings(), 2**20, lambda _, make: make()), (), 10, find, EXPR)
    return engine.answer(Question(text, T + start * MINUTE, T + last * MINUTE, step), source, T + now * MINUTE)  # type: ignore[arg-type]


def shown(result: Result) -> dict[tuple[str, ...], list[bool]]:
    frame = result.value
    assert isinstance(frame, Frame)
    assert set(frame.values[frame.present].tolist()) <= {1.0}
    return {_name(labels): there.tolist() for labels, there in zip(frame.labels, frame.present, strict=True)}


def _name(labels: Labels) -> tuple[str, ...]:
    named = dict(labels)
    if "source" not in named:
        return (named["id"], named.get("subTitle", ""))
    assert named["id"] == f"{named['source']} -> {named['target']}"
    return (named["source"], named["target"], named["state"])


def test_edges_are_known_new_and_gone_in_their_time() -> None:
    source = Calls(web__cart=(0, 200), cart__db=(0, 3), web__db=(2, 200))
    find = told(("cart", "db", "gone", 4, None), ("web", "db", "new", 3, 5))
    assert shown(ask(source, find, "driftband_service_edge", 0, 5)) == {
        ("web", "cart", "known"): [True] * 6,
        ("cart", "db", "known"): [True] * 3 + [False] * 3,
        ("cart", "db", "gone"): [False] * 4 + [True] * 2,
        ("web", "db", "known"): [False, False, True, False, False, True],
        ("web", "db", "new"): [False, False, False, True, True, False],
    }
    assert source.asked == [(EXPR, T, T + 5 * MINUTE)]
    assert list(shown(ask(source, find, 'driftband_service_edge{state=~"n.*"}', 3))) == [("web", "db", "new")]


def test_nodes_are_the_ends_of_all_edges_with_their_teams() -> None:
    source, find = Calls(web__cart=(0, 200)), told(("cart", "db", "gone", 4, None))
    assert shown(ask(source, find, "driftband_service_node", 3, 4)) == {
        ("cart", "shop"): [True, True],
        ("db", ""): [False, True],
        ("web", ""): [True, True],
    }
    (frame,) = [ask(source, find, 'driftband_service_node{id="cart"}', 3).value]
    assert isinstance(frame, Frame)
    (labels,) = frame.labels
    assert dict(labels) == {"__name__": "driftband_service_node", "id": "cart", "title": "cart", "subTitle": "shop"}


def test_asked_of_the_future_it_is_as_of_now() -> None:
    source, find = Calls(web__cart=(0, 200), cart__db=(3, 200)), told()
    both = {("web", "cart", "known"), ("cart", "db", "known")}
    assert set(shown(ask(source, find, "driftband_service_edge", 60, now=2))) == {("web", "cart", "known")}
    result = shown(ask(source, find, "driftband_service_edge", 1, 6, now=4))
    assert set(result) == both
    assert result["cart", "db", "known"] == [False, False, True, True, True, True]
    assert shown(ask(source, find, "driftband_service_edge", 7, 9, now=4)) == dict.fromkeys(both, [True] * 3)
    assert max(end for _, _, end in source.asked) == T + 4 * MINUTE
    offset = shown(ask(source, find, "driftband_service_edge offset 2m", 4, 5))
    assert offset["cart", "db", "known"] == [False, True]


def test_it_joins_and_counts_like_any_series() -> None:
    source = Calls(web__cart=(0, 200), cart__db=(0, 200))
    frame = ask(source, told(), "count by (state) (driftband_service_edge)", 3).value
    assert isinstance(frame, Frame)
    assert (frame.labels, frame.values.tolist()) == (((("state", "known"),),), [[2.0]])


def test_without_a_query_for_it_there_is_a_warning() -> None:
    engine = Engine(BandSettings(), Fitter(BandSettings(), 2**20, lambda _, make: make()), (), 10, told())
    result = engine.answer(Question("driftband_service_node", T, T, None), Calls(), T)  # type: ignore[arg-type]
    assert isinstance(result.value, Frame)
    assert result.value.labels == ()
    assert result.warnings == (
        "driftband_service_node has nothing to tell of: there are no dependencies in the configuration",
    )


spans = st.tuples(st.integers(0, 20), st.integers(0, 20))
edges = st.tuples(st.sampled_from(NODES), st.sampled_from(NODES))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    seen=st.dictionaries(edges, spans, max_size=5),
    findings=st.lists(st.tuples(edges, st.sampled_from(["new", "gone"]), spans), max_size=5),
)
def test_an_edge_has_one_state_and_both_of_its_nodes(
    seen: dict[tuple[str, str], tuple[int, int]], findings: list[tuple[tuple[str, str], str, tuple[int, int]]]
) -> None:
    source = Calls(**{f"{client}__{server}": span for (client, server), span in seen.items()})
    find = told(*((*edge, state, a, b) for edge, state, (a, b) in findings))
    of_edges = shown(ask(source, find, "driftband_service_edge", 0, 20))
    of_nodes = {name: there for (name, _), there in shown(ask(source, find, "driftband_service_node", 0, 20)).items()}
    for place in range(21):
        there = [(source, target) for (source, target, _), present in of_edges.items() if present[place]]
        assert len(set(there)) == len(there)
        ends = {node for edge in there for node in edge}
        assert {name for name, present in of_nodes.items() if present[place]} == ends
        assert {edge for edge, (a, b) in seen.items() if a <= place < b} <= set(there)


def test_a_query_that_names_no_services_is_refused() -> None:
    times = np.array([T], dtype=np.int64)
    seen = Frame(times, ((("a", "x"), ("job", "y")),), np.ones((1, 1)), np.ones((1, 1), dtype=np.bool_))
    with pytest.raises(QueryError, match=r"no series of the service graph names client and server; they have a, job"):
        edges_in(seen)
    assert edges_in(Frame(times, (), np.empty((0, 1)), np.empty((0, 1), dtype=np.bool_))).edges == ()
