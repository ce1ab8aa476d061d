"""Drift reports: the call for one, and what one tells by itself while no server can."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from driftband.client.call import Call, report_call
from driftband.model.moment import show_moment, utc
from driftband.model.report import Report


@dataclass(frozen=True, kw_only=True)
class Reporting:
    """What goes with each body of one run."""

    workspace: str
    lineage: str | None = None
    serial: int | None = None
    commit: str = ""
    started_at: datetime | None = None

    def key(self, body: bytes) -> str:
        """Return the run's key: a digest, so that the same report is the same run."""
        return hashlib.sha256(self.workspace.encode() + b"\0" + body).hexdigest()[:32]

    def call(self, run: str, body: bytes) -> Call:
        """Return the call that sends a redacted body."""
        started = show_moment(utc(self.started_at)) if self.started_at else None
        return report_call(
            body,
            self.workspace,
            run,
            lineage=self.lineage,
            serial=self.serial,
            commit=self.commit,
            started_at=started,
        )

    def stand_in(self, run: str, report: Report) -> dict[str, Any]:
        """Return what a report tells by itself, in the form of the server's answer, with ``"spooled": true``.

        It knows neither history nor ignore rules.
        """
        real = [item for item in report.drift if not item.only_normalised]
        return {
            "run": {
                "id": run,
                "workspace": self.workspace,
                "status": _status(report, bool(real)),
                "tool": report.tool,
                "errors": list(report.errors),
                "renamed": [{"from": moved.source, "to": moved.target} for moved in report.renamed],
            },
            "spooled": True,
            "opened": 0,
            "still_open": 0,
            "closed": 0,
            "findings": [
                {
                    "kind": "deleted_outside" if item.action == "delete" else "attribute_changed",
                    "class": "drift",
                    "state": "open",
                    "workspace": self.workspace,
                    "address": item.address,
                    "resource_type": item.resource_type,
                    "attributes": [attribute.json() for attribute in item.attributes],
                }
                for item in real
            ],
        }


def with_modules(body: bytes, versions: Mapping[str, str]) -> bytes:
    """Return a plan's document in which each module call asks for the exact version that is installed.

    versions: by the path of the call, such as ``network.subnet``. A stream stays as it is.
    """
    if not versions:
        return body
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    try:
        root = document.setdefault("configuration", {}).setdefault("root_module", {})
        for path, version in versions.items():
            module, call = root, root
            for name in path.split("."):
                call = module.setdefault("module_calls", {}).setdefault(name, {})
                module = call.setdefault("module", {})
            call["version_constraint"] = version
    except AttributeError:
        return body
    return orjson.dumps(document)


def _status(report: Report, drifted: bool) -> str:
    if report.locked:
        return "locked"
    if report.errored or not report.complete:
        return "partial" if drifted else "failed"
    return "drifted" if drifted else "clean"
