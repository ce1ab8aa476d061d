"""A lasting departure that a person accepts: the score of the signal forgets it from then on, and never backwards."""

from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy import update

from driftband.detect.acceptance import accept, reopened
from driftband.model.finding import Transition, step
from driftband.model.moment import from_ms
from driftband.model.series import Floats, Instants
from driftband.store import findings
from driftband.store.accepted import accepted_of
from driftband.store.database import Database
from driftband.store.tables import findings as table

from .watched_world import BEGIN, HOUR, MINUTE, SETTINGS, World, everything, latency, until, watch

ACCEPTED = BEGIN + 5 * HOUR


def shifted(times: Instants) -> Floats:
    usual = latency(times - 200 * HOUR)
    return usual + np.stack([np.zeros(len(times)), np.where(times >= BEGIN, 0.6, 0.0)])


def take(database: Database, at: int, *, end: int | None = None) -> list[str]:
    with database.write() as connection:
        known = findings.by_ids(connection, [row["id"] for row in everything(database)["findings"]])
        open_ = [one for one in known if one.state == "open"]
        for one in open_:
            ends = None if end is None else from_ms(end)
            moved, told = accept(one, from_ms(at), "dana", "a bigger cache", ends)
            findings.save(connection, [moved], [told])
            connection.execute(update(table).where(table.c.id == one.id).values(accepted_until=ends))
    return [one.kind for one in open_]


def kinds(database: Database) -> list[tuple[str, str]]:
    return sorted((row["kind"], row["state"]) for row in everything(database)["findings"])


def scores(database: Database, start: int, end: int) -> Any:
    seen = watch(database, World(shifted))._see(np.arange(start, end, MINUTE, dtype=np.int64))
    return seen.score[seen.labels.index((("pod", "a"), ("service", "search")))]


def test_the_score_forgets_it_from_then_on(database: Database) -> None:
    until(watch(database, World(shifted)), ACCEPTED)
    assert "level_shift" in take(database, ACCEPTED)
    before = kinds(database)
    assert np.nanmin(scores(database, ACCEPTED - HOUR, ACCEPTED)) >= 1
    assert np.nanmedian(scores(database, ACCEPTED, ACCEPTED + HOUR)) < 1
    until(watch(database, World(shifted)), ACCEPTED + 10 * HOUR)
    assert [kind for kind, _ in kinds(database)] == [kind for kind, _ in before]
    assert "open" not in {state for _, state in kinds(database)}


def test_it_counts_again_when_the_acceptance_has_ended(database: Database) -> None:
    until(watch(database, World(shifted)), ACCEPTED)
    take(database, ACCEPTED, end=ACCEPTED + HOUR)
    ended = from_ms(ACCEPTED + HOUR)
    with database.write() as connection:
        for one in findings.by_ids(connection, [row["id"] for row in everything(database)["findings"]]):
            if one.state == "accepted":
                told = Transition(finding=one.id, at=ended, state="open", class_="drift", reason="it has ended")
                findings.save(connection, [reopened(one)], [told])
    assert {(a.side, a.start, a.end) for a in accepted_of(database, SETTINGS.accept_after, "latency")} == {
        (1, ACCEPTED, ACCEPTED + HOUR)
    }
    assert np.nanmedian(scores(database, ACCEPTED, ACCEPTED + HOUR)) < 1
    assert np.nanmin(scores(database, ACCEPTED + HOUR, ACCEPTED + 2 * HOUR)) >= 1


def test_it_lasts_no_longer_than_a_departure_does(database: Database) -> None:
    until(watch(database, World(shifted)), ACCEPTED)
    take(database, ACCEPTED)
    day = timedelta(days=1) // timedelta(milliseconds=1)
    assert {(a.start, a.end) for a in accepted_of(database, 2 * day, "latency")} == {(ACCEPTED, ACCEPTED + 2 * day)}
    assert accepted_of(database, 2 * day, "another") == []


def test_it_ends_when_it_was_said_to_though_the_finding_has_closed_before(database: Database) -> None:
    until(watch(database, World(shifted)), ACCEPTED)
    take(database, ACCEPTED, end=ACCEPTED + HOUR)
    with database.write() as connection:
        for one in findings.by_ids(connection, [row["id"] for row in everything(database)["findings"]]):
            closed = from_ms(ACCEPTED + 10 * MINUTE)
            moved, told = step(one, closed, "its band has followed", state="closed", closed_at=closed)
            findings.save(connection, [moved], [told])
    assert {(a.start, a.end) for a in accepted_of(database, SETTINGS.accept_after, "latency")} == {
        (ACCEPTED, ACCEPTED + HOUR)
    }
    assert np.nanmin(scores(database, ACCEPTED + HOUR, ACCEPTED + 2 * HOUR)) >= 1
