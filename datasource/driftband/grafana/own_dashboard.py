"""The dashboard "driftband itself": whether it watches, how fast it answers, what it costs."""

from typing import Any

from grafana_foundation_sdk.models import dashboard as model

from driftband.grafana.board import board
from driftband.grafana.building import BLUE, GREEN, ORANGE, SKY, VERMILION
from driftband.grafana.panels import About, Step, lines, stat

UID = "driftband-itself"

_SCRAPED = "Nothing yet: let Prometheus scrape driftband's /metrics"


def itself() -> model.Dashboard:
    """Return the dashboard."""
    return board(
        "driftband itself",
        UID,
        "Whether driftband watches, how fast it answers, and what it costs. Prometheus must scrape its /metrics.",
        [
            _number(
                "Watcher lag",
                "Since the last instant at which all signals are evaluated: two minutes are usual.",
                "time() - min(driftband_watch_last_evaluated_timestamp_seconds)",
                "s",
                (None, GREEN),
                (300, ORANGE),
                (900, VERMILION),
            ),
            _number("Signals", "That are watched.", "max(driftband_watch_signals)", "short", (None, BLUE)),
            _number(
                "Failed evaluations",
                "Of signals, within the hour.",
                "sum(increase(driftband_watch_errors_total[1h])) or vector(0)",
                "short",
                (None, GREEN),
                (1, ORANGE),
            ),
            _number(
                "Failed queries",
                "Answered with an error within the hour, to Grafana or others.",
                "sum(increase(driftband_query_errors_total[1h])) or vector(0)",
                "short",
                (None, GREEN),
                (1, ORANGE),
            ),
            _number("Findings", "That are open, of all classes.", "sum(driftband_open_findings)", "short", (None, BLUE)),
            _number(
                "Alerts in",
                "That Grafana or Alertmanager sent within the day.",
                "sum(increase(driftband_alerts_received_total[1d])) or vector(0)",
                "short",
                (None, BLUE),
            ),
            _over_time(
                "Requests",
                "That were answered, by endpoint.",
                {"{{endpoint}}": "sum by (endpoint) (rate(driftband_request_duration_seconds_count[5m]))"},
                "reqps",
            ),
            _over_time(
                "Time to answer",
                "A query through driftband: half of them are faster, and all but one in a hundred.",
                _quantiles('driftband_request_duration_seconds_bucket{endpoint=~"prometheus.query.*"}'),
                "s",
                ("median", BLUE),
                ("99 in 100", ORANGE),
            ),
            _over_time(
                "Time the source takes",
                "Of a request to the source: what driftband cannot be faster than.",
                _quantiles("driftband_source_request_duration_seconds_bucket"),
                "s",
                ("median", BLUE),
                ("99 in 100", ORANGE),
            ),
            _over_time(
                "Time of a tick",
                "To evaluate all signals at the instants that are due. It must stay below watch.interval.",
                _quantiles("driftband_watch_tick_duration_seconds_bucket"),
                "s",
                ("median", BLUE),
                ("99 in 100", ORANGE),
            ),
            _over_time(
                "Histories in memory",
                "Share of reads that found all of a history in memory; the rest asked the source.",
                {
                    "in memory": 'sum(rate(driftband_history_reads_total{result="hit"}[5m]))'
                    " / sum(rate(driftband_history_reads_total[5m]))"
                },
                "percentunit",
                ("in memory", BLUE),
            ),
            _over_time(
                "Memory of caches",
                "What histories and fits take; each has a bound.",
                {"{{cache}}": "sum by (cache) (driftband_cache_bytes)"},
                "bytes",
                ("history", BLUE),
                ("fits", SKY),
            ),
        ],
        time=("now-3h", "now"),
        variables=(),
        marks=(),
    )  # fmt: skip


def _quantiles(buckets: str) -> dict[str, str]:
    rates = f"sum by (le) (rate({buckets}[5m]))"
    return {"median": f"histogram_quantile(0.5, {rates})", "99 in 100": f"histogram_quantile(0.99, {rates})"}


def _number(title: str, what: str, expr: str, unit: str, *thresholds: Step) -> Any:
    return stat(About(title=title, description=what, width=4, height=4, nothing=_SCRAPED), expr, unit=unit, thresholds=thresholds)  # fmt: skip


def _over_time(title: str, what: str, exprs: dict[str, str], unit: str, *colours: tuple[str, str]) -> Any:
    about = About(title=title, description=what, width=12, height=8, nothing=_SCRAPED)
    return lines(about, exprs, unit=unit, colours=dict(colours)).min(0)
