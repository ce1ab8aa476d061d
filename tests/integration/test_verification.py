"""The gate of CI on what the watcher and correlation have written, on SQLite and on PostgreSQL."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from driftband.app_incidents import Incidents
from driftband.app_verify import Gate
from driftband.correlate import lifecycle
from driftband.correlate.context import Context
from driftband.model.change import Change
from driftband.model.moment import from_ms
from driftband.model.refusal import UnknownError
from driftband.store import changes
from driftband.store.database import Database

from .watched_world import AT, BEGIN, END, HOUR, MINUTE, World, until, watch

LASTS = timedelta(minutes=15)


class Told:
    """A watcher, incidents and a gate over one store; the clock is the watcher's."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.watch = watch(database, World())
        self.now = from_ms(AT)
        self.room = Incidents(
            database=database,
            clock=lambda: self.now,
            advance=lifecycle.advance,
            context=Context(),
            url="https://x/incidents/",
        )
        self.gate = Gate(incidents=self.room)

    def go_on(self, at: int) -> None:
        until(self.watch, at)
        self.now = from_ms(at)
        self.room.look(self.now)

    def change(self, service: str, at: int, ends: int | None = None) -> None:
        ended: datetime | None = None if ends is None else from_ms(ends)
        status: Any = "running" if ends is None else "succeeded"
        made = Change(
            id=f"to-{service}",
            kind="deploy",
            started_at=from_ms(at),
            ended_at=ended,
            status=status,
            identity={"service": service},
        )
        with self.database.write() as connection:
            changes.put(connection, made, self.now)

    def asked(self, service: str) -> Any:
        return self.gate.verify(f"to-{service}", LASTS)


@pytest.fixture
def told(database: Database) -> Told:
    return Told(database)


def test_from_running_to_drift_and_calm(told: Told) -> None:
    told.go_on(BEGIN - 10 * MINUTE)
    for service in ("cart", "search"):
        told.change(service, BEGIN - 3 * MINUTE)
    told.go_on(BEGIN - 2 * MINUTE)
    assert [told.asked(service).status for service in ("cart", "search")] == ["running", "running"]
    for service in ("cart", "search"):
        told.change(service, BEGIN - 3 * MINUTE, BEGIN - MINUTE)
    told.go_on(BEGIN)
    watching = told.asked("search")
    assert (watching.status, watching.signals, watching.evaluated_until) == ("watching", {"latency": 1}, from_ms(BEGIN))
    told.go_on(BEGIN + 13 * MINUTE)
    drift = told.asked("search")
    assert drift.status == "drift"
    assert {one.finding.kind for one in drift.findings} >= {"band_breach"}
    assert all(one.reasons and one.finding.identity == {"service": "search"} for one in drift.findings)
    assert told.asked("cart").status == "watching"
    told.go_on(BEGIN + 20 * MINUTE)
    assert told.asked("cart").status == "calm"


def test_of_what_is_long_over_the_answer_comes_at_once(told: Told) -> None:
    for service in ("cart", "search", "billing"):
        told.change(service, BEGIN - 3 * MINUTE, BEGIN - 2 * MINUTE)
    told.go_on(END + HOUR)
    assert [told.asked(service).status for service in ("cart", "search", "billing")] == ["calm", "drift", "unknown"]
    with pytest.raises(UnknownError):
        told.gate.verify("nothing", LASTS)


def test_what_is_not_evaluated_yet_and_what_was_not_watched_is_not_calm(told: Told) -> None:
    told.change("cart", BEGIN - 3 * MINUTE, BEGIN - 2 * MINUTE)
    told.go_on(BEGIN - 5 * MINUTE)
    told.now = from_ms(END)
    assert told.asked("cart").status == "watching"
    told.go_on(END)
    told.change("cart", AT - 3 * HOUR, AT - 3 * HOUR)
    assert (told.asked("cart").status, told.asked("cart").reason.startswith("no series of cart was there")) == (
        "unknown",
        True,
    )
