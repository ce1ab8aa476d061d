"""From events to findings."""

from dataclasses import replace
from datetime import timedelta

import pytest

from driftband.detect.event import Event
from driftband.detect.recording import OPENED_AS, Recorder, finding_id, subject
from driftband.model.moment import from_ms
from driftband.model.signal import WatchedSignal

T = 1_700_000_000_000
MINUTE = 60_000
RULE = WatchedSignal(name="latency", expr="latency", unit="s", layer="runtime")
LABELS = (("job", "api"), ("service", "cart"))
OPENED = Event(
    kind="band_breach",
    labels=LABELS,
    at=T,
    what="opened",
    score=1.5,
    severity="warning",
    reason="above",
    since=T - 5 * MINUTE,
    opened=T,
    story=T,
    evidence={"values": [1.0, None]},
)
RECORDER = Recorder(
    names=("service", "team"),
    interval=MINUTE,
    link=lambda rule, labels, start, end: f"{rule.name} {dict(labels)['service']} {start} {end}",
)


def test_an_opening_is_a_finding_with_all_that_makes_it_believed() -> None:
    recorded = RECORDER.record(RULE, OPENED, None)
    assert recorded is not None
    finding, told = recorded
    assert finding.id == finding_id("latency", "band_breach", LABELS, T)
    assert (finding.layer, finding.kind, finding.class_, finding.signal) == (
        "runtime",
        "band_breach",
        "drift",
        "latency",
    )
    assert finding.identity == {"service": "cart"}
    assert (finding.opened_at, finding.window_from) == (from_ms(T), from_ms(T - 6 * MINUTE))
    assert finding.evidence == {
        "query": "latency",
        "link": f"latency cart {T - 65 * MINUTE} {T + 60 * MINUTE}",
        "labels": dict(LABELS),
        "unit": "s",
        "since": "2023-11-14T22:08:20Z",
        "values": [1.0, None],
        OPENED_AS: "warning",
    }
    assert (told.finding, told.at, told.state, told.reason) == (finding.id, from_ms(T), "open", "above")
    assert subject(finding) == ("band_breach", LABELS)
    assert finding.reopens is None


def test_steps_move_what_may_move() -> None:
    recorded = RECORDER.record(RULE, OPENED, None)
    assert recorded is not None
    worse = replace(OPENED, what="worsened", at=T + MINUTE, score=8.0, severity="critical", reason="further above")
    moved = RECORDER.record(RULE, worse, recorded[0])
    assert moved is not None
    assert (moved[0].severity, moved[0].score, moved[0].reason) == ("critical", 8.0, "further above")
    assert (moved[0].id, moved[0].opened_at, moved[0].identity) == (
        recorded[0].id,
        recorded[0].opened_at,
        recorded[0].identity,
    )
    assert moved[0].evidence[OPENED_AS] == "warning"
    calm = replace(OPENED, what="closed", at=T + 10 * MINUTE, score=0.1, severity="info", reason="inside again")
    over = RECORDER.record(RULE, calm, moved[0])
    assert over is not None
    assert (over[0].state, over[0].closed_at) == ("closed", from_ms(T) + timedelta(minutes=10))
    assert (over[0].severity, over[0].score) == ("critical", 8.0)
    assert RECORDER.record(RULE, calm, over[0]) is None


@pytest.mark.parametrize("what", ["worsened", "eased", "closed"])
def test_nothing_is_told_of_a_finding_that_is_gone(what: str) -> None:
    assert RECORDER.record(RULE, replace(OPENED, what=what), None) is None


def test_what_comes_back_names_the_finding_before() -> None:
    again = replace(OPENED, at=T + 60 * MINUTE, opened=T + 60 * MINUTE, since=T + 55 * MINUTE, reopens=T)
    recorded = RECORDER.record(RULE, again, None)
    assert recorded is not None
    assert recorded[0].reopens == finding_id("latency", "band_breach", LABELS, T)
