"""What the watcher writes into the ledger, on SQLite and on PostgreSQL."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from driftband.model.moment import from_ms, to_ms
from driftband.query.errors import QueryError
from driftband.store import watching
from driftband.store.database import Database
from driftband.store.series import intervals

from .watched_world import AT, BEGIN, END, HOUR, MINUTE, RULE, WORSE, World, everything, latency, story, until, watch

LAST = END + 4 * HOUR


def test_a_breach_opens_worsens_and_closes_at_the_right_times(database: Database) -> None:
    one = until(watch(database, World()), BEGIN + 20 * MINUTE)
    (open_,) = [row for row in everything(database)["findings"] if row["kind"] == "band_breach"]
    assert (open_["state"], open_["signal"], open_["layer"], open_["workspace"]) == (
        "open",
        "latency",
        "behavioral",
        "",
    )
    assert open_["identity"] == {"service": "search"}
    assert open_["opened_at"] == from_ms(BEGIN + 5 * MINUTE)
    assert open_["window_from"] == from_ms(BEGIN - MINUTE)
    assert open_["last_seen_at"] == from_ms(BEGIN + 20 * MINUTE)
    evidence = open_["evidence"]
    assert (evidence["query"], evidence["unit"], evidence["link"]) == ("latency", "s", None)
    assert evidence["labels"] == {"service": "search", "pod": "a"}
    assert len(evidence["times"]) == len(evidence["values"]) == len(evidence["upper"]) <= 40
    until(one, LAST)
    steps = story(database, "band_breach")
    states = [state for _, state in steps]
    assert (states[0], states[-1], set(states[1:-1])) == ("open", "closed", {"open"})
    assert from_ms(WORSE) <= steps[1][0] <= from_ms(WORSE + 5 * MINUTE)
    assert from_ms(END + 5 * MINUTE) <= steps[-1][0] <= from_ms(END + 15 * MINUTE)
    (closed,) = [row for row in everything(database)["findings"] if row["kind"] == "band_breach"]
    assert (closed["id"], closed["state"], closed["closed_at"]) == (open_["id"], "closed", steps[-1][0])
    assert closed["last_seen_at"] == closed["closed_at"]


def test_labels_of_the_series_stand_still_while_severity_and_score_move(database: Database) -> None:
    one = watch(database, World())
    seen, scores, severities = set(), set(), set()
    for at in range(BEGIN, END, 4 * MINUTE):
        until(one, at)
        for found in intervals(database, "driftband_drift", at, at, {"signal": "latency"}, 100):
            seen.add(tuple(sorted(found.labels.items())))
            scores.add(found.value)
        severities |= {row["severity"] for row in everything(database)["findings"]}
    (labels,) = [dict(pairs) for pairs in seen]
    assert (labels["layer"], labels["kind"], labels["service"]) == ("behavioral", "band_breach", "search")
    assert (labels["signal"], labels["severity"]) == ("latency", "warning")
    assert len(scores) > 2
    assert len(severities) > 1
    assert intervals(database, "driftband_drift", END, END, {"severity": "warning"}, 100)


def interrupted(database: Database, seed: int) -> Iterator[int]:
    """Evaluate in random pieces by processes that die at random, now and then in the middle of a transaction."""
    chance, world = random.Random(seed), World()

    def dying(*_: Any) -> Any:
        if chance.random() < 0.5:
            raise KeyboardInterrupt
        return original(*_)

    original = watching._write_states
    one = watch(database, world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watching, "_write_states", dying)
        while one.until < LAST:
            try:
                one.go_on(min(one.until + chance.randint(1, 90) * MINUTE, LAST), LAST + 24 * HOUR)
            except KeyboardInterrupt:
                yield one.until
                one = watch(database, world)
            if chance.random() < 0.1:
                one = watch(database, world)


@pytest.mark.parametrize("seed", [1, 2])
def test_dying_at_any_point_leaves_the_same_ledger(database: Database, tmp_path: Any, seed: int) -> None:
    undisturbed = Database(f"sqlite:///{tmp_path}/undisturbed.db")
    until(watch(undisturbed, World()), LAST)
    assert len(list(interrupted(database, seed))) > 3
    expected = everything(undisturbed)
    undisturbed.close()
    assert len(expected["findings"]) >= 1
    assert everything(database) == expected


def test_who_comes_too_late_writes_nothing(database: Database) -> None:
    first, second = (watch(database, World()) for _ in range(2))
    until(first, BEGIN + 30 * MINUTE)
    before = everything(database)
    assert second.go_on(BEGIN + 30 * MINUTE, LAST) == "overtaken"
    assert everything(database) == before


def test_what_is_no_longer_watched_ends(database: Database) -> None:
    until(watch(database, World()), BEGIN + 30 * MINUTE)
    other = watch(database, World(), rule=replace(RULE, expr="latency * 1"))
    assert other.until == BEGIN + 30 * MINUTE
    rows = everything(database)
    assert {row["state"] for row in rows["findings"]} == {"closed"}
    assert {row["closed_at"] for row in rows["findings"]} == {from_ms(BEGIN + 30 * MINUTE)}
    assert rows["signal_states"] == []
    until(other, BEGIN + 35 * MINUTE)
    assert watching.enrol(database, {}, from_ms(AT)) == {}
    rows = everything(database)
    assert {row["state"] for row in rows["findings"]} == {"closed"}
    assert {row["reason"] for row in rows["findings"]} <= {
        "the signal is another one now",
        "the signal is no longer watched",
    }
    assert rows["watch_progress"] == rows["signal_states"] == []


def test_a_new_signal_begins_where_the_others_are(database: Database) -> None:
    until(watch(database, World()), BEGIN)
    known = watching.enrol(database, {"latency": watching.rule_digest(RULE, "seasonal", 0.99), "new": "x"}, from_ms(AT))
    assert {name: to_ms(p.evaluated_until) for name, p in known.items()} == {"latency": BEGIN, "new": BEGIN}


def test_an_accepted_finding_closes_and_stays_accepted_until_then(database: Database) -> None:
    one = until(watch(database, World()), BEGIN + 20 * MINUTE)
    with database.write() as connection:
        connection.exec_driver_sql("update findings set state = 'accepted'")
    until(one, WORSE + 20 * MINUTE)
    assert {row["state"] for row in everything(database)["findings"]} == {"accepted"}
    until(one, LAST)
    assert {row["state"] for row in everything(database)["findings"]} == {"closed"}


def test_late_is_not_gone(database: Database) -> None:
    head = BEGIN - HOUR
    world = World(lambda times: np.where(times > head, np.nan, latency(times)))
    one = until(watch(database, world), head)
    now = head + 3 * MINUTE
    assert one.go_on(head + 2 * MINUTE, now) == "waiting"
    assert one.until == head
    world.values = latency
    assert one.go_on(head + 2 * MINUTE, now) == "done"
    assert one.until == head + 2 * MINUTE
    world.values = lambda times: np.where(times > head + 2 * MINUTE, np.nan, latency(times))
    assert one.go_on(head + 4 * MINUTE, head + 30 * MINUTE) == "done"
    assert (one.until, one.progress.series) == (head + 4 * MINUTE, 0)
    assert one.go_on(head + 5 * MINUTE, head + 5 * MINUTE) == "done"


def test_what_is_too_much_for_the_source_is_asked_for_in_less(database: Database) -> None:
    world, asked = World(), []

    def refuse(start: int, end: int) -> None:
        asked.append((end - start) // MINUTE + 1)
        if end - start > 60 * MINUTE:
            raise QueryError("execution", "query processing would load too many samples into memory")

    world.ask = refuse
    one = watch(database, world)
    while one.until < BEGIN:
        try:
            one.go_on(BEGIN, LAST)
        except QueryError:
            continue
    assert max(asked) > 60
    assert len(asked) < 20
