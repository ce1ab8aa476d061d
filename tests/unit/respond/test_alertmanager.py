"""What an Alertmanager is told; a real one is asked in tests/integration."""

from datetime import timedelta
from typing import Any

import pytest

from driftband.model.moment import show_moment
from driftband.respond.alertmanager import FIRES_FOR, RESOLVED_FOR, Alertmanager, alert
from driftband.respond.outcome import Delivered, Failed
from driftband.respond.post import Address
from driftband.respond.resending import Reminding
from driftband.respond.sender import Setup

from .memory_outbox import START, Clock, MemoryOutbox, incident, owed
from .stand_ins import Reply, StandIn

PAGE = "https://driftband.example"
ANNOUNCED = {
    "title": "checkout is slow", "severity": "error", "verdict": "unexplained", "suspect": "", "suspect_commit": "", "url": "x",
    "service": "checkout", "env": "prod",
}  # fmt: skip


def about(**more: Any) -> dict[str, Any]:
    return incident(announced=ANNOUNCED, **more)


def test_labels_are_those_of_the_announcement_and_the_rest_moves() -> None:
    first = alert(owed(incident=about()), START, PAGE)
    moved = about(
        severity="critical", title="all is slow", identity={"service": "all"}, owner="others", verdict="explained"
    )
    later = alert(owed(2, "updated", incident=moved), START, PAGE)
    assert first["labels"] == later["labels"] == {
        "alertname": "DriftbandIncident", "incident": "incident-1", "severity": "error", "verdict": "unexplained",
        "service": "checkout", "env": "prod",
    }  # fmt: skip
    assert later["annotations"]["severity"] == "critical"
    assert later["annotations"]["summary"] == "all is slow"
    assert later["annotations"]["description"] == "suspected: run-4711 (87%): it began 2 minutes before"
    assert later["generatorURL"] == f"{PAGE}/incidents/incident-1"
    assert alert(owed(incident=incident()), START, PAGE)["labels"] == {
        "alertname": "DriftbandIncident",
        "incident": "incident-1",
    }


def test_it_fires_a_while_and_ends_when_it_was_resolved() -> None:
    now = START + timedelta(hours=1)
    firing = alert(owed(incident=about()), now, PAGE)
    assert (firing["startsAt"], firing["endsAt"]) == ("2026-11-24T10:00:00Z", show_moment(now + FIRES_FOR))
    over = about(state="resolved", resolved_at="2026-11-24T10:30:00Z")
    assert alert(owed(2, "resolved", incident=over), now, PAGE)["endsAt"] == "2026-11-24T10:30:00Z"
    at_once = about(state="resolved", resolved_at="2026-11-24T10:00:00Z")
    ended = alert(owed(2, "resolved", incident=at_once), now, PAGE)
    assert ended["startsAt"] < ended["endsAt"]


def test_what_stands_is_told_again_and_what_is_over_for_a_quarter_of_an_hour() -> None:
    clock, outbox = Clock(START + timedelta(minutes=1)), MemoryOutbox()
    over = about(id="incident-2", state="resolved", resolved_at=show_moment(clock.now))
    made = [
        owed(incident=about()),
        owed(number=2, incident=about(id="incident-2")),
        owed(2, "resolved", 2, incident=over),
    ]
    outbox.owe(made)
    for one in made:
        outbox.sent(one.id, clock.now)
    with StandIn() as server:
        way = Alertmanager(Setup(name="oncall", address=Address(url=server.url), external_url=PAGE))
        reminding = Reminding(outbox, {"oncall": way}, clock)
        told = {}
        for minute in range(30):
            clock.now = START + timedelta(minutes=1 + minute)
            reminding.run()
            told[minute] = {one["labels"]["incident"] for one in server.asked[-1].json}
        assert {asked.path for asked in server.asked} == {"/api/v2/alerts"}
    assert all(told[minute] == {"incident-1", "incident-2"} for minute in range(16))
    assert told[29] == {"incident-1"}
    assert timedelta(minutes=15) <= RESOLVED_FOR


@pytest.mark.parametrize(
    ("status", "permanent"), [(400, True), (404, True), (429, False), (500, False), (503, False), (204, False)]
)
def test_refusals_are_told_apart(status: int, permanent: bool) -> None:
    with StandIn() as server:
        server.replies = [Reply(status=status, body=b'"bad labels"')]
        way = Alertmanager(Setup(name="am", address=Address(url=server.url)))
        outcome = way.deliver(owed(incident=about()), START)
        assert isinstance(outcome, Failed)
        assert outcome.permanent is permanent
        assert way.deliver(owed(incident=about()), START) == Delivered()


def test_many_are_told_in_pieces() -> None:
    with StandIn() as server:
        way = Alertmanager(Setup(name="am", address=Address(url=server.url)))
        assert way.remind([owed(number=n, incident=about(id=f"i{n}")) for n in range(1201)], START) == Delivered()
        assert [len(asked.json) for asked in server.asked] == [500, 500, 201]
        assert way.remind([], START) == Delivered()
