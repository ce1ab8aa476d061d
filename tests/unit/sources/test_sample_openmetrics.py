import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from driftband.model.samples import Metric, Samples
from driftband.model.series import Labels, make_labels
from driftband.sources.sample.openmetrics import exposition
from driftband.sources.sample.shapes import MINUTE
from driftband.sources.sample.world import DAY, World

NOW = int(datetime(2026, 11, 24, 10, 17, 42, tzinfo=UTC).timestamp() * 1000)
WORLD = World(lambda: NOW)


class Held:
    """A store of what it is given."""

    def __init__(self, metrics: Mapping[str, Metric], samples: Sequence[Samples]) -> None:
        self._metrics, self._samples = metrics, {one.labels: one for one in samples}

    def metrics(self) -> Mapping[str, Metric]:
        return self._metrics

    def series(self) -> Sequence[Labels]:
        return list(self._samples)

    def read(self, labels: Sequence[Labels], start: int, end: int) -> Sequence[Samples]:
        known = [self._samples[one] for one in labels]
        inside = [(one.times >= start) & (one.times <= end) for one in known]
        return [Samples(one.labels, one.times[at], one.values[at]) for one, at in zip(known, inside, strict=True)]


def samples(name: str, points: Mapping[int, float], **pairs: str) -> Samples:
    times = np.array(list(points), dtype=np.int64)
    return Samples(make_labels({"__name__": name, **pairs}), times, np.array(list(points.values()), dtype=np.float64))


def test_parts_of_a_histogram_stand_together_in_time_and_by_bound() -> None:
    parts = [
        samples("h_seconds_count", {1000: 2, 2250: 3}),
        samples("h_seconds_bucket", {1000: 2, 2250: 3}, le="+Inf"),
        samples("h_seconds_sum", {1000: 0.5, 2250: 1}),
        samples("h_seconds_bucket", {1000: 1, 2250: 1}, le="10.0"),
        samples("h_seconds_bucket", {1000: 0, 2250: 0}, le="2.0"),
    ]
    assert "".join(exposition(Held({"h_seconds": Metric("histogram", "It.", "seconds")}, parts), 0, 3000)) == (
        "# TYPE h_seconds histogram\n# UNIT h_seconds seconds\n# HELP h_seconds It.\n"
        'h_seconds_bucket{le="2.0"} 0.0 1.000\nh_seconds_bucket{le="10.0"} 1.0 1.000\n'
        'h_seconds_bucket{le="+Inf"} 2.0 1.000\nh_seconds_sum 0.5 1.000\nh_seconds_count 2.0 1.000\n'
        'h_seconds_bucket{le="2.0"} 0.0 2.250\nh_seconds_bucket{le="10.0"} 1.0 2.250\n'
        'h_seconds_bucket{le="+Inf"} 3.0 2.250\nh_seconds_sum 1.0 2.250\nh_seconds_count 3.0 2.250\n'
        "# EOF\n"
    )


def test_labels_are_escaped() -> None:
    one = samples("up", {0: 1}, path='a\\b"c\nd')
    assert "".join(exposition(Held({"up": Metric("gauge")}, [one]), 0, 0)) == (
        '# TYPE up gauge\nup{path="a\\\\b\\"c\\nd"} 1.0 0.000\n# EOF\n'
    )


@pytest.mark.parametrize(
    ("metric", "name", "message"),
    [
        (Metric("counter"), "requests", "wants the counter requests to end in _total"),
        (Metric("gauge", unit="bytes"), "memory", "wants memory to end in its unit, _bytes"),
        (Metric("gauge"), "other", "up belongs to no metric family"),
    ],
)
def test_what_openmetrics_forbids_is_refused(metric: Metric, name: str, message: str) -> None:
    held = Held({name: metric}, [samples("up" if name == "other" else name, {0: 1})])
    with pytest.raises(ValueError, match=message):
        "".join(exposition(held, 0, 0))


def test_a_histogram_without_common_instants_is_refused() -> None:
    parts = [samples("h_bucket", {0: 1}, le="+Inf"), samples("h_count", {1: 1})]
    with pytest.raises(ValueError, match="no common instants"):
        "".join(exposition(Held({"h": Metric("histogram")}, parts), 0, 1))


def test_one_scrape_is_valid_openmetrics() -> None:
    # The parser drops points of a histogram that come more than once, so it is shown one instant of each series.
    text = "".join(WORLD.openmetrics(NOW - MINUTE + 1, NOW))
    parsed = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    families = {family.name: family for family in parsed}
    assert families.keys() == {name.removesuffix("_total") for name in WORLD.metrics()}
    assert {name: family.type for name, family in families.items()} == {
        name.removesuffix("_total"): metric.type for name, metric in WORLD.metrics().items()
    }
    assert sum(len(family.samples) for family in families.values()) == len(WORLD.series())


@pytest.mark.slow
def test_promtool_takes_a_day_and_gives_back_the_same(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    start, end = (NOW // DAY - 1) * DAY, NOW // DAY * DAY - 1
    source, blocks = tmp_path / "day.om", tmp_path / "blocks"
    with source.open("w") as file:
        file.writelines(WORLD.openmetrics(start, end))
    subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", source, blocks], check=True, capture_output=True
    )
    (blocks / "wal").mkdir()  # promtool dumps a whole database only
    for matcher in ('{__name__=~"http.+",instance="checkout-1.shop.svc:8080"}', '{job="kubelet"}'):
        dumped = subprocess.run(
            [promtool, "tsdb", "dump", f"--match={matcher}", blocks], check=True, capture_output=True, text=True
        ).stdout.splitlines()
        job = {"instance": "checkout-1.shop.svc:8080"} if "http" in matcher else {"job": "kubelet"}
        wanted = [labels for labels in WORLD.series() if job.items() <= dict(labels).items()]
        wanted = [labels for labels in wanted if "http" not in matcher or dict(labels)["__name__"].startswith("http")]
        expected = {
            (labels, time, value)
            for labels, one in zip(wanted, WORLD.read(wanted, start, end), strict=True)
            for time, value in zip(one.times.tolist(), one.values.tolist(), strict=True)
        }
        assert {_dumped(line) for line in dumped} == expected


def _dumped(line: str) -> tuple[Labels, int, float]:
    inside, _, rest = line.removeprefix("{").rpartition("} ")
    pairs = tuple((name, value.strip('"')) for name, _, value in (pair.partition("=") for pair in inside.split(", ")))
    value, time = rest.split()
    return pairs, int(time), float(value)
