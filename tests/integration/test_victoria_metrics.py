"""A real VictoriaMetrics behind a real driftband."""

import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import requests

from driftband import doctor
from driftband.config import load

from .driftband_server import DriftbandServer
from .victoria_server import VictoriaServer

pytestmark = pytest.mark.slow  # it takes half a minute to fill one

# VictoriaMetrics keeps the last half minute to itself.
NOW = int(time.time() - 60) // 300 * 300
DAYS = 4
SCRAPE = 60
REFUSED = ("sum(", "no_such_function(load)")


def season(t: float) -> float:
    return 100 + 40 * math.sin(t / 86_400 * 2 * math.pi)


def shop() -> str:
    """Write some days of two services at one sample a minute."""
    random = np.random.default_rng(5)
    times = range(NOW - DAYS * 86_400, NOW + 1, SCRAPE)
    lines = []
    for service in ("cart", "payment"):
        lines += [f'load{{service="{service}"}} {season(t) + random.normal(0, 3):.4f} {t}000' for t in times]
        lines += [f'hits_total{{service="{service}"}} {(t - times[0]) * 3} {t}000' for t in times]
    return "\n".join([*lines, ""])


@pytest.fixture(scope="module")
def filled(victoria: VictoriaServer) -> VictoriaServer:
    victoria.write(shop())
    return victoria


@pytest.fixture(scope="module")
def driftband(filled: VictoriaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DriftbandServer]:
    signal = {"name": "cart_load", "expr": 'load{service="cart"}'}
    settings = {"prometheus": {"url": filled.url}, "signals": [signal]}
    with DriftbandServer(tmp_path_factory.mktemp("driftband"), **settings) as server:
        yield server


def body(answer: requests.Response) -> Any:
    """Return the JSON without what VictoriaMetrics measures anew for each answer."""
    known = answer.json()
    known.pop("stats", None)
    return known


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("query", {"query": "sum(rate(hits_total[10m]))", "time": NOW}),
        ("query", {"query": "1+1", "time": 4}),
        ("query_range", {"query": "load", "start": NOW - 3600, "end": NOW, "step": 60}),
        ("query_range", {"query": "load", "start": NOW - 7200 + 40, "end": NOW, "step": 60}),
        ("labels", {"match[]": "load", "start": NOW - 3600, "end": NOW}),
        ("label/service/values", {"start": NOW - 3600, "end": NOW}),
        ("series", {"match[]": "load", "start": NOW - 3600, "end": NOW}),
        # MetricsQL has more than PromQL.
        ("query", {"query": "rate(hits_total)", "time": NOW}),
        ("query", {"query": "median_over_time(load[1h])", "time": NOW}),
        ("query", {"query": 'WITH (cart = {service="cart"}) sum(load{cart}) / sum(hits_total{cart})', "time": NOW}),
        ("query_range", {"query": 'label_set(load, "team", "shop")', "start": NOW - 3600, "end": NOW, "step": 60}),
        ("query", {"query": "sum(", "time": NOW}),
        ("query", {"query": "no_such_function(load)", "time": NOW}),
    ],
)
def test_what_passes_directly_passes_through_the_same(
    filled: VictoriaServer, driftband: DriftbandServer, method: str, path: str, arguments: dict[str, Any]
) -> None:
    place = "data" if method == "POST" else "params"
    direct, through = (
        requests.request(method, f"{url}/api/v1/{path}", timeout=30, **{place: arguments})
        for url in (filled.url, driftband.url)
    )
    assert through.status_code == direct.status_code == (422 if arguments.get("query") in REFUSED else 200)
    assert body(through) == body(direct)
    assert direct.status_code != 200 or body(direct)["data"] not in ([], {"result": []})
    assert through.headers["Content-Type"] == direct.headers["Content-Type"]


def test_what_only_some_servers_have_is_answered(driftband: DriftbandServer) -> None:
    for path, empty in (("rules", {"groups": []}), ("alerts", {"alerts": []}), ("query_exemplars", [])):
        answer = driftband.get(f"/api/v1/{path}", query="load", start=NOW - 60, end=NOW)
        assert (answer.status_code, answer.json()["data"]) == (200, empty)


def test_a_band_has_four_series_and_goes_on_into_the_future(driftband: DriftbandServer) -> None:
    query = "anomaly_band(sum by (service) (load), 0.99)"
    found = driftband.range(query, NOW - 6 * 3600, NOW + 6 * 3600, 300)
    assert {dict(labels)["service"] for labels in found} == {"cart", "payment"}
    cart = {dict(labels)["band"]: values for labels, values in found.items() if dict(labels)["service"] == "cart"}
    assert set(cart) == {"actual", "lower", "expected", "upper"}
    assert max(cart["actual"]) <= time.time()
    assert max(cart["upper"]) == NOW + 6 * 3600
    known = [t for t in cart["expected"] if t <= NOW]
    assert np.mean([cart["lower"][t] <= cart["actual"][t] <= cart["upper"][t] for t in known]) > 0.9
    ahead = [abs(value - season(t)) for t, value in cart["expected"].items() if t > NOW + 600]
    assert np.mean(ahead) < 6


def test_functions_stand_beside_what_the_source_answers(driftband: DriftbandServer) -> None:
    query = "forecast(sum by (service) (rate(hits_total[10m]))) > bool on () group_left () (1 + 1 > bool 3)"
    found = driftband.range(query, NOW - 3600, NOW - 300, 60)
    assert {dict(labels)["service"] for labels in found} == {"cart", "payment"}
    assert {value for values in found.values() for value in values.values()} == {1.0}


def test_an_instant_has_the_same_values_however_it_is_asked_for(driftband: DriftbandServer) -> None:
    # From 50 points on, VictoriaMetrics moves a range to multiples of its step.
    start = NOW - 7200 + 40
    found = driftband.range('anomaly_band(load{service="cart"})', start, NOW, 60)
    by_band = {dict(labels)["band"]: values for labels, values in found.items()}
    assert min(by_band["actual"]) == start
    assert len(by_band["actual"]) > 100
    for t in (start, start + 60, start + 60 * 50, max(by_band["actual"])):
        answer = driftband.get("/api/v1/query", query='anomaly_band(load{service="cart"})', time=t).json()
        single = {one["metric"]["band"]: float(one["value"][1]) for one in answer["data"]["result"]}
        assert single == pytest.approx({band: values[t] for band, values in by_band.items()}, rel=1e-9)


def test_named_signals_are_native_series(driftband: DriftbandServer) -> None:
    found = driftband.range('driftband_upper{signal="cart_load"}', NOW - 600, NOW - 300, 300)
    assert list(found.values()) == list(
        driftband.range('band_upper(load{service="cart"})', NOW - 600, NOW - 300, 300).values()
    )
    names = driftband.get("/api/v1/label/__name__/values").json()["data"]
    assert {"driftband_upper", "load", "hits_total"} <= set(names)
    assert driftband.get("/api/v1/labels").json()["data"] == ["__name__", "service", "signal"]


def test_what_metricsql_alone_can_is_refused_with_its_place_inside_our_functions(driftband: DriftbandServer) -> None:
    answer = driftband.get("/api/v1/query", query="forecast(rate(hits_total))", time=NOW)
    assert answer.status_code == 400
    assert "expected type matrix in call to function 'rate'" in answer.json()["error"]


def test_the_doctor_finds_it_well(filled: VictoriaServer) -> None:
    found = doctor.run(load(None, {"DRIFTBAND_PROMETHEUS__URL": filled.url, "DRIFTBAND_BANDS__HISTORY": "3d"}))
    assert {one.name: one.status for one in found} == {"source": "ok", "clock": "ok", "history": "ok", "store": "ok"}
