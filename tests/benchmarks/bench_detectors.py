"""What an instant of the watcher costs each detector: 10,000 series, in milliseconds.

    python tests/benchmarks/bench_detectors.py

quiet: nothing happens. trouble: everything is in trouble, and has been for long. Wanted: less than 500 ms each.
"""

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from driftband.detect.detector import State
from driftband.detect.gone_dependency import GoneDependency
from driftband.detect.intent_violated import IntentViolated
from driftband.detect.new_dependency import NewDependency
from driftband.detect.registry import DETECTORS
from driftband.model.band import DAY, Band
from driftband.model.dependency import Dependencies, Edges
from driftband.model.intent import Declared, Intent
from driftband.model.report import Resource
from driftband.model.series import Frame, Labels, make_labels
from driftband.model.signal import Watched, WatchedSignal

SERIES, MINUTE, START, WANTED_MS = 10_000, 60_000, 20_000 * DAY, 500
WARM = 1560
"""Minutes of calm: a day must have been learnt before a value is stuck."""
RULE = WatchedSignal(name="s", expr="x", limit=39.0)
LABELS = tuple(
    make_labels({"service": f"service-{n % 500}", "env": "prod", "region": "eu-west-1", "shard": str(n)})
    for n in range(SERIES)
)
Show = Callable[[int], Any]
Step = Callable[[Mapping[Labels, State], Any], tuple[dict[Labels, State], list[Any]]]


def main() -> int:
    print(f"{f'{SERIES} series at one instant, ms of CPU':38}{'quiet':>8}{'trouble':>10}")
    slowest = 0.0
    for kind, step, calm, trouble in cases():
        spent = [measure(step, calm, calm), measure(step, calm, trouble)]
        slowest = max(slowest, *spent)
        print(f"{kind:38}{spent[0]:8.1f}{spent[1]:10.1f}", flush=True)
    print("as wanted" if slowest < WANTED_MS else f"more than {WANTED_MS} ms")
    return int(slowest >= WANTED_MS)


def measure(step: Step, calm: Show, then: Show) -> float:
    """Return the median of some instants, after calm and the first instants of what comes then."""
    states: dict[Labels, State] = {}
    for at in range(0, WARM, 12):
        states, _ = step(states, calm(at))
    spans = []
    for at in range(WARM, WARM + 75, 3):
        seen = then(at)
        begin = time.process_time()
        states, _ = step(states, seen)
        spans.append(time.process_time() - begin)
    return float(np.median(spans[-9:])) * 1000


def cases() -> list[tuple[str, Step, Show, Show]]:
    found: list[tuple[str, Step, Show, Show]] = [
        (
            detector.kind,
            lambda states, seen, step=detector.step: step(RULE, states, seen, MINUTE),
            lambda at: watched(at, 10.0),
            lambda at, value=np.nan if detector.kind == "silence" else 30.0: watched(at, value),
        )
        for detector in DETECTORS
    ]
    intent, inventory = declared()
    violated = IntentViolated().step
    found.append(
        (
            "intent_violated",
            lambda states, seen: violated(intent, states, inventory, seen, MINUTE),
            lambda at: frame(at, 3.0),
            lambda at: frame(at, 1.0),
        )
    )
    rule = Dependencies(expr="x", learn_ms=60 * MINUTE)
    new, gone = NewDependency().step, GoneDependency().step
    found.append(
        (
            "new_dependency",
            lambda states, seen: new(rule, states, seen, MINUTE),
            lambda at: edges(at, "a"),
            lambda at: edges(at, "b"),
        )
    )
    found.append(
        (
            "gone_dependency",
            lambda states, seen: gone(rule, states, seen, MINUTE),
            lambda at: edges(at, "a"),
            lambda at: edges(at, "a", every=2),
        )
    )
    return found


def watched(at: int, value: float) -> Watched:
    rng = np.random.default_rng(at)
    values = (np.full(SERIES, value) if value != 10.0 else rng.normal(10, 0.3, SERIES))[:, None].copy()
    # Some go on, or it would be the signal as a whole that is silent.
    values[:10] = 10.0
    middle = np.full((SERIES, 1), 10.0)
    zero = np.zeros((SERIES, 1), dtype=np.int64)
    side = (values > 12).astype(np.int64)
    band = Band(middle, middle - 2, middle + 2, middle, middle - 2, middle + 2, zero, side)
    left = np.where(values > 12, 3600.0, np.inf)
    times = np.array([START + MINUTE * at], dtype=np.int64)
    return Watched(times, LABELS, values, band, band.score(values), left)


def declared() -> tuple[Intent, list[Declared]]:
    intent = Intent(
        name="replicas",
        resource_type="kubernetes_deployment",
        attribute="spec.replicas",
        expr="x",
        match={"namespace": "metadata.namespace", "deployment": "metadata.name"},
    )
    inventory = [
        Declared(
            workspace="prod",
            resource=Resource(
                address=f"kubernetes_deployment.d[{n}]",
                resource_type="kubernetes_deployment",
                module="",
                attributes={"metadata[0].namespace": "shop", "metadata[0].name": f"d{n}", "spec[0].replicas": 3},
                tags={},
            ),
        )
        for n in range(SERIES)
    ]
    return intent, inventory


def frame(at: int, value: float) -> Frame:
    labels = tuple(make_labels({"namespace": "shop", "deployment": f"d{n}"}) for n in range(SERIES))
    times = np.array([START + MINUTE * at], dtype=np.int64)
    return Frame(times, labels, np.full((SERIES, 1), value), np.ones((SERIES, 1), dtype=np.bool_))


def edges(at: int, suffix: str, every: int = 1) -> Edges:
    names = tuple((f"{suffix}{n % 200}", f"{suffix}{n // 200}") for n in range(SERIES))
    seen = (np.arange(SERIES) % every == 0)[:, None]
    return Edges(np.array([START + MINUTE * at], dtype=np.int64), names, seen)


if __name__ == "__main__":
    sys.exit(main())
