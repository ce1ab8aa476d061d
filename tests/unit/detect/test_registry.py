"""What every detector has, and what holds for every detector of signals."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftband.detect import registry
from driftband.detect.detector import Detector
from driftband.detect.event import Event

from .watching import make, run

ROOT = Path(__file__).parents[3]
SECTIONS = ("What it says", "What it is made of", "False alarms", "Settings", "What closes it", "Example")
few = settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
all_of_them = pytest.mark.parametrize("detector", registry.DETECTORS, ids=lambda detector: detector.kind)
INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize("kind", registry.KINDS)
def test_each_has_its_file_its_page_and_its_test(kind: str) -> None:
    assert (ROOT / f"datasource/driftband/detect/{kind}.py").is_file()
    assert (ROOT / f"tests/unit/detect/test_{kind}.py").is_file()
    page = (ROOT / f"docs/detectors/{kind}.md").read_text(encoding="utf-8")
    assert page.startswith(f"# {kind}\n")
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == list(SECTIONS)


def test_none_is_forgotten() -> None:
    assert len(set(registry.KINDS)) == len(registry.KINDS)
    pages = {page.stem for page in (ROOT / "docs/detectors").glob("*.md")}
    assert pages == {"configuration", *registry.KINDS}  # the first is of drift, whose kinds are many


lines = st.lists(
    st.tuples(st.sampled_from([10.0, 10.5, 13.0, 17.0, 40.0, 3.0, NAN, INF, -INF]), st.integers(1, 40)),
    min_size=1,
    max_size=14,
)


def spread(line: list[tuple[float, int]], length: int) -> list[float]:
    values = [value for value, times in line for _ in range(times)]
    return (values + [10.0] * length)[:length]


@all_of_them
@few
@given(
    series=st.lists(lines, min_size=1, max_size=4),
    noisy=st.integers(0, 3),
    cuts=st.lists(st.integers(1, 239), max_size=6),
    data=st.data(),
)
def test_pieces_are_the_whole_and_order_does_not_matter(
    detector: Detector, series: list[list[tuple[float, int]]], noisy: int, cuts: list[int], data: st.DataObject
) -> None:
    values = np.array([spread(line, 240) for line in series])
    if noisy < len(values):
        values[noisy, :200] = np.random.default_rng(noisy).normal(10, 1, 200)
    departed = (values > 12).astype(int) - (values < 8)
    seen = make(values, departed=departed, to_breach=np.where(values > 12, 3600.0 * (41 - values), INF))
    whole = run(detector, seen, limit=39.0)
    order = data.draw(st.permutations(range(len(values))))
    assert run(detector, seen, cuts=cuts, order=order, limit=39.0) == whole
    assert run(detector, seen, cuts=range(1, 240), limit=39.0) == whole
    check_stories(whole)


def check_stories(events: list[Event]) -> None:
    open_ones: dict[object, Event] = {}
    last: dict[object, int] = {}
    for event in events:
        if event.what == "opened":
            assert event.labels not in open_ones
            assert event.at == event.opened
            assert event.reopens in (None, last.get(event.labels))
            open_ones[event.labels] = event
            last[event.labels] = event.opened
        else:
            assert open_ones[event.labels].opened == event.opened
            assert open_ones[event.labels].story == event.story
        if event.what == "closed":
            del open_ones[event.labels]
        lists = [value for value in event.evidence.values() if isinstance(value, list)]
        assert len({len(one) for one in lists}) == 1
        assert len(lists[0]) <= 40


@all_of_them
@few
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0, 1))
def test_nothing_opens_inside_a_constant_band(detector: Detector, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    values = rng.uniform(8.0, 12.0, (3, 500))
    values[1] = 10.0
    values[2, rng.random(500) < share * 0.1] = NAN
    assert run(detector, make(values, to_breach=INF), limit=39.0) == []


@pytest.mark.parametrize("detector", [d for d in registry.DETECTORS if d.kind != "silence"], ids=lambda d: d.kind)
@pytest.mark.parametrize("has_band", [True, False])
def test_what_is_not_known_opens_nothing(detector: Detector, *, has_band: bool) -> None:
    values = np.full((2, 3000), NAN) if has_band else np.random.default_rng(0).normal(50, 1, (2, 3000))
    seen = make(values, has_band=has_band, reference=10.0 if has_band else NAN)
    assert run(detector, seen) == []


@all_of_them
def test_no_series_at_all(detector: Detector) -> None:
    assert run(detector, make(np.empty((0, 50)), labels=())) == []
