"""A store with an incident as pages show it: a change, what moved after it, and names that would be markup if they could."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from driftband import app
from driftband.app_evidence import Evidence, open_evidence
from driftband.app_incidents import Incidents, incidents_of
from driftband.config import Config, load
from driftband.model.attribute import AttributeDiff
from driftband.model.change import Change, Touched
from driftband.model.finding import Finding, Transition
from driftband.model.moment import to_ms
from driftband.store import changes, findings

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
READ, WRITE = "read-token-0123456789abcdef", "write-token-0123456789abcdef"
HOSTILE = '"><script>alert(1)</script>'
SECRET = "hunter2-hunter2"


def change(**more: object) -> Change:
    resources = (
        Touched(
            address="module.db.aws_db_parameter_group.main",
            type="aws_db_parameter_group",
            module="db",
            module_version="2.4.0",
            actions=("update",),
            attributes=(
                AttributeDiff(path="max_connections", before=500, after=50),
                AttributeDiff(path="password", sensitive=True),
            ),
        ),
    )
    facts: dict[str, object] = {
        "id": "run-4711", "kind": "terraform_apply", "started_at": NOW - 12 * MINUTE, "ended_at": NOW - 10 * MINUTE,
        "workspace": "prod/checkout", "commit": "9f3c2a1", "actor": "dana", "url": "https://ci.example/4711",
        "summary": "smaller pool", "identity": {"service": "checkout"}, "resources": resources,
    }  # fmt: skip
    return Change(**{**facts, **more})  # type: ignore[arg-type]


def breach(name: str = "checkout_latency", **more: object) -> Finding:
    times = [to_ms(NOW - minutes * MINUTE) for minutes in range(8, 0, -1)]
    facts: dict[str, object] = {
        "id": "5be1f0c2a94d37e8b610", "layer": "behavioral", "kind": "band_breach", "class_": "drift", "signal": name,
        "identity": {"service": "checkout", "team": "payments"}, "severity": "error", "score": 3.0,
        "opened_at": NOW - 6 * MINUTE, "last_seen_at": NOW, "reason": "above its band: 1.4 s, where 0.3 s was expected",
        "evidence": {
            "link": "https://grafana.example/explore", "unit": "s", "times": times, "values": [1.2 + 0.1 * n for n in range(8)],
            "expected": [0.3] * 8, "lower": [0.1] * 8, "upper": [0.5] * 7 + [None],
        },
    }  # fmt: skip
    return Finding(**{**facts, **more})  # type: ignore[arg-type]


def drifted(**more: object) -> Finding:
    facts: dict[str, object] = {
        "id": "0a4bdb7c11e54f0cab01", "layer": "configuration", "kind": "attribute_changed", "class_": "drift",
        "workspace": "prod/checkout", "address": "aws_security_group.shop", "resource_type": "aws_security_group",
        "severity": "critical", "opened_at": NOW - timedelta(hours=5), "last_seen_at": NOW, "reason": "changed outside Terraform",
        "attributes": (AttributeDiff(path="cidr_blocks", before=["10.0.0.0/8"], after=["0.0.0.0/0"]),),
    }  # fmt: skip
    return Finding(**{**facts, **more})  # type: ignore[arg-type]


@dataclass(frozen=True)
class World:
    """An application over a store that tells one story."""

    config: Config
    evidence: Evidence
    room: Incidents
    app: Flask

    def tell(self, *things: Finding | Change) -> None:
        with self.evidence.database.write() as connection:
            for one in things:
                if isinstance(one, Change):
                    changes.put(connection, one, one.ended_at or one.started_at)
                else:
                    opened = Transition(
                        finding=one.id, at=one.opened_at, state="open", class_=one.class_, reason=one.reason
                    )
                    findings.save(connection, [one], [opened])
        self.room.look(NOW)

    def incident(self) -> str:
        """Return the path of the youngest incident's page."""
        return re.findall(
            r'href="(/incidents/[^"?]+)"', self.app.test_client().get("/incidents", headers=bearer()).text
        )[0]

    def client(self, *, read: bool = True, write: bool = False) -> FlaskClient:
        """Return a browser that has signed in."""
        client = self.app.test_client()
        if read:
            given = {"token": READ, **({"write_token": WRITE} if write else {})}
            assert client.post("/sign-in", data=given).status_code == 303
        return client


def bearer(token: str = READ) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def proof_in(page: TestResponse) -> str:
    found = re.search(r'name="proof" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


@contextmanager
def world(folder: Path, **environ: str) -> Iterator[World]:
    """Open a world; without tokens where ``environ`` says so by ``open="yes"``."""
    guarded = environ.pop("open", "") != "yes"
    tokens = {"DRIFTBAND_ACCESS__READ_TOKENS": f'["{READ}"]', "DRIFTBAND_ACCESS__WRITE_TOKENS": f'["{WRITE}"]'}
    settings = {
        "DRIFTBAND_PROMETHEUS__URL": "sample:",
        "DRIFTBAND_STORE": f"sqlite:///{folder}/pages.db",
        **(tokens if guarded else {}),
        **environ,
    }
    config = load(None, settings)
    evidence = open_evidence(config)
    evidence = Evidence(**{**vars(evidence), "clock": lambda: NOW})
    room = incidents_of(config, evidence.database, lambda: NOW)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(app, "wall_clock", lambda: to_ms(NOW))
        try:
            yield World(config, evidence, room, app.create_app(config, evidence, room))
        finally:
            evidence.database.close()
