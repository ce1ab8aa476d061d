"""What an incident says of itself, and where it lets a person look."""

from datetime import UTC, datetime, timedelta
from typing import Any

from driftband.app_incident_context import dashboards_of
from driftband.correlate.context import Context
from driftband.correlate.lifecycle import advance
from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.incident import Incident
from driftband.respond.labels import incident_labels

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
GRAFANA = "https://grafana.example"


def finding(**more: Any) -> Finding:
    given = {
        "layer": "behavioral",
        "kind": "band_breach",
        "signal": "latency",
        "identity": {"service": "checkout"},
        **more,
    }
    return Finding(
        id="f1", class_="drift", severity="error", opened_at=NOON, last_seen_at=NOON, reason="it moved", **given
    )  # fmt: skip


def incident(found: Finding, *changes: Change) -> Incident:
    context = Context(links=lambda one: dashboards_of(GRAFANA, one))
    return advance([], [found], changes, context, NOON + timedelta(minutes=1)).incidents[0]


def links(one: Incident) -> dict[str, str]:
    return {link["text"]: link["href"] for link in one.context["links"]}


def test_matchers_know_what_began_it() -> None:
    moved = incident_labels(incident(finding()).json())
    assert {name: moved.get(name) for name in ("kind", "layer", "signal", "workspace", "service")} == {
        "kind": "band_breach",
        "layer": "behavioral",
        "signal": "latency",
        "workspace": None,
        "service": "checkout",
    }
    drifted = finding(
        layer="configuration",
        kind="attribute_changed",
        signal="",
        workspace="prod/db",
        address="a.b",
        resource_type="a",
    )
    labels = incident_labels(incident(drifted).json())
    assert (labels["layer"], labels["workspace"], labels["resource_type"]) == ("configuration", "prod/db", "a")
    assert "signal" not in labels


def test_links_lead_to_the_series_its_dashboard_and_the_suspects_run() -> None:
    change = Change(
        id="run-4711",
        kind="deploy",
        started_at=NOON - timedelta(minutes=2),
        ended_at=NOON - timedelta(minutes=1),
        identity={"service": "checkout"},
        url="https://ci.example/4711",
    )
    found = links(incident(finding(evidence={"link": f"{GRAFANA}/explore?x"}), change))
    assert found["the signal in Explore"] == f"{GRAFANA}/explore?x"
    assert found["suspected: run-4711"] == "https://ci.example/4711"
    at = int(NOON.timestamp() * 1000)
    shown = f"from={at - 3 * 3_600_000}&to={at + 3 * 3_600_000}"
    assert found["the signal's dashboard"] == (
        f"{GRAFANA}/d/driftband-signal?{shown}&var-signal=latency&var-service=checkout"
    )
    drifted = links(incident(finding(layer="configuration", kind="attribute_changed", signal="", workspace="a/b&c")))
    assert drifted == {
        "drift of the workspace": f"{GRAFANA}/d/driftband-drift?{shown}&var-workspace=a%2Fb%26c&var-service=checkout"
    }


def test_an_alert_brings_its_own_link_and_picture() -> None:
    evidence = {"link": f"{GRAFANA}/d/x?viewPanel=1", "image": "https://pictures.example/a.png"}
    one = incident(finding(layer="runtime", kind="alert_firing", evidence=evidence))
    assert links(one) == {"the alert": evidence["link"]}
    assert one.context["images"] == [{"src": evidence["image"], "alt": "it moved", "href": evidence["link"]}]


def test_without_a_grafana_there_is_nothing_to_link_to() -> None:
    one = advance([], [finding()], [], Context(), NOON + timedelta(minutes=1)).incidents[0]
    assert (one.context["links"], one.context["images"]) == ([], [])
