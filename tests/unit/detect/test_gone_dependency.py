"""A call that no longer happens is told while both sides live, and nothing is told of what is down."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from driftband.detect.gone_dependency import GoneDependency

from .graphs import DAY, graph, run
from .watching import told

GONE = GoneDependency()
LENGTH = 3 * DAY
ALWAYS = [(0, LENGTH)]


def test_an_edge_that_stops_between_living_services() -> None:
    edges = graph(LENGTH, web__cart=ALWAYS, cart__db=ALWAYS, web__db=[(0, 2000), (2200, LENGTH)])
    events = run(GONE, edges)
    assert [event.what for event in events] == ["opened", "worsened", "worsened", "closed"]
    opened, closed = events[0], events[-1]
    assert told([opened, closed]) == [(2030, "opened"), (2215, "closed")]
    assert opened.labels == (("client", "web"), ("server", "db"))
    assert opened.reason == (
        "web has not called db for 31m, the last time at 2024-10-05T09:19:00Z, and both are alive; it had for 1d 9h "
        "before, it usually has no gaps, and more than 30m counts"
    )
    assert closed.reason == "web calls db again since 2024-10-05T12:40:00Z, after 3h 20m without"


def test_a_node_that_is_down_explains_it() -> None:
    down = [(0, 2000), (2200, LENGTH)]
    assert run(GONE, graph(LENGTH, web__cart=ALWAYS, cart__db=down, web__db=down)) == []


def test_a_leaf_needs_to_be_known_alive_from_elsewhere() -> None:
    parts = {"web__cart": ALWAYS, "web__mail": [(0, 2000)]}
    assert run(GONE, graph(LENGTH, **parts)) == []
    alive = {"mail": np.ones(LENGTH, dtype=np.bool_)}
    assert told(run(GONE, graph(LENGTH, alive, **parts)))[0] == (2030, "opened")


def test_the_clock_begins_anew_when_the_node_lives_again() -> None:
    edges = graph(LENGTH, web__cart=ALWAYS, cart__db=[(0, 2000), (2200, LENGTH)], web__db=[(0, 2000)])
    assert told(run(GONE, edges))[0] == (2230, "opened")


def test_young_and_sparse_edges_are_not_missed() -> None:
    assert run(GONE, graph(LENGTH, web__cart=ALWAYS, cart__db=ALWAYS, web__db=[(0, 1000)])) == []
    sparse = [(n, n + 5) for n in range(0, 2500, 20)]
    assert run(GONE, graph(LENGTH, web__cart=ALWAYS, cart__db=ALWAYS, web__db=sparse)) == []


def test_usual_gaps_are_learnt() -> None:
    hourly = [(n, n + 55) for n in range(0, 2000, 60)]
    edges = graph(LENGTH, web__cart=ALWAYS, cart__db=ALWAYS, web__db=hourly)
    assert told(run(GONE, edges))[0] == (1980 + 55 + 30, "opened")


def test_after_a_week_it_is_taken_for_removed() -> None:
    length = 10 * DAY
    edges = graph(length, web__cart=[(0, length)], cart__db=[(0, length)], web__db=[(0, 2000)])
    closed = run(GONE, edges)[-1]
    assert closed.what == "closed"
    assert closed.reason.endswith("the dependency is taken for removed")


def test_flapping_is_one_story() -> None:
    parts = [(0, 2000), *((n, n + 20) for n in range(2040, 4000, 60))]
    openings = [
        event
        for event in run(GONE, graph(LENGTH, web__cart=ALWAYS, cart__db=ALWAYS, web__db=parts))
        if event.what == "opened"
    ]
    assert 1 <= len(openings) <= 3
    assert {event.story for event in openings} == {openings[0].opened}


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    spans=st.lists(st.tuples(st.integers(1440, LENGTH), st.integers(1, 400)), max_size=8),
    cuts=st.lists(st.integers(1, LENGTH - 1), max_size=6),
    order=st.permutations(range(4)),
)
def test_pieces_are_the_whole_and_order_does_not_matter(
    spans: list[tuple[int, int]], cuts: list[int], order: list[int]
) -> None:
    edges = graph(LENGTH, web__cart=ALWAYS, cart__db=ALWAYS, web__db=ALWAYS, web__mail=ALWAYS)
    for nth, (first, length) in enumerate(spans):
        edges.seen[1 + nth % 3, first : first + length] = False
    assert run(GONE, edges, cuts, order) == run(GONE, edges)
