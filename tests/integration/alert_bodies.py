"""Bodies of webhooks as Grafana and Alertmanager send them, and Grafana's signature."""

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from driftband.model.moment import show_moment

ZERO = "0001-01-01T00:00:00Z"


def told(
    name: str, starts: datetime, ends: datetime | None = None, annotations: dict[str, str] | None = None, **labels: str
) -> dict[str, Any]:
    """Return one alert of a webhook."""
    every = {"alertname": name, **labels}
    return {
        "status": "firing" if ends is None else "resolved",
        "labels": every,
        "annotations": annotations or {"summary": f"{name} is bad"},
        "startsAt": show_moment(starts),
        "endsAt": ZERO if ends is None else show_moment(ends),
        "generatorURL": "http://grafana.example/alerting/grafana/cf2l7h8x/view?orgId=1",
        "fingerprint": hashlib.blake2b(repr(sorted(every.items())).encode(), digest_size=8).hexdigest(),
    }


def webhook(*alerts: dict[str, Any], version: str = "4") -> bytes:
    """Return a body."""
    status = "firing" if any(a["status"] == "firing" for a in alerts) else "resolved"
    whole = {"receiver": "driftband", "status": status, "version": version, "groupKey": "{}", "truncatedAlerts": 0}
    return json.dumps({**whole, "alerts": alerts}).encode()


def signed(body: bytes, at: datetime, secret: str) -> dict[str, str]:
    """Return the headers with which Grafana signs a body."""
    timestamp = str(int(at.timestamp()))
    signature = hmac.new(secret.encode(), f"{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Grafana-Alerting-Signature": signature, "X-Grafana-Alerting-Timestamp": timestamp}
