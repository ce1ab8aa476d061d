"""A call that was never seen before is told, once; churn is not."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.detect.new_dependency import NewDependency
from driftband.model.dependency import Edges, edges_of
from driftband.model.series import Frame, make_labels

from .graphs import DAY, RULE, graph, run
from .watching import MINUTE, START, told

NEW = NewDependency()
ALWAYS = [(0, 30 * DAY)]


def test_an_edge_after_the_learning_window_is_new() -> None:
    edges = graph(2 * DAY, web__cart=ALWAYS, cart__db=ALWAYS, web__db=[(1500, 2 * DAY)])
    (event,) = run(NEW, edges)
    assert told([event]) == [(1515, "opened")]
    assert event.labels == (("client", "web"), ("server", "db"))
    assert (event.severity, event.since) == ("warning", START + 1500 * MINUTE)
    assert event.reason == (
        "web calls db, which it was never seen to do before 2024-10-05T01:00:00Z: seen 16 times in 15m; "
        "both were known before"
    )


def test_a_new_service_is_information() -> None:
    (event,) = run(NEW, graph(2 * DAY, web__cart=ALWAYS, cart__mail=[(1500, 2 * DAY)]))
    assert event.severity == "info"
    assert event.reason.endswith("mail is new too")


def test_everything_in_the_learning_window_is_known() -> None:
    assert run(NEW, graph(3 * DAY, web__cart=ALWAYS, web__db=[(1430, 1435), (2000, 3 * DAY)])) == []


def test_a_short_visit_is_none_and_a_sparse_edge_is_one() -> None:
    assert run(NEW, graph(2 * DAY, web__cart=ALWAYS, web__db=[(1500, 1510)])) == []
    sparse = [(n, n + 4) for n in range(1500, 2 * DAY, 12)]
    (event,) = run(NEW, graph(2 * DAY, web__cart=ALWAYS, web__db=sparse))
    assert told([event]) == [(1539, "opened")]
    assert "seen 16 times in 39m" in event.reason


def test_it_closes_when_it_is_gone_again() -> None:
    opened, closed = run(NEW, graph(3 * DAY, web__cart=ALWAYS, web__db=[(1500, 1600)]))
    assert told([opened, closed]) == [(1515, "opened"), (1674, "closed")]
    assert closed.reason == "web has not called db for 1h 15m, the last time at 2024-10-05T02:39:00Z"


def test_it_is_known_after_a_week() -> None:
    opened, closed = run(NEW, graph(10 * DAY, web__cart=ALWAYS, web__db=[(1500, 10 * DAY)]))
    assert (closed.at - opened.at, closed.reason) == (
        7 * DAY * MINUTE,
        "web has called db for 7d 15m: it is taken for known",
    )


def test_what_comes_and_goes_is_known_after_three_times() -> None:
    nightly = [(n * DAY + 1500, n * DAY + 1560) for n in range(9)]
    events = run(NEW, graph(10 * DAY, web__cart=ALWAYS, web__db=nightly))
    assert [event.what for event in events].count("opened") == 3
    assert events[-1].reason.endswith("it has come and gone so often that it is taken for known")


def test_a_flapping_edge_is_one_story() -> None:
    events = run(NEW, graph(2 * DAY, web__cart=ALWAYS, web__db=[(n, n + 20) for n in range(1500, 2800, 120)]))
    openings = [event for event in events if event.what == "opened"]
    assert len(openings) <= 3
    assert {event.story for event in openings} == {openings[0].opened}


def test_what_has_been_away_for_two_weeks_is_new_again() -> None:
    edges = graph(20 * DAY, web__cart=ALWAYS, web__db=[(0, 100), (17 * DAY, 18 * DAY)])
    assert [event.what for event in run(NEW, edges)] == ["opened", "closed"]


@pytest.mark.parametrize("names", [("client", "server"), ("source_workload", "destination_workload")])
def test_edges_of_a_frame(names: tuple[str, str]) -> None:
    def row(client: str, server: str, **more: str):
        return make_labels({names[0]: client, names[1]: server, **more})

    labels = (row("a", "b", code="200"), row("a", "b", code="500"), row("a", "c"), make_labels({"job": "x"}))
    values = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, np.nan], [1.0, 1.0]])
    edges = edges_of(Frame(np.array([0, MINUTE]), labels, values, np.ones((4, 2), dtype=np.bool_)))
    assert edges.edges == (("a", "b"), ("a", "c"))
    assert edges.seen.tolist() == [[True, True], [False, False]]


def test_edges_refuse_other_shapes() -> None:
    with pytest.raises(ValueError, match="1 edges at 2 instants"):
        Edges(np.array([0, 1]), (("a", "b"),), np.zeros((1, 3), dtype=np.bool_))


def test_no_instants_change_nothing() -> None:
    assert NEW.step(RULE, {}, graph(0, web__cart=[]), MINUTE) == ({}, [])


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    spans=st.lists(st.tuples(st.integers(0, 3 * DAY), st.integers(1, 300)), max_size=12),
    cuts=st.lists(st.integers(1, 3 * DAY - 1), max_size=6),
    order=st.permutations(range(4)),
)
def test_pieces_are_the_whole_and_order_does_not_matter(
    spans: list[tuple[int, int]], cuts: list[int], order: list[int]
) -> None:
    parts = [(first, first + length) for first, length in spans]
    edges = graph(3 * DAY, web__cart=ALWAYS, cart__db=parts[::2], web__db=parts[1::2], web__mail=parts)
    whole = run(NEW, edges)
    assert run(NEW, edges, cuts, order) == whole
    json.dumps([dict(event.evidence) for event in whole], allow_nan=False)
