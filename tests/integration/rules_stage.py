"""A Grafana that mounts provisioning/ on a driftband in trouble, and a contact point of the user's own."""

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from driftband.grafana.rules import GROUPS

from .alert_bodies import told, webhook
from .driftband_server import DriftbandServer
from .evidence_api import Api, now
from .grafana_server import Grafana
from .hostile import plan

ROOT = Path(__file__).parents[2]
READ, WRITE, SECRET = "read-token-0123456789abcdef", "write-token-0123456789abcdef", "webhook-secret-0123456789"
RULES = {rule.uid: rule for group in GROUPS for rule in group.rules}
TITLES = {rule.title: rule.uid for rule in RULES.values()}
WITHIN = 240.0
DISK_LIMIT = 1000
NOWHERE = "http://127.0.0.1:9"
"""A source that nobody serves."""


class OwnContactPoint:
    """Takes the webhooks of the user's own contact point. told: rule and status of each alert."""

    def __init__(self) -> None:
        self.told: set[tuple[str, str]] = set()
        taken = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                taken.update((one["labels"].get("driftband_rule", "?"), one["status"]) for one in body["alerts"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def serving(self) -> Iterator["OwnContactPoint"]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        yield self
        self._server.shutdown()
        self._server.server_close()


def hurried(folder: Path, own: str) -> Path:
    """Copy provisioning/ as it is, but for its clocks: seconds in place of minutes; with the user's contact point.

    The optional policies, which the user mounts too, name it as where everything goes.
    """
    copy = shutil.copytree(ROOT / "provisioning", folder / "provisioning")
    for path in (copy / "alerting").glob("*.yaml"):
        text = re.sub(r"(?m)^( *(?:for|interval|group_interval): )\d+m$", r"\g<1>10s", path.read_text())
        path.write_text(re.sub(r"(?m)^( *group_wait: )\d+s$", r"\g<1>1s", text))
    receivers = [{"uid": "own", "type": "webhook", "settings": {"url": own}}]
    point = {"apiVersion": 1, "contactPoints": [{"orgId": 1, "name": "own", "receivers": receivers}]}
    (copy / "alerting/own.yaml").write_text(yaml.safe_dump(point))
    policies = yaml.safe_load((copy / "optional/notification-policies.yaml").read_text())
    policies["policies"][0] |= {"group_wait": "1s", "group_interval": "10s"}
    (copy / "alerting/policies.yaml").write_text(yaml.safe_dump(policies))
    return copy


def world() -> str:
    """Write three days and an hour to come of a disk that has been full for 40 minutes, at a sample a minute."""
    at = int(time.time()) // 60 * 60
    times = np.arange(at - 3 * 86_400, at + 3600, 60)
    noise = np.random.default_rng(5).normal(0, 1, len(times))
    full = 0.9 * DISK_LIMIT + noise + np.where(times >= at - 2400, 0.2 * DISK_LIMIT, 0)
    rate = np.cumsum(np.full(len(times), 2400.0))
    disk = [f'disk_used_bytes{{service="db"}} {v:.2f} {t}' for v, t in zip(full, times, strict=True)]
    requests = [f'http_requests_total{{service="db"}} {v:.0f} {t}' for v, t in zip(rate, times, strict=True)]
    return "\n".join(disk + requests)


def of_service(name: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return a plan whose resource is tagged with a service."""
    (resource,) = body["prior_state"]["values"]["root_module"]["resources"]
    resource["values"]["tags"] = {"service": name}
    return body


class Trouble:
    """A driftband with everything in it that a rule is about; ``calm`` ends what can be ended in it."""

    def __init__(self, folder: Path, source: str) -> None:
        self._source, self._file = source, folder / "driftband.yaml"
        self.server = DriftbandServer(folder, store=f"sqlite:///{folder}/ledger.db")
        self.configure(NOWHERE)
        self.api, self.seen = Api(self.server, "", WRITE), Api(self.server, "", READ)
        self.began = now()

    def configure(self, source: str, *, signals: bool = True) -> None:
        """Write what it is served with from the next start on."""
        disk = {"name": "disk", "expr": "disk_used_bytes", "limit": DISK_LIMIT, "direction": "up", "for": "15m"}
        known = yaml.safe_load(self._file.read_text())
        settings = {
            "listen": known["listen"],
            "store": known["store"],
            "external_url": "https://driftband.example",
            "prometheus": {"url": source},
            "access": {"read_tokens": [READ], "write_tokens": [WRITE], "webhook_secret": SECRET},
            "incidents": {"resolve_after": "1s"},
            "watch": {"start": (now() - timedelta(hours=1)).isoformat()},
            **({"signals": [disk]} if signals else {}),
        }
        self._file.write_text(yaml.safe_dump(settings))

    def restart(self, source: str | None, *, signals: bool = True) -> None:
        """Start it anew with its source, or with one that nobody serves."""
        self.server.stop()
        self.configure(source or NOWHERE, signals=signals)
        self.server.__enter__()

    def plant(self) -> None:
        """Let drift, changes and alerts of others come in."""
        long_ago, lately = self.began - timedelta(days=8), self.began - timedelta(minutes=2)
        for at in (long_ago, lately):
            self._report("prod/old", of_service("billing", plan("thing.old")), at)
        exposed = plan("aws_security_group.shop", ["10.0.0.0/8"], ["0.0.0.0/0"], "aws_security_group")
        self._report("prod/network", of_service("shop", exposed), lately)
        self._report("prod/forgotten", {**plan(), "resource_drift": []}, long_ago)
        self.api.change(
            id="run-7", kind="deploy", started_at=lately, ended_at=lately + timedelta(seconds=30), commit="9f3c2a1",
            actor="dana", identity={"service": "orders"}, status="succeeded",
        )  # fmt: skip
        self.alert()

    def alert(self, *, over: bool = False) -> None:
        """Have an Alertmanager tell that orders is slow, or that it is no more."""
        began = self.began - timedelta(minutes=1)
        one = told("Latency", began, now() if over else None, service="orders", severity="critical")
        assert self.api.post("/alerts/alertmanager", webhook(one)).status_code == 202

    def calm(self) -> None:
        """Report that what had drifted is as declared, and end the alert."""
        for workspace in ("prod/old", "prod/network", "prod/forgotten"):
            self._report(workspace, {**plan(), "resource_drift": []}, now())
        self.alert(over=True)

    def noted(self) -> set[tuple[str, str]]:
        """Return rule and status of each alert of ours that driftband has noted at a finding."""
        found = self.seen.get("/findings", state="all", limit=500)["findings"]
        notes = [
            note for one in found for note in self.seen.get(f"/findings/{one['id']}")["evidence"].get("alerts", ())
        ]
        return {(TITLES[note["name"]], note["status"]) for note in notes}

    def _report(self, workspace: str, body: Any, at: Any) -> None:
        self.api.report(json.dumps(body).encode(), workspace, started_at=at, run=f"{workspace}-{at}")


def states(grafana: Grafana) -> dict[str, dict[str, Any]]:
    """Return each rule as Grafana's alert list has it, by uid."""
    groups = grafana.ask("GET", "/api/prometheus/grafana/api/v1/rules")["data"]["groups"]
    return {rule["uid"]: rule for group in groups for rule in group["rules"]}


def firing(rule: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the alerts of a rule that fire."""
    return [one for one in rule.get("alerts") or [] if one["state"].startswith("Alerting")]


def awaited(look: Callable[[], Any], fine: Callable[[Any], bool], within: float = WITHIN) -> Any:
    """Return what ``look`` sees as soon as it is ``fine``, else what it sees in the end."""
    deadline = time.monotonic() + within
    while not fine(seen := look()) and time.monotonic() < deadline:
        time.sleep(1)
    return seen
