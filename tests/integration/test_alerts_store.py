"""From the queue to the ledger, on SQLite and on PostgreSQL: once each, whatever dies in between."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from driftband.app_alerts import Inbox, work_off
from driftband.model.finding import Finding
from driftband.sources.alerts import read_alerts
from driftband.store import alerts, findings
from driftband.store.alerts import ATTEMPTS, AlertTaker, enqueue, forget, oldest
from driftband.store.database import Database

from .alert_bodies import told, webhook
from .incident_story import MINUTE, NOON, Story, key


class Desk:
    """An inbox and what works it off."""

    def __init__(self, database: Database) -> None:
        self.database, self.now = database, NOON
        self.taker = AlertTaker(
            database=database, read=read_alerts, names=("service", "env"), signals=frozenset({"latency"})
        )
        self.inbox = Inbox(database=database, secret=None, clock=lambda: self.now)

    def send(self, *many: dict[str, Any]) -> int:
        return self.inbox.take("alertmanager", webhook(*many), {})

    def take(self, *many: dict[str, Any]) -> list[Finding]:
        self.send(*many)
        work_off(self.taker, self.now)
        return self.every()

    def every(self) -> list[Finding]:
        with self.database.read() as connection:
            found = findings.page(connection, equal={}, since=None, until=None, after=None, limit=20_000)
        return sorted(found, key=lambda f: (f.opened_at, f.signal))

    def steps(self, finding: str) -> list[str]:
        with self.database.read() as connection:
            return [s.state for s in findings.story(connection, [finding]).get(finding, [])]


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_alerts_open_and_close_findings_once_however_often_they_are_told(desk: Desk) -> None:
    firing = told("Latency", NOON, service="checkout", severity="critical")
    (finding,) = desk.take(firing)
    assert (finding.state, finding.severity, finding.identity) == ("open", "critical", {"service": "checkout"})
    assert finding.evidence["link"] == firing["generatorURL"]
    other = told("Errors", NOON, service="checkout")
    desk.now += MINUTE
    assert len(desk.take(firing, other)) == 2
    desk.now += MINUTE
    over = told("Latency", NOON, NOON + MINUTE, service="checkout", severity="critical")
    closed = next(f for f in desk.take(over, firing, other) if f.id == finding.id)
    assert (closed.state, closed.closed_at) == ("closed", NOON + MINUTE)
    desk.now += MINUTE
    desk.take(firing)
    desk.take(over)
    assert desk.steps(finding.id) == ["open", "closed"]


def test_an_exact_repeat_is_known_until_it_is_forgotten(desk: Desk) -> None:
    firing = told("Latency", NOON)
    assert (desk.send(firing), desk.send(firing)) == (1, 0)
    desk.take()
    assert desk.send(firing) == 0
    forget(desk.database, NOON + MINUTE, NOON + MINUTE, NOON)
    assert desk.send(firing) == 1
    assert len(desk.take()) == 1
    assert desk.steps(desk.every()[0].id) == ["open"]


def test_what_was_answered_survives_a_kill_before_and_within_the_work(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class KilledError(BaseException):
        pass

    def killed(*_: Any) -> None:
        raise KilledError

    for number in range(3):
        desk.send(told(f"A{number}", NOON), told(f"B{number}", NOON))
    again = Desk(Database(desk.database.engine.url.render_as_string(hide_password=False)))
    for module, name in ((alerts.findings, "save"), (alerts, "upsert"), (alerts._Taking, "_touch")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, killed)
            with pytest.raises(KilledError):
                work_off(again.taker, again.now)
        assert again.every() == []
    work_off(again.taker, again.now)
    assert len(again.every()) == 6
    assert all(again.steps(f.id) == ["open"] for f in again.every())
    again.database.close()


def test_several_instances_take_each_webhook_once(desk: Desk) -> None:
    for number in range(20):
        desk.send(*(told(f"A{number}-{n}", NOON) for n in range(5)), told("Common", NOON))
    desks = [Desk(desk.database) for _ in range(4)]
    workers = [threading.Thread(target=work_off, args=(d.taker, NOON)) for d in desks]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(desk.every()) == 101
    assert all(desk.steps(f.id) == ["open"] for f in desk.every())


def test_a_webhook_that_cannot_be_taken_is_set_aside_and_holds_nobody_up(desk: Desk) -> None:
    enqueue(desk.database, "grafana", "", b"poison", NOON)
    desk.send(told("Latency", NOON))
    for _ in range(ATTEMPTS - 1):
        work_off(desk.taker, NOON)
        assert desk.every() == []
    work_off(desk.taker, NOON)
    assert [f.signal for f in desk.every()] == ["Latency"]
    assert oldest(desk.database) is None


@pytest.mark.slow
def test_thousands_of_alerts_in_one_webhook(desk: Desk) -> None:
    many = [told("Pod down", NOON, pod=f"pod-{n}", service=f"s{n % 50}") for n in range(5000)]
    assert len(desk.take(*many)) == 5000
    desk.now += MINUTE
    over = [told("Pod down", NOON, NOON + MINUTE, pod=f"pod-{n}", service=f"s{n % 50}") for n in range(5000)]
    assert {f.state for f in desk.take(*over)} == {"closed"}


def notes(desk: Desk, *many: dict[str, Any]) -> Sequence[dict[str, Any]]:
    """Send alerts about the finding ``latency``, which is all there is, and return what is noted at it."""
    (noted,) = desk.take(*many)
    assert noted.state == "open"
    assert desk.steps(noted.id) == ["open"]
    return list(noted.evidence.get("alerts", []))


@pytest.mark.parametrize(
    "labels",
    [
        {"finding": key("latency"), "layer": "behavioral"},
        {"signal": "latency", "service": "latency"},
        {"signal": "latency", "driftband": "band"},
        {"incident": "i-latency"},
    ],
    ids=["finding", "signal", "our rule", "incident"],
)
def test_an_alert_of_our_own_series_is_noted_and_not_counted_twice(desk: Desk, labels: dict[str, str]) -> None:
    story = Story(desk.database)
    story.open("latency")
    story.look()
    over = told("Drift", NOON, NOON + MINUTE, **labels)
    noted = notes(desk, over, told("Drift", NOON, **labels), over)
    assert [(n["name"], n["status"], n["at"]) for n in noted] == [
        ("Drift", "firing", "2026-11-24T12:00:00Z"), ("Drift", "resolved", "2026-11-24T12:01:00Z"),
    ]  # fmt: skip
    desk.now += MINUTE
    assert len(notes(desk, told("Drift", NOON, **labels), over)) == 2


def test_a_label_that_somebody_else_uses_too_is_no_proof(desk: Desk) -> None:
    (finding,) = desk.take(told("Scanner", NOON, finding="CVE-2026-1", incident="INC0042"))
    assert finding.kind == "alert_firing"


def test_a_rule_of_ours_whose_finding_nobody_keeps_is_counted_once(desk: Desk) -> None:
    (finding,) = desk.take(told("Request rate outside its band", NOON, driftband="band", service="checkout"))
    assert (finding.kind, finding.identity) == ("alert_firing", {"service": "checkout"})


def test_a_watched_signal_waits_for_its_watcher(desk: Desk) -> None:
    assert desk.take(told("Score", NOON, signal="latency")) == []


def test_alerts_about_driftband_and_missing_evidence_are_nobodys_trouble(desk: Desk) -> None:
    found = desk.take(
        told("driftband is gone", NOON, driftband="self"),
        told("DatasourceError", NOON, datasource_uid="driftband", service="checkout"),
        told("DatasourceNoData", NOON, datasource_uid="prom", rulename="Backlog", service="checkout"),
    )
    assert [(f.kind, f.identity, f.severity) for f in found] == [("evidence_missing", {}, "info")]
    story = Story(desk.database)
    story.look()
    assert story.asked == []
