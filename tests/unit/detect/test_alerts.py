"""What alerts mean, and what they do to findings: the same whatever the order, and however often they are told."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftband.detect.alerts import MOST_NOTES, Settling, finding_id, meaning, named, noted, severity_of
from driftband.model.alert import Alert
from driftband.model.finding import Finding

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NAMES = ("service", "env")


def alert(minute: float = 0, *, ends: float | None = None, **more: Any) -> Alert:
    labels = {"alertname": "Latency", "service": "checkout", **more.pop("labels", {})}
    given: dict[str, Any] = {"source": "grafana", "fingerprint": "f1", "labels": labels, **more}
    ended = None if ends is None else NOON + ends * MINUTE
    status: Any = "firing" if ends is None else "resolved"
    return Alert(status=status, starts_at=NOON + minute * MINUTE, ends_at=ended, **given)


def settled(*alerts: Alert, kind: str = "alert_firing", known: dict[str, Finding] | None = None) -> Settling:
    settling = Settling(NAMES, NOON + 60 * MINUTE, dict(known or {}))
    for one in alerts:
        settling.take(one, kind)
    return settling


def intervals(settling: Settling) -> list[tuple[float, float | None]]:
    return sorted(
        ((f.opened_at - NOON) / MINUTE, (f.closed_at - NOON) / MINUTE if f.closed_at else None)
        for f in settling.known.values()
    )


def test_an_alert_is_a_finding_from_its_start_to_its_end() -> None:
    told = settled(
        alert(
            annotations={"description": "long", "summary": "p99 is 2.4 s"},
            link="https://grafana.example/d/1",
            values={"A": 2.4},
        )
    )
    (finding,) = told.moved.values()
    assert (finding.kind, finding.layer, finding.class_, finding.state) == ("alert_firing", "runtime", "drift", "open")
    assert (finding.identity, finding.severity, finding.signal) == ({"service": "checkout"}, "warning", "Latency")
    assert (finding.opened_at, finding.reason) == (NOON, "Latency: p99 is 2.4 s")
    assert (finding.evidence["link"], finding.evidence["values"]) == ("https://grafana.example/d/1", {"A": 2.4})
    over = settled(alert(ends=5), known=told.known)
    (closed,) = over.moved.values()
    assert (closed.id, closed.state, closed.closed_at) == (finding.id, "closed", NOON + 5 * MINUTE)
    assert [s.reason for s in over.steps] == ["the alert is resolved"]


def test_a_repeat_changes_nothing() -> None:
    told = settled(alert())
    again = settled(alert(), known=told.known)
    assert (again.moved, again.steps) == ({}, [])
    over = settled(alert(ends=5), known=told.known)
    assert settled(alert(ends=5), alert(), known=over.known).steps == []


def test_the_end_of_what_nobody_told_of_is_on_record() -> None:
    told = settled(alert(ends=5))
    assert [(s.state, s.at) for s in told.steps] == [("open", NOON), ("closed", NOON + 5 * MINUTE)]


@pytest.mark.parametrize(("ends", "closed"), [(-5, 0.0), (90, 60.0), (5, 5.0)])
def test_an_end_lies_between_start_and_arrival(ends: float, closed: float) -> None:
    assert intervals(settled(alert(ends=ends))) == [(0.0, closed)]


def test_an_end_without_a_time_is_when_it_arrives() -> None:
    assert intervals(settled(replace(alert(ends=5), ends_at=None))) == [(0.0, 60.0)]


def test_what_starts_in_the_future_starts_when_it_arrives() -> None:
    assert intervals(settled(alert(90), alert(90, ends=95))) == [(60.0, 60.0)]


def test_firing_anew_ends_what_was_not_told_to_have_ended() -> None:
    told = settled(alert(), alert(10))
    assert intervals(told) == [(0.0, 10.0), (10.0, None)]
    assert told.known[finding_id(alert(10))].reopens == finding_id(alert())


TOLD = (alert(), alert(ends=5), alert(10), alert(20, ends=25))


@given(st.permutations([0, 1, 2, 3]), st.lists(st.sampled_from([0, 1, 2, 3]), max_size=5))
def test_neither_order_nor_repeats_change_when_it_began_or_leave_it_open(order: list[int], again: list[int]) -> None:
    told = settled(*(TOLD[i] for i in (*order, *again)))
    starts = [began for began, _ in intervals(told)]
    assert starts == [0.0, 10.0, 20.0]
    assert intervals(told)[1:] == [(10.0, 20.0), (20.0, 25.0)]
    assert all(f.state == "closed" for f in told.known.values())
    for finding in told.known:
        states = [s.state for s in told.steps if s.finding == finding]
        assert states == ["open", "closed"]


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ("critical", "critical"), ("PAGE", "critical"), (" P1 ", "critical"), ("error", "error"), ("high", "error"),
        ("warning", "warning"), ("info", "info"), ("none", "info"), ("", "warning"), ("<script>", "warning"),
    ],
)  # fmt: skip
def test_severity_comes_from_the_label(said: str, severity: str) -> None:
    assert severity_of(alert(labels={"severity": said})) == severity


def test_without_an_identity_the_subject_keeps_alerts_apart() -> None:
    bare = {"service": "", "alertname": "Disk"}
    (finding,) = settled(alert(labels=bare)).known.values()
    assert (finding.identity, finding.address) == ({}, "Disk")
    (on_host,) = settled(alert(labels={**bare, "instance": "10.0.0.7:9100"})).known.values()
    assert on_host.address == "10.0.0.7:9100"


SELF = "http://grafana/alerting/grafana/driftband-self-unreachable/view?orgId=1"
OURS = "http://grafana/alerting/grafana/driftband-request-rate/view?orgId=1"
THEIRS = "http://grafana/alerting/grafana/cf2l7h8x/view?orgId=1"


@pytest.mark.parametrize(
    ("labels", "generator", "expected"),
    [
        ({}, "", "trouble"),
        ({}, THEIRS, "trouble"),
        ({"signal": "not-ours"}, "", "trouble"),
        ({"signal": "latency"}, "", "own"),
        ({"finding": "f"}, "", "own"),
        ({"incident": "i"}, "", "own"),
        ({"driftband": "band"}, "", "own"),
        ({}, OURS, "own"),
        ({}, SELF, "about_driftband"),
        ({"driftband": "self"}, "", "about_driftband"),
        ({"alertname": "DatasourceNoData", "datasource_uid": "prom"}, "", "evidence_missing"),
        ({"alertname": "DatasourceError", "datasource_uid": "prom"}, "", "evidence_missing"),
        ({"alertname": "DatasourceError", "datasource_uid": "driftband"}, "", "about_driftband"),
    ],
)
def test_meanings(labels: dict[str, str], generator: str, expected: str) -> None:
    assert meaning(alert(labels=labels, generator=generator), frozenset({"latency"})) == expected


def test_missing_evidence_is_nobodys_trouble_and_says_so() -> None:
    labels = {"alertname": "DatasourceNoData", "datasource_uid": "prom", "rulename": "Backlog", "severity": "critical"}
    (finding,) = settled(alert(labels=labels), kind="evidence_missing").known.values()
    assert (finding.kind, finding.identity, finding.severity, finding.address) == (
        "evidence_missing",
        {},
        "info",
        "prom",
    )
    assert finding.reason == "the rule Backlog has no data: whether all is well is not known"


def test_the_finding_that_an_own_alert_means_agrees_with_its_labels() -> None:
    (base,) = settled(alert()).known.values()
    mine = replace(base, id="mine")
    other = replace(base, id="other", identity={"service": "orders"})
    assert named(alert(), [other, mine]) == mine
    assert named(alert(), [other]) is None
    assert named(alert(labels={"service": ""}), [other]) is None


def test_notes_are_bounded() -> None:
    evidence: dict[str, Any] = {"link": "x"}
    for minute in range(MOST_NOTES + 5):
        evidence = noted(evidence, alert(minute, link="https://grafana.example"))
    assert evidence["link"] == "x"
    assert len(evidence["alerts"]) == MOST_NOTES
    assert evidence["alerts"][-1]["at"] == "2026-11-24T12:24:00Z"


def test_ids_differ_by_fingerprint_and_start() -> None:
    made = [finding_id(a) for a in (alert(), alert(1), alert(fingerprint="f2"), replace(alert(1), fingerprint="f2"))]
    assert all(a != b for a, b in itertools.combinations(made, 2))
