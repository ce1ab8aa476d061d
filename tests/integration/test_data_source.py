"""A real Prometheus with three weeks of data behind a real driftband."""

import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import requests

from .conftest import PrometheusFactory
from .driftband_server import DriftbandServer
from .prometheus_server import PrometheusServer

NOW = int(time.time()) // 300 * 300
DAYS = 21
BAND = "anomaly_band(sum by (service) (load))"


def shop() -> str:
    """Write three weeks of two services at one sample in five minutes; the second one stops two days ago."""
    random = np.random.default_rng(3)
    times = np.arange(NOW - DAYS * 86_400, NOW + 1, 300)
    lines = ["# TYPE load gauge"]
    for service, end in (("cart", NOW), ("payment", NOW - 2 * 86_400)):
        season = 100 + 40 * np.sin(times / 86_400 * 2 * np.pi)
        values = season + random.normal(0, 3, len(times))
        lines += [
            f'load{{service="{service}",pod="a"}} {v:.4f} {t}' for t, v in zip(times, values, strict=True) if t <= end
        ]
    lines.append("# TYPE young gauge")
    lines += [f"young {t % 7} {t}" for t in times if t > NOW - 6 * 3600]
    lines.append("# TYPE hits counter")
    lines += [f"hits_total {i * 5} {t}" for i, t in enumerate(times)]
    return "\n".join([*lines, "# EOF\n"])


@pytest.fixture(scope="module")
def prometheus(prometheus_factory: PrometheusFactory) -> PrometheusServer:
    return prometheus_factory(shop())


@pytest.fixture(scope="module")
def driftband(prometheus: PrometheusServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DriftbandServer]:
    signal = {"name": "cart_load", "expr": 'load{service="cart"}'}
    settings = {"prometheus": {"url": prometheus.url}, "signals": [signal]}
    with DriftbandServer(tmp_path_factory.mktemp("driftband"), **settings) as server:
        yield server


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("/api/v1/query", {"query": "sum(rate(hits_total[10m]))", "time": NOW}),
        ("/api/v1/query_range", {"query": "load", "start": NOW - 3600, "end": NOW, "step": 60}),
        ("/api/v1/query", {"query": "sum(", "time": NOW}),
        ("/api/v1/query", {"query": "no_such_function(up)"}),
        ("/api/v1/query_range", {"query": "up", "start": 10, "end": 0, "step": 1}),
        ("/api/v1/query_range", {"query": "up", "start": 0, "end": 1e9, "step": 1}),
        ("/api/v1/series", {"match[]": "load", "start": NOW - 3600, "end": NOW}),
        ("/api/v1/query_exemplars", {"query": "up", "start": NOW - 60, "end": NOW}),
    ],
)
def test_what_has_none_of_ours_comes_back_as_the_source_gave_it(
    prometheus: PrometheusServer, driftband: DriftbandServer, method: str, path: str, arguments: dict[str, object]
) -> None:
    place = "data" if method == "POST" else "params"
    for encoding in ("gzip", "identity"):
        answers = []
        for url in (prometheus.url, driftband.url):
            headers = {"Accept-Encoding": encoding}
            answer = requests.request(
                method, url + path, headers=headers, stream=True, timeout=30, **{place: arguments}
            )
            answers.append((answer.status_code, answer.headers.get("Content-Encoding"), answer.raw.read()))
        assert answers[0] == answers[1]


def test_a_band_has_four_series_and_goes_on_into_the_future(driftband: DriftbandServer) -> None:
    found = driftband.range(BAND, NOW - 6 * 3600, NOW + 6 * 3600, 300)
    cart = {dict(labels)["band"]: values for labels, values in found.items() if dict(labels)["service"] == "cart"}
    assert set(cart) == {"actual", "lower", "expected", "upper"}
    assert max(cart["actual"]) <= time.time()
    assert max(cart["upper"]) == NOW + 6 * 3600
    ahead = np.array([cart["expected"][t] for t in sorted(cart["expected"]) if t > NOW + 600])
    truth = np.array([100 + 40 * math.sin(t / 86_400 * 2 * math.pi) for t in sorted(cart["expected"]) if t > NOW + 600])
    assert np.abs(ahead - truth).mean() < 3
    inside = [cart["lower"][t] <= v <= cart["upper"][t] for t, v in cart["actual"].items()]
    assert np.mean(inside) > 0.95
    assert not any(dict(labels)["service"] == "payment" for labels in found), "it vanished two days ago"


def test_an_instant_has_the_same_band_however_it_is_asked_for(
    driftband: DriftbandServer, prometheus: PrometheusServer, tmp_path: Path
) -> None:
    def at(server: DriftbandServer, start: float, end: float, step: float) -> dict[float, float]:
        found = server.range("band_upper(load{service='cart'}, 0.95)", start, end, step)
        return {t: v for values in found.values() for t, v in values.items()}

    zooms = [
        at(driftband, NOW - span, NOW - 7, step)
        for span, step in ((7200, 7), (86_400, 60), (5 * 86_400, 700), (7200, 7))
    ]
    with DriftbandServer(tmp_path, prometheus={"url": prometheus.url}) as other:
        zooms.append(at(other, NOW - 86_400, NOW - 7, 60))
    single = driftband.get("/api/v1/query", query="band_upper(load{service='cart'}, 0.95)", time=NOW - 3600.5)
    zooms.append({float(t): float(v) for t, v in [single.json()["data"]["result"][0]["value"]]})
    zooms.append(at(driftband, NOW - 3600.5, NOW - 3600, 300))
    compared = 0
    for one in zooms:
        for other_zoom in zooms:
            for t in one.keys() & other_zoom.keys():
                assert one[t] == pytest.approx(other_zoom[t], rel=1e-9)
                compared += one is not other_zoom
    assert compared > 100


def test_functions_stand_in_expressions_as_promql_functions_do(driftband: DriftbandServer) -> None:
    query = "abs(sum by (service) (load) - forecast(sum by (service) (load))) < bool on (service) (band_upper(sum by (service) (load)) * 0 + 20)"
    found = driftband.range(query, NOW - 3600, NOW - 60, 60)
    assert list(found) == [(("service", "cart"),)]
    assert set(found[("service", "cart"),].values()) <= {0.0, 1.0}


def test_named_signals_are_native_series(driftband: DriftbandServer) -> None:
    found = driftband.range('driftband_upper{signal="cart_load",service=~"c.*"}', NOW - 600, NOW - 300, 300)
    labels = {"__name__": "driftband_upper", "signal": "cart_load", "service": "cart", "pod": "a"}
    assert list(found) == [tuple(sorted(labels.items()))]
    by_function = driftband.range('band_upper(load{service="cart"})', NOW - 600, NOW - 300, 300)
    assert list(found.values()) == list(by_function.values())
    highest = driftband.get("/api/v1/query", query="max_over_time(driftband_actual[1h])", time=NOW - 60).json()
    raw = driftband.get("/api/v1/query", query='max_over_time(load{service="cart"}[1h])', time=NOW - 60).json()
    assert highest["data"]["result"][0]["value"] == raw["data"]["result"][0]["value"]
    stamped = driftband.range("timestamp(driftband_actual offset 10m)", NOW - 600, NOW - 60, 60)
    assert [t - value for values in stamped.values() for t, value in values.items()] == [600.0] * 10


def test_completion_and_metadata_know_the_native_series(driftband: DriftbandServer) -> None:
    names = driftband.get("/api/v1/label/__name__/values").json()["data"]
    assert {"driftband_upper", "load", "up"} <= {*names, "up"}
    assert names == sorted(names)
    assert driftband.get("/api/v1/metadata").json()["data"]["driftband_upper"][0]["type"] == "gauge"
    services = driftband.get(
        "/api/v1/label/service/values", **{"match[]": 'driftband_upper{signal="cart_load"}'}
    ).json()["data"]
    assert services == ["cart"]
    assert driftband.get("/api/v1/label/__name__/values", limit=2).json()["data"] == names[:2]


def test_too_little_history_is_no_band_and_a_warning(driftband: DriftbandServer) -> None:
    answer = driftband.get("/api/v1/query", query="forecast(young)", time=NOW).json()
    assert answer["data"]["result"] == []
    assert any("1d needed" in warning for warning in answer["warnings"])


def test_a_slow_model_is_warned_of_until_its_band_is_there(driftband: DriftbandServer) -> None:
    def ask(operand: str) -> requests.Response:
        return driftband.get("/api/v1/query", query=f'anomaly_band({operand}, 0.99, "prophet")', time=NOW)

    for _ in range(100):
        answer = ask("load{service='cart'}").json()
        drawn = {one["metric"]["band"] for one in answer["data"]["result"]}
        if "warnings" not in answer:
            break
        assert answer["warnings"] == ['"prophet" is still being fitted for 1 of 1 refits; refresh to see its band']
        assert drawn == {"actual"}
    assert drawn == {"actual", "lower", "expected", "upper"}
    many = " or ".join(f'label_replace(vector(1), "n", "{n}", "", "")' for n in range(21))
    refused = ask(many)
    assert refused.status_code == 422
    assert "at most 20 series, got 21" in refused.json()["error"]


def test_a_raw_counter_is_warned_of(driftband: DriftbandServer) -> None:
    warnings = driftband.get("/api/v1/query", query="forecast(hits_total)", time=NOW).json()["warnings"]
    assert any("rate(hits_total[5m])" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("forecast(load", 400, "1:9"),
        ("forecast(no_such_function(load))", 400, "no_such_function"),
        ("forecast(load, 'oracle')", 400, "seasonal, prophet"),
        ("anomaly_band(load, 1)", 400, "strictly between 0 and 1"),
        ("forecast(load @ end())", 422, "use offset"),
        ("forecast({__name__=~'.+'} * on() group_left() vector(1) + on() load)", 422, "unique matches"),
        ("rate(forecast(load)[5m:1m])", 422, "subquery"),
    ],
)
def test_errors_have_prometheus_form(driftband: DriftbandServer, query: str, status: int, words: str) -> None:
    answer = driftband.get("/api/v1/query", query=query, time=NOW)
    assert answer.status_code == status
    assert answer.json()["status"] == "error"
    assert words in answer.json()["error"]
    assert "data" not in answer.json()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"step": 0}, "zero or negative"),
        ({"step": -5}, "zero or negative"),
        ({"step": "1e99"}, "valid duration"),
        ({"end": NOW - 7200}, "must not be before"),
        ({"start": 0}, "11,000"),
        ({"start": "yesterday"}, "valid timestamp"),
        ({"limit": "-1"}, "limit"),
        ({"timeout": "0s"}, "timeout"),
        ({"query": ""}, "no expression"),
    ],
)
def test_wrong_arguments_are_a_400(driftband: DriftbandServer, change: dict[str, object], words: str) -> None:
    arguments = {"query": "forecast(load)", "start": NOW - 3600, "end": NOW, "step": 60, **change}
    answer = driftband.get("/api/v1/query_range", **arguments)
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_a_body_of_nonsense_is_no_500(driftband: DriftbandServer) -> None:
    for kind in ("application/x-www-form-urlencoded", "application/octet-stream", "multipart/form-data; boundary=x"):
        answer = requests.post(
            f"{driftband.url}/api/v1/query", data=bytes(range(256)) * 10, headers={"Content-Type": kind}, timeout=30
        )
        assert answer.status_code == 400
        assert answer.json()["status"] == "error"


def test_it_stops_gracefully(prometheus: PrometheusServer, tmp_path: Path) -> None:
    with DriftbandServer(tmp_path, prometheus={"url": prometheus.url}) as server:
        assert server.get("/readyz").json() == {"listener": "ok", "store": "ok", "source": "ok"}
        assert server.stop() == 0


def test_a_signal_of_too_many_series_leaves_the_others_in_the_picture(
    prometheus: PrometheusServer, tmp_path: Path
) -> None:
    signals = [{"name": "each", "expr": "load"}, {"name": "whole", "expr": "sum(load)"}]
    settings = {"prometheus": {"url": prometheus.url}, "signals": signals, "limits": {"series": 1}}
    with DriftbandServer(tmp_path, **settings) as server:
        answer = server.get("/api/v1/query", query="driftband_expected", time=NOW - 3 * 86_400).json()
        assert [one["metric"]["signal"] for one in answer["data"]["result"]] == ["whole"]
        (warning,) = answer["warnings"]
        assert warning.startswith("the signal each is left out: the operand has 2 series")
        refused = server.get("/api/v1/query", query='driftband_expected{signal="each"}', time=NOW - 3 * 86_400)
        assert (refused.status_code, "limits.series" in refused.json()["error"]) == (422, True)
        for matcher in ('="cart"', '=~"cart|payment"'):
            narrow = f'driftband_expected{{signal="each",service{matcher}}}'
            found = server.get("/api/v1/query", query=narrow, time=NOW - 60).json()["data"]["result"]
            assert [one["metric"]["service"] for one in found] == ["cart"]
            known = server.get("/api/v1/query", query='forecast(load{service="cart"})', time=NOW - 60).json()
            assert found[0]["value"] == known["data"]["result"][0]["value"]
