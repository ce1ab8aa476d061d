import numpy as np
import pytest

from driftband.model.samples import Metric, Samples
from driftband.model.series import Labels, make_labels
from driftband.sources import own
from driftband.sources.own import OwnSamples, WithOwn
from driftband.web.measure import Measure

QUEUE = make_labels({"__name__": "queue", "job": "shop"})
TARGET = {"job": "driftband", "instance": "here"}


class _Shop:
    def metrics(self) -> dict[str, Metric]:
        return {"queue": Metric("gauge")}

    def series(self) -> list[Labels]:
        return [QUEUE]

    def read(self, labels: list[Labels], start: int, end: int) -> list[Samples]:
        return [Samples(one, np.array([start, end]), np.array([1.0, 2.0])) for one in labels]


def test_what_is_told_of_the_service_stands_beside_the_samples_of_the_source() -> None:
    measure = Measure()
    taken = OwnSamples(lambda: measure.samples(TARGET))
    both = WithOwn(_Shop(), taken, measure.families())  # type: ignore[arg-type]
    for at in (1_000, 2_000, 3_000):
        measure.watched(at // 1_000, 0.0)
        taken.take(at)
    signals = make_labels({**TARGET, "__name__": "driftband_watch_signals"})
    up = make_labels({**TARGET, "__name__": "up"})
    assert {QUEUE, signals, up} <= set(both.series())
    first, queue, last = both.read([signals, QUEUE, up], 1_500, 3_000)
    assert (first.labels, first.times.tolist(), first.values.tolist()) == (signals, [2_000, 3_000], [2.0, 3.0])
    assert queue.times.tolist() == [1_500, 3_000]
    assert last.values.tolist() == [1.0, 1.0]
    assert both.metrics()["driftband_watch_errors_total"].type == "counter"
    assert not any("_created" in dict(labels)["__name__"] for labels in both.series())


def test_a_series_that_is_not_there_is_empty_and_old_samples_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "KEPT", 3)
    taken = OwnSamples(lambda: [(QUEUE, 1.0)])
    assert taken.read(QUEUE, 0, 9_000).times.size == 0
    for at in range(6):
        taken.take(at)
    assert taken.read(QUEUE, 0, 9_000).times.tolist() == [3, 4, 5]
