"""The demo: a ready configuration, and the sample world's evidence told to the store as others would tell it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from driftband.app_evidence import Evidence
from driftband.app_incidents import always
from driftband.config import Config, load
from driftband.model.audit import AuditEvent
from driftband.model.change import Change
from driftband.model.moment import from_ms, show_moment
from driftband.sources.own import OwnSamples
from driftband.sources.sample.evidence import Rule, Scan, Told, evidence
from driftband.sources.sample.script import Script
from driftband.store import watching
from driftband.store.changing import put_change
from driftband.store.database import Database
from driftband.store.overview import StoredOverview
from driftband.web.measure import Measure

_CONFIGURATION = Path(__file__).parent / "demo.yaml"
_WATCHED_BEFORE = timedelta(hours=1)
_SETTLES = timedelta(minutes=2)


def ready(store: Path, environ: Mapping[str, str], now: int) -> Config:
    """Return the demo's configuration with a store in a file, and what the environment says otherwise.

    Watching begins before the incident of the sample world that is current at ``now`` (epoch ms).
    """
    begins = from_ms(Script.at(now).incident[0]) - _WATCHED_BEFORE
    made = {"DRIFTBAND_STORE": f"sqlite:///{store}", "DRIFTBAND_WATCH__START": show_moment(begins)}
    return load(_CONFIGURATION, {**made, **environ})


def tell(config: Config, to: Evidence, now: int) -> None:
    """Tell the evidence of the sample world that is current at ``now`` (epoch ms); nothing where there is some already."""
    if not config.prometheus.url.startswith("sample:") or StoredOverview(to.database).workspaces():
        return
    tell_all(Script.at(now), to, now)


def tell_all(script: Script, to: Evidence, now: int) -> None:
    """Tell what a script has until ``now`` (epoch ms). What has been told before is known, and stays as it is."""
    for told in evidence(script, from_ms(now)):
        _take(replace(to, clock=_stopped(told.at)), told)


def caught_up(config: Config, database: Database, now: int) -> Callable[[], bool]:
    """Return what tells whether all of the sample world that is watched is evaluated up to ``now`` (epoch ms).

    Incidents are decided in the order of time: what the watcher finds in the past must not come after the rest.
    """
    if not config.prometheus.url.startswith("sample:"):
        return always
    names, wanted = config.watched_names, from_ms(now) - _SETTLES

    def done() -> bool:
        known = watching.progress(database)
        return all(name in known and known[name].evaluated_until >= wanted for name in names)

    return done


def own_samples(config: Config, measure: Measure) -> OwnSamples | None:
    """Return what the sample world has of the service itself; None where a Prometheus can scrape it."""
    if not config.prometheus.url.startswith("sample:"):
        return None
    target = {"job": "driftband", "instance": config.listen}
    return OwnSamples(lambda: measure.samples(target))


def banner(base: str, example: str) -> str:
    """Return what the demo says of itself. base: its URL, without a slash at the end."""
    return f"""
driftband demo: a shop of six services with three weeks of telemetry up to now, and what became of its Terraform

  open     {base}/, {base}/incidents and {base}/workspaces
  Grafana  add a Prometheus data source with the URL {base}
  try      {example}
           anomaly_score(sum by (service) (rate(http_requests_total{{code="500"}}[5m])))
           time_to_breach(process_resident_memory_bytes{{service="recommendation"}}, 1073741824, 0.99)
           count by (workspace, severity) (driftband_drift)
           driftband_change{{service="checkout"}}
  curl     curl -G {base}/api/v1/query --data-urlencode 'query=forecast(queue_depth)'

Stop with Ctrl-C.
"""


def _stopped(at: datetime) -> Callable[[], datetime]:
    return lambda: at


def _take(to: Evidence, told: Told) -> None:
    match told.what:
        case Scan(about, report):
            to.take(report, about)
        case Change() as change:
            given = frozenset(name for name in vars(change) if getattr(change, name))
            put_change(to.database, change, given, to.identities, told.at)
        case AuditEvent() as event:
            to.audit(orjson.dumps(event.json()))
        case Rule(fields):
            to.ignore(fields)
