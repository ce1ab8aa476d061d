"""What the watcher keeps: its progress, what its detectors remember, and the findings, all in step.

What is watched is a signal, an intent or the service graph; each has a name of its own, called its signal here. Its
instants are done in one transaction: findings, their steps, states and progress. Whoever dies before it has done nothing,
and whoever comes too late writes nothing.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, delete, select, tuple_, update

from driftband.detect.detector import State, States
from driftband.detect.event import Event
from driftband.detect.new_dependency import NewDependency
from driftband.detect.recording import finding_id, subject
from driftband.model.dependency import Dependencies, Edge
from driftband.model.finding import Finding, Transition, step
from driftband.model.intent import Intent
from driftband.model.series import Labels
from driftband.model.signal import Rule, WatchedSignal
from driftband.store import findings
from driftband.store.database import Database
from driftband.store.rows import chunks, insert_new, upsert
from driftband.store.tables import findings as finding_table
from driftband.store.tables_watching import signal_states, watch_progress

Record = Callable[[Rule, Event, Finding | None], tuple[Finding, Transition] | None]

_OF_ALERTS = ("alert_firing", "evidence_missing")
"""Kinds whose signal is the name of somebody's rule, which may be that of a signal."""

_s, _p, _f = signal_states.c, watch_progress.c, finding_table.c


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a signal is. evaluated_until: its last instant that is done. series: how many had a value then.

    judged: of how many of these it was known what to expect.
    """

    signal: str
    rule: str
    evaluated_until: datetime
    series: int = 0
    judged: int = 0


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a signal before its next instants: states by detector, open findings by kind and series."""

    states: Mapping[str, States]
    open: Mapping[tuple[str, Labels], str]


@dataclass(frozen=True, kw_only=True)
class Done:
    """What some instants of a signal brought. after: the states by detector. seen: by when each open finding's series
    last had a value.
    """

    rule: Rule
    was: Progress
    now: Progress
    before: Mapping[str, States]
    after: Mapping[str, States]
    events: Sequence[Event]
    seen: Mapping[str, datetime]


def rule_digest(rule: WatchedSignal | Intent | Dependencies, *more: str | float) -> str:
    """Return what changes when it is another one: its states and findings are then none of the new one.

    more: of a signal, the model and the level of its band.
    """
    content: list[Any]
    match rule:
        case WatchedSignal():
            content = [rule.expr, rule.layer, rule.direction, rule.min_deviation, rule.limit, *more]
        case Intent():
            joined = [sorted(rule.match.items()), sorted(rule.identity)]
            content = [rule.expr, rule.resource_type, rule.attribute, *joined, rule.tolerance, rule.label]
        case Dependencies():
            content = [rule.expr]
    return hashlib.blake2b(orjson.dumps(content), digest_size=16).hexdigest()


def enrol(database: Database, rules: Mapping[str, str], begin: datetime) -> dict[str, Progress]:
    """Return the progress of the signals ``rules`` (digests by name), all of which are on record then.

    New ones begin after ``begin``, or where the others are, if that is later. The findings and states of those that are
    gone or have become others end.
    """
    with database.write() as connection:
        known = {p.signal: p for p in _all_progress(connection)}
        latest = max((p.evaluated_until for p in known.values()), default=begin)
        for name in known.keys() - rules.keys():
            _leave(connection, name, known[name].evaluated_until, "the signal is no longer watched")
            connection.execute(delete(watch_progress).where(_p.signal == name))
        for name, digest in rules.items():
            if name in known and known[name].rule != digest:
                _leave(connection, name, known[name].evaluated_until, "the signal is another one now")
                connection.execute(update(watch_progress).where(_p.signal == name).values(rule=digest))
        fresh = [
            {"signal": name, "rule": rules[name], "evaluated_until": max(begin, latest), "series": 0}
            for name in rules
            if name not in known
        ]
        insert_new(connection, watch_progress, fresh)
        return {p.signal: p for p in _all_progress(connection)}


def progress(database: Database) -> dict[str, Progress]:
    """Return how far the watcher is, by signal."""
    with database.read() as connection:
        return {p.signal: p for p in _all_progress(connection)}


def behind(connection: Connection, when: datetime) -> frozenset[str]:
    """Return the signals that are not evaluated up to ``when`` yet."""
    return frozenset(connection.execute(select(_p.signal).where(_p.evaluated_until < when)).scalars())


def known_of(database: Database, at: Progress) -> Known | None:
    """Return what is known of a signal as of its progress ``at``, None where another watcher has gone on from there."""
    signal = at.signal
    states: dict[str, dict[Labels, State]] = {}
    with database.read() as connection:
        for row in connection.execute(select(signal_states).where(_s.signal == signal)).mappings():
            labels: Labels = tuple((name, value) for name, value in row["labels"])
            states.setdefault(row["detector"], {})[labels] = row["state"]
        held = _open_findings(connection, signal)
        # Asked last: all that was read before is of this progress, or of a later one.
        now = connection.execute(select(watch_progress).where(_p.signal == signal)).mappings().first()
    if now is None or (now["rule"], now["evaluated_until"]) != (at.rule, at.evaluated_until):
        return None
    return Known(states=states, open={subject(f): f.id for f in held})


def advance(database: Database, done: Done, record: Record) -> bool:
    """Write what some instants brought, all or nothing; False where another watcher was here before."""
    signal = done.rule.name
    with database.write() as connection:
        row = connection.execute(select(watch_progress).where(_p.signal == signal).with_for_update()).mappings().first()
        if row is None or (row["rule"], row["evaluated_until"]) != (done.was.rule, done.was.evaluated_until):
            return False
        moved, steps = _recorded(connection, done, record)
        findings.save(connection, moved, steps)
        _see(connection, done.seen)
        _write_states(connection, signal, done.before, done.after)
        values = {"evaluated_until": done.now.evaluated_until, "series": done.now.series, "judged": done.now.judged}
        connection.execute(update(watch_progress).where(_p.signal == signal).values(values))
    return True


def _all_progress(connection: Connection) -> list[Progress]:
    return [Progress(**row) for row in connection.execute(select(watch_progress)).mappings()]


def _open_findings(connection: Connection, signal: str) -> list[Finding]:
    watched = (_f.signal == signal, _f.state.in_(("open", "accepted")), _f.kind.not_in(_OF_ALERTS))
    return findings.matching(connection, *watched)


def _recorded(connection: Connection, done: Done, record: Record) -> tuple[list[Finding], list[Transition]]:
    """Return the findings of the events as they end, and each step."""
    ids = [finding_id(done.rule.name, event.kind, event.labels, event.opened) for event in done.events]
    held = {f.id: f for f in findings.by_ids(connection, dict.fromkeys(ids))}
    moved: dict[str, Finding] = {}
    steps: list[Transition] = []
    for finding, event in zip(ids, done.events, strict=True):
        result = record(done.rule, event, moved.get(finding, held.get(finding)))
        if result is not None:
            moved[finding] = result[0]
            steps.append(result[1])
    return list(moved.values()), steps


def _see(connection: Connection, seen: Mapping[str, datetime]) -> None:
    by_time: dict[datetime, list[str]] = {}
    for finding, at in seen.items():
        by_time.setdefault(at, []).append(finding)
    for at, ids in by_time.items():
        for some in chunks(ids):
            still = (_f.id.in_(some), _f.closed_at.is_(None), _f.last_seen_at < at)
            connection.execute(update(finding_table).where(*still).values(last_seen_at=at))


def _write_states(
    connection: Connection, signal: str, before: Mapping[str, States], after: Mapping[str, States]
) -> None:
    """Write what has changed."""
    gone: list[tuple[str, str]] = []
    fresh = []
    for detector in before.keys() | after.keys():
        old, new = before.get(detector, {}), after.get(detector, {})
        gone += [(detector, _series(labels)) for labels in old if labels not in new]
        fresh += [
            {"signal": signal, "detector": detector, "series": _series(labels), "labels": labels, "state": dict(state)}
            for labels, state in new.items()
            if old.get(labels) != state
        ]
    for some in chunks(gone):
        connection.execute(delete(signal_states).where(_s.signal == signal, tuple_(_s.detector, _s.series).in_(some)))
    for some in chunks(fresh):
        upsert(connection, signal_states, some)


def _series(labels: Labels) -> str:
    return hashlib.blake2b(orjson.dumps(labels), digest_size=16).hexdigest()


def _leave(connection: Connection, signal: str, at: datetime, reason: str) -> None:
    """End all that is open and remembered of a signal."""
    held = _open_findings(connection, signal)
    over = [_ended(f, at, reason) for f in held]
    findings.save(connection, [f for f, _ in over], [t for _, t in over])
    connection.execute(delete(signal_states).where(_s.signal == signal))


def _ended(finding: Finding, at: datetime, reason: str) -> tuple[Finding, Transition]:
    at = max(at, finding.opened_at)
    return step(finding, at, reason, state="closed", closed_at=at)


def edges(database: Database) -> list[Edge]:
    """Return who has called whom of late: what the detector of new dependencies remembers."""
    mine = (_s.signal == Dependencies.name, _s.detector == NewDependency.kind)
    with database.read() as connection:
        found = [dict(labels) for labels in connection.execute(select(_s.labels).where(*mine)).scalars()]
    return sorted((named["client"], named["server"]) for named in found if "client" in named)


def open_of(database: Database, kinds: Iterable[str]) -> list[Finding]:
    """Return the findings of these kinds that are open or accepted."""
    with database.read() as connection:
        return findings.matching(connection, _f.kind.in_(list(kinds)), _f.state.in_(("open", "accepted")))


def put(database: Database, finding: Finding, transition: Transition) -> None:
    """Write a finding about watching itself."""
    with database.write() as connection:
        findings.save(connection, [finding], [transition])
