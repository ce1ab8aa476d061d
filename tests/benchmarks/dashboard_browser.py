"""What a browser asks when one of ``dashboards/`` is opened, through a real Grafana or straight at driftband."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import dashboard_world as world
import requests

from integration.grafana_server import GrafanaServer

AT_ONCE, POINTS = 6, 1000
_UNITS = {"h": 3600, "d": 86_400}
_ROUND = (60, 120, 300, 600, 900, 1200, 1800, 3600)
"""Steps that Grafana rounds to, from the source's scrape interval on."""
_VALUES = {
    "service": "service-06",
    "signal": "http_latency_p99",
    "change": "change-0",
    "env": ".*",
    "workspace": ".*",
    "datasource": "driftband",
}


@dataclass(frozen=True)
class Ask:
    """One request of a browser. exprs: each with whether it is a range; none for a variable of label values."""

    title: str
    exprs: Sequence[tuple[str, bool]] = ()
    label: str = ""
    match: str = ""
    points: int = POINTS


Send = Callable[[Ask, float, float], None]


@dataclass(frozen=True)
class Opened:
    """seconds: until the last answer. panels: the time of each, by its title."""

    seconds: float
    panels: Sequence[tuple[str, float]]

    @property
    def slowest(self) -> tuple[str, float]:
        return max(self.panels, key=lambda one: one[1])


def direct(url: str) -> Send:
    """Ask driftband as Grafana's data source does."""

    def send(ask: Ask, start: float, end: float) -> None:
        if ask.label:
            match = {"match[]": ask.match} if ask.match else {}
            _good(requests.get(f"{url}/api/v1/label/{ask.label}/values", params={"start": start, "end": end, **match}, timeout=60))  # fmt: skip
        step = _step(ask, start, end)
        for expr, ranged in ask.exprs:
            when = {"start": start // step * step, "end": end // step * step, "step": step} if ranged else {"time": end}
            path = "query_range" if ranged else "query"
            _good(requests.post(f"{url}/api/v1/{path}", data={"query": expr, **when}, timeout=60))

    return send


def through(grafana: GrafanaServer) -> Send:
    """Ask Grafana as its pages do."""
    source = {"type": "prometheus", "uid": "driftband"}
    resources = f"{grafana.url}/api/datasources/uid/driftband/resources/api/v1"

    def send(ask: Ask, start: float, end: float) -> None:
        if ask.label:
            match = {"match[]": ask.match} if ask.match else {}
            _good(requests.get(f"{resources}/label/{ask.label}/values", params={"start": int(start), "end": int(end), **match}, timeout=60))  # fmt: skip
            return
        step = _step(ask, start, end)
        queries = [
            {
                "refId": f"Q{n}", "datasource": source, "expr": expr, "range": ranged, "instant": not ranged,
                "intervalMs": step * 1000, "maxDataPoints": ask.points,
            }
            for n, (expr, ranged) in enumerate(ask.exprs)
        ]  # fmt: skip
        body = {"queries": queries, "from": str(int(start * 1000)), "to": str(int(end * 1000))}
        answer = _good(requests.post(f"{grafana.url}/api/ds/query", json=body, timeout=60))
        wrong = [one["error"] for one in answer["results"].values() if one.get("error")]
        assert not wrong, (ask.title, wrong)

    return send


def _step(ask: Ask, start: float, end: float) -> int:
    return next(one for one in _ROUND if one >= (end - start) / ask.points / 1.5)


def _good(answer: requests.Response) -> Any:
    assert answer.status_code == 200, f"{answer.status_code} {answer.text[:500]}"
    return answer.json()


def variables(board: dict[str, Any], span: float) -> Iterator[Ask]:
    """Yield what a dashboard's variables ask."""
    for one in board["templating"]["list"]:
        if one["type"] != "query":
            continue
        asked = _filled(one["query"]["query"], _values(board), span)
        inner = asked.partition("(")[2].removesuffix(")")
        if asked.startswith("query_result"):
            yield Ask(one["name"], [(inner, False)])
        else:
            match, _, label = inner.rpartition(", ")
            yield Ask(one["name"], label=label, match=match)


def panels(board: dict[str, Any], span: float) -> Iterator[Ask]:
    """Yield what its panels and annotations ask; a repeated panel once for each signal of the user's own."""
    for panel in board["panels"]:
        for value in [one["name"] for one in world.SIGNALS] if panel.get("repeat") else [None]:
            values = _values(board) | ({panel["repeat"]: value} if value else {})
            exprs = [(_filled(one["expr"], values, span), bool(one.get("range"))) for one in panel["targets"]]
            yield Ask(panel["title"], exprs, points=panel.get("maxDataPoints") or POINTS)
    for mark in board.get("annotations", {}).get("list", ()):
        if "expr" in mark:
            yield Ask("annotations", [(_filled(mark["expr"], _values(board), span), True)])


def _values(board: dict[str, Any]) -> dict[str, str]:
    every = {one["name"] for one in board["templating"]["list"] if one.get("includeAll")}
    return {name: ".*" if name in every else value for name, value in _VALUES.items()}


def _filled(text: str, values: dict[str, str], span: float) -> str:
    text = text.replace("$__range", f"{span:.0f}s")
    for name, value in values.items():
        text = text.replace(f"${name}", value)
    return text


def opened(board: dict[str, Any], send: Send) -> Opened:
    """Open a dashboard."""
    back, ahead = (_seconds(board["time"][side]) for side in ("from", "to"))
    now = time.time()
    start, end = now + back, now + ahead

    def timed(ask: Ask) -> tuple[str, float]:
        began = time.perf_counter()
        send(ask, start, end)
        return ask.title, time.perf_counter() - began

    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as browser:
        list(browser.map(timed, variables(board, end - start)))
        took = list(browser.map(timed, panels(board, end - start)))
    return Opened(time.perf_counter() - began, took)


def _seconds(moment: str) -> int:
    offset = moment.removeprefix("now")
    return int(offset[:-1]) * _UNITS[offset[-1]] if offset else 0
