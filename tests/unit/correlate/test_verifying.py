"""Whether all stayed calm after a change, and when that is not known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from driftband.correlate.context import Context
from driftband.correlate.verifying import RUNS_AT_MOST, Seen, verify
from driftband.model.change import Change, Touched
from driftband.model.finding import Finding
from driftband.model.incident import Incident, Suspect
from driftband.model.verification import Verification, WatchedSeries

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CHECKOUT = {"service": "checkout", "env": "prod"}
LASTS = 15 * MINUTE
OVER = NOON + 2 * MINUTE + LASTS


def change(**more: Any) -> Change:
    given = {"id": "run-1", "kind": "deploy", "started_at": NOON, "ended_at": NOON + 2 * MINUTE, "identity": CHECKOUT}
    return Change(**{**given, **more})


def series(
    signal: str = "latency", identity: Any = CHECKOUT, first: datetime = NOON - 60 * MINUTE, **more: Any
) -> WatchedSeries:
    return WatchedSeries(signal=signal, identity=identity, first=first, **more)


def finding(name: str = "f1", at: datetime = NOON + 5 * MINUTE, identity: Any = CHECKOUT, **more: Any) -> Finding:
    return Finding(
        id=name, layer="behavioral", kind="band_breach", class_="drift", severity="error", signal="latency", reason="it moved",
        opened_at=at, last_seen_at=at, identity=identity, **more,
    )  # fmt: skip


def incident(*findings: str, suspects: dict[str, float]) -> Incident:
    ranked = tuple(
        Suspect(change=name, score=score, reasons=("it began just before",)) for name, score in suspects.items()
    )
    verdict: Any = "explained" if ranked and ranked[0].score >= 0.5 else "unexplained"
    return Incident(
        id="i1", title="t", severity="error", verdict=verdict, opened_at=NOON, findings=findings, suspects=ranked
    )


def asked(now: datetime = OVER, of: Change | None = None, until: datetime | None = None, **more: Any) -> Verification:
    given: dict[str, Any] = {
        "series": [series()],
        "findings": [],
        "incidents": {},
        "decided": True,
        "trouble": {},
        **more,
    }
    given.setdefault("evaluated", {one.signal: until or now for one in given["series"]})
    given.setdefault("judged", {one.signal: 1 for one in given["series"]})
    return verify(of or change(), LASTS, Seen(**given), Context(), now)


def test_calm_when_all_is_evaluated_to_the_end() -> None:
    told = asked()
    assert (told.status, told.signals, told.until) == ("calm", {"latency": 1}, OVER)
    assert told.reason == "1 series of 1 signal stayed calm"


def test_it_waits_for_the_slowest_signal_and_for_what_is_not_weighed_yet() -> None:
    two = [series(), series("errors")]
    late = {"latency": OVER, "errors": OVER - MINUTE}
    assert asked(series=two, evaluated=late).status == "watching"
    assert asked(series=two, evaluated=late).evaluated_until == OVER - MINUTE
    assert asked(decided=False).status == "watching"
    assert asked(until=NOON, trouble={"": "the source is down"}).reason == "the source is down"
    assert asked(until=NOON, trouble={"other": "bad query"}).reason == "its time is not over"


def test_a_change_that_runs_is_waited_for_and_not_for_ever() -> None:
    running = change(status="running", ended_at=None)
    assert asked(of=running).status == "running"
    assert asked(of=running).until is None
    told = asked(NOON + RUNS_AT_MOST + MINUTE, of=running)
    assert (told.status, told.reason) == ("unknown", "the change was never told to have ended")


@pytest.mark.parametrize("runs", [False, True])
def test_drift_is_told_at_once_with_its_reasons(runs: bool) -> None:
    of = change(status="running", ended_at=None) if runs else change()
    found, other = finding(), finding("f2")
    held = {"f1": incident("f1", suspects={"run-1": 0.8})}
    told = asked(NOON + 6 * MINUTE, of=of, findings=[found, other], incidents=held)
    assert (told.status, [one.finding.id for one in told.findings], told.others) == ("drift", ["f1"], 1)
    assert told.json()["findings"][0] | {"opened_at": None, "identity": None} == {
        "id": "f1", "layer": "behavioral", "kind": "band_breach", "signal": "latency", "address": None, "severity": "error",
        "state": "open", "opened_at": None, "closed_at": None, "identity": None, "reason": "it moved", "incident": "i1",
        "score": 0.8, "reasons": ["it began just before"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("found", "suspects", "counts"),
    [
        (finding(), {"run-1": 0.2}, True),
        (finding(), {"run-2": 0.9, "run-1": 0.06}, True),
        (finding(), {"run-2": 0.9}, False),
        (finding(identity={"service": "cart"}), {"run-1": 0.7}, True),
        (finding(identity={"service": "cart"}), {"run-1": 0.4}, False),
        (finding(at=NOON - MINUTE), {"run-1": 0.9}, False),
        (finding(at=OVER), {"run-1": 0.9}, True),
        (finding(at=OVER + MINUTE), {"run-1": 0.9}, False),
    ],
)
def test_what_counts(found: Finding, suspects: dict[str, float], counts: bool) -> None:
    told = asked(findings=[found], incidents={"f1": incident("f1", suspects=suspects)})
    assert told.status == ("drift" if counts else "calm")


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ([], "no watched signal has a series of checkout"),
        ([series(identity={"service": "cart", "env": "prod"})], "no watched signal"),
        ([series(identity={"service": "checkout", "env": "test"})], "no watched signal"),
        ([series(identity={"env": "prod"})], "no watched signal"),
        ([series(first=NOON + MINUTE)], "no series of checkout was there when the change began"),
        ([series(gone=NOON - MINUTE)], "no series of checkout was there"),
    ],
)
def test_without_evidence_nothing_is_calm(listed: list[WatchedSeries], said: str) -> None:
    told = asked(series=listed)
    assert told.status == "unknown"
    assert told.reason.startswith(said)


def test_what_has_no_band_is_not_calm() -> None:
    assert (
        asked(judged={"latency": 0}).reason
        == "no signal of checkout has a band: too little history to know what to expect"
    )
    two = asked(series=[series(), series("errors")], judged={"latency": 0, "errors": 3})
    assert (two.status, two.reason) == ("calm", "1 series of 1 signal stayed calm")


def test_what_belongs_is_told_by_resources_names_and_places() -> None:
    touched = Touched(address="aws_db.main")
    by_resource = Context(identities={("prod/db", "aws_db.main"): {"service": "checkout"}})
    of = change(identity={}, workspace="prod/db", resources=(touched,))
    seen = Seen(
        series=[series()],
        evaluated={"latency": OVER},
        judged={"latency": 1},
        findings=[],
        incidents={},
        decided=True,
        trouble={},
    )
    assert verify(of, LASTS, seen, by_resource, OVER).status == "calm"
    assert verify(of, LASTS, seen, Context(), OVER).status == "unknown"
    assert asked(of=change(identity={}, workspace="prod/checkout")).status == "calm"
    assert asked(of=change(identity={"env": "prod"})).status == "calm"
    assert asked(of=change(identity={"env": "test"})).status == "unknown"
