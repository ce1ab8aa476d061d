"""What is read of the webhooks of Grafana and Alertmanager, and which signatures are believed."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.model.moment import parse_moment
from driftband.sources.alerts import AlertError, read_alerts, refuse_grafana
from driftband.sources.alerts.webhook import MOST_LABELS

SAMPLES = Path(__file__).parent / "samples/alerts"
NOW = datetime(2026, 11, 24, 10, 1, tzinfo=UTC)
SECRET = "webhook-secret-of-dana"
ALERT = {
    "status": "firing", "labels": {"alertname": "A"}, "annotations": {}, "startsAt": "2026-11-24T10:00:00Z",
    "endsAt": "0001-01-01T00:00:00Z", "fingerprint": "f",
}  # fmt: skip


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


def one(**changes: Any) -> bytes:
    return json.dumps({"alerts": [{**ALERT, **changes}]}).encode()


def test_grafanas_webhook() -> None:
    told = read_alerts(sample("grafana_firing"), "grafana")
    latency, no_data = told.alerts
    assert told.truncated == 3
    assert (latency.name, latency.status, latency.fingerprint) == ("Checkout latency", "firing", "97d5a3e8c1b20f46")
    assert latency.starts_at == parse_moment("2026-11-24T10:00:10.123Z")
    assert latency.ends_at is None
    assert latency.labels["service"] == "checkout"
    assert latency.link == "http://grafana.example:3000/d/shop?from=1&to=2&orgId=1&viewPanel=4"
    assert latency.generator == "http://grafana.example:3000/alerting/grafana/cf2l7h8x/view?orgId=1"
    assert latency.values == {"A": 2.4, "C": 1.0}
    assert (no_data.status, no_data.ends_at, no_data.values) == ("resolved", parse_moment("2026-11-24T08:30:00Z"), {})


def test_alertmanagers_webhook() -> None:
    (alert,) = read_alerts(sample("alertmanager"), "alertmanager").alerts
    assert (alert.source, alert.name, alert.ends_at) == ("alertmanager", "HighErrorRate", None)
    assert alert.link == "http://prometheus.example:9090/graph?g0.expr=up"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "expected JSON"),
        (b"\xff\xfe", "expected JSON"),
        (b"[" * 5000, "expected JSON"),
        (b"[]", "the body: expected a JSON object"),
        (b"{}", "alerts: expected the list of alerts"),
        (b'{"alerts": {}}', "alerts: expected the list of alerts"),
        (b'{"alerts": [7]}', "alerts[0]: expected a JSON object"),
        (one(status="hunter2"), "alerts[0].status: expected firing or resolved"),
        (one(labels=["hunter2"]), "alerts[0].labels: expected a JSON object"),
        (one(labels={"a": 7}), "alerts[0].labels: expected texts"),
        (one(startsAt="hunter2"), "alerts[0].startsAt: expected an RFC 3339 time"),
        (one(startsAt="0001-01-01T00:00:00Z"), "alerts[0].startsAt: expected an RFC 3339 time"),
        (one(startsAt=None), "alerts[0].startsAt: expected an RFC 3339 time"),
        (b'{"alerts": [], "truncatedAlerts": -1}', "truncatedAlerts: expected a whole number"),
    ],
)
def test_what_is_no_webhook_is_refused_without_being_repeated(body: bytes, said: str) -> None:
    with pytest.raises(AlertError) as caught:
        read_alerts(body, "grafana")
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", "http://dana:pw@x.example/", "x", 7, None, "http://x/\n", "http://x/" + "a" * 3000],
)
def test_only_addresses_that_a_page_may_link_to_are_links(address: Any) -> None:
    (alert,) = read_alerts(one(generatorURL=address, panelURL=None), "grafana").alerts
    assert alert.link == ""


def test_a_picture_comes_along() -> None:
    (alert,) = read_alerts(one(imageURL="https://pictures.example/a.png"), "grafana").alerts
    assert alert.image == "https://pictures.example/a.png"
    (alert,) = read_alerts(one(imageURL="javascript:alert(1)"), "grafana").alerts
    assert alert.image == ""


def test_hostile_labels_are_one_line_and_bounded() -> None:
    labels = {"x\n\x00": "a\r\nb\x1b[31m" + "c" * 9999, **{f"l{n}": "v" for n in range(500)}}
    (alert,) = read_alerts(one(labels=labels, fingerprint="\n"), "alertmanager").alerts
    assert len(alert.labels) == MOST_LABELS
    assert all(c.isprintable() for name, value in alert.labels.items() for c in name + value)
    assert max(map(len, alert.labels.values())) <= 512
    assert len(alert.fingerprint) == 16


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda s: st.lists(s) | st.dictionaries(st.text(), s)
    )
)
def test_any_json_is_read_or_refused(value: Any) -> None:
    for body in (value, {"alerts": value}, {"alerts": [{**ALERT, "labels": value, "values": value}]}):
        try:
            told = read_alerts(json.dumps(body).encode(), "grafana")
        except AlertError:
            continue
        assert all(isinstance(v, str) for alert in told.alerts for v in alert.labels.values())


def headers(body: bytes, at: datetime = NOW, secret: str = SECRET) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    signature = hmac.new(secret.encode(), f"{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Grafana-Alerting-Signature": signature, "X-Grafana-Alerting-Timestamp": timestamp}


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_a_signed_webhook_is_believed(seconds: int) -> None:
    at = datetime.fromtimestamp(NOW.timestamp() + seconds, UTC)
    assert refuse_grafana(b"body", headers(b"body", at), SECRET, NOW) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"X-Grafana-Alerting-Signature": ""}, "is missing"),
        ({"X-Grafana-Alerting-Signature": "é"}, "does not fit"),
        ({"X-Grafana-Alerting-Signature": "0" * 64}, "does not fit"),
        ({"X-Grafana-Alerting-Timestamp": ""}, "must be unix seconds"),
        ({"X-Grafana-Alerting-Timestamp": "9" * 400}, "must be unix seconds"),
        ({"X-Grafana-Alerting-Timestamp": "-1"}, "must be unix seconds"),
        ({"X-Grafana-Alerting-Timestamp": "٣"}, "must be unix seconds"),
        ({"X-Grafana-Alerting-Timestamp": str(int(NOW.timestamp()) + 1)}, "does not fit"),
        (headers(b"body", datetime.fromtimestamp(NOW.timestamp() - 301, UTC)), "more than 5 minutes"),
        (headers(b"body", datetime.fromtimestamp(NOW.timestamp() + 301, UTC)), "more than 5 minutes"),
        (headers(b"other"), "does not fit"),
        (headers(b"body", secret="another-secret"), "does not fit"),
    ],
)
def test_anything_else_is_not(changes: dict[str, str], said: str) -> None:
    reason = refuse_grafana(b"body", {**headers(b"body"), **changes}, SECRET, NOW)
    assert reason is not None
    assert said in reason


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_secret_nothing_is_believed(secret: str | None) -> None:
    assert refuse_grafana(b"", headers(b"", secret=""), secret, NOW) is not None
