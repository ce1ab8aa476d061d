"""What people decide to live with, what the ledger makes of it meanwhile, and how it ends; on SQLite and on PostgreSQL."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from driftband.model.attribute import AttributeDiff
from driftband.model.audit import AuditEvent
from driftband.model.change import Change
from driftband.model.finding import Finding
from driftband.model.report import Report
from driftband.store import audit
from driftband.store.changing import put_change
from driftband.store.evidence import StoredEvidence
from driftband.store.tidying import tidy

from .ledger_story import NOON, ROLE, Ledger, deleted, drifted, plan, planned, resource

TAKEN_OVER = plan(resources=(resource(connection_limit=3),))
TWICE = replace(
    drifted(), attributes=(AttributeDiff(path="connection_limit", before=5, after=3), AttributeDiff(path="owner", before="a", after="b"))
)  # fmt: skip


def _evidence(ledger: Ledger) -> StoredEvidence:
    def never(*_: Any) -> Any:
        raise AssertionError("nothing is read here")

    return StoredEvidence(
        database=ledger.database, identities=ledger.identities, read_report=never, read_inventory=never,
        read_change=never, read_audit=never, clock=lambda: ledger.now, owed=never,
    )  # fmt: skip


def _accept(ledger: Ledger, until: datetime | None = None) -> Finding:
    (finding,) = ledger.open()
    return _evidence(ledger).accept(finding.id, "dana", "a trial", until)


def _ignore(ledger: Ledger, **fields: Any) -> str:
    rule, _ = _evidence(ledger).ignore(
        {"address": "*role*", "resource_type": "", "attribute": "", "workspace": "", "reason": "known", "owner": "dana", "expires_at": None, **fields}
    )  # fmt: skip
    return rule.id


def _classes(ledger: Ledger) -> list[tuple[str, str | None]]:
    return [(f.class_, f.ignored_by) for f in ledger.open()]


def test_a_rule_that_ends_gives_back_the_class_that_it_hid(ledger: Ledger) -> None:
    ledger.report(plan(drifted()))
    ledger.report(TAKEN_OVER)
    rule = _ignore(ledger)
    assert _classes(ledger) == [("ignored", rule)]
    assert ledger.report(TAKEN_OVER).run.status == "clean"
    _evidence(ledger).unignore(rule)
    assert _classes(ledger) == [("accepted_undeclared", None)]
    assert ledger.report(TAKEN_OVER).run.status == "drifted"


def test_what_the_state_takes_over_while_it_is_ignored_stays_tracked(ledger: Ledger) -> None:
    ledger.report(plan(drifted()))
    rule = _ignore(ledger)
    for report in (plan(drifted()), TAKEN_OVER, replace(TAKEN_OVER, planned=(planned(),)), replace(plan(), source="stream", resources=None)):  # fmt: skip
        assert (ledger.report(report).run.status, _classes(ledger)) == ("clean", [("ignored", rule)])
    _evidence(ledger).unignore(rule)
    assert _classes(ledger) == [("accepted_undeclared", None)]


def test_what_is_ignored_closes_when_the_code_says_so_too(ledger: Ledger) -> None:
    ledger.report(plan(drifted()))
    _ignore(ledger)
    assert ledger.report(replace(TAKEN_OVER, planned=())).run.closed == 0  # of what alarms
    assert ledger.open() == []
    assert ledger.every()[0].reason == "the code says so too"


def test_what_a_plan_ignores_as_well_stays_ignored_when_the_rule_ends(ledger: Ledger) -> None:
    rule = _ignore(ledger)
    ledger.report(plan(drifted(), planned=()))
    _evidence(ledger).unignore(rule)
    assert _classes(ledger) == [("ignored", "plan")]


def test_a_second_rule_takes_over_from_the_first(ledger: Ledger) -> None:
    ledger.report(plan(drifted()))
    first, second = _ignore(ledger), _ignore(ledger, attribute="connection_*")
    _evidence(ledger).unignore(first)
    assert _classes(ledger) == [("ignored", second)]
    _evidence(ledger).unignore(second)
    assert _classes(ledger) == [("drift", None)]


@pytest.mark.parametrize("way", ["taken back", "expired", "of a run", "no longer accepted"])
def test_who_did_it_is_asked_when_drift_comes_back(ledger: Ledger, way: str) -> None:
    ledger.report(plan())
    end = ledger.now + timedelta(hours=3)
    rule = "" if way == "no longer accepted" else _ignore(ledger, expires_at=end)
    ledger.report(plan(drifted()))
    at = ledger.now - timedelta(minutes=30)
    event = AuditEvent(
        id="e", at=at, actor="milan", action="alter", source="db", read_only=False, resources=("report",)
    )
    if not rule:
        _accept(ledger, end)
    with ledger.database.write() as connection:
        audit.add(connection, [event])  # it came while nobody asked
    assert ledger.open()[0].actor is None
    if way == "taken back":
        _evidence(ledger).unignore(rule)
    elif way == "of a run":
        ledger.now = end
        ledger.report(plan(drifted()))
    else:
        tidy(ledger.database, end, timedelta(days=400))
    (finding,) = ledger.open()
    assert (finding.state, finding.class_, finding.actor) == ("open", "drift", "milan")


def test_a_run_in_which_only_accepted_drift_is_left_is_clean_and_says_so(ledger: Ledger) -> None:
    ledger.report(plan(drifted()))
    _accept(ledger, NOON + timedelta(days=2))
    taken = ledger.report(plan(drifted()))
    assert (taken.run.status, taken.run.accepted, taken.json()["accepted"]) == ("clean", 1, 1)
    assert "accepted: 1" in taken.run.reason
    (finding,) = taken.findings
    assert finding.reason == "accepted by dana until 2026-11-26T12:00:00Z: a trial"
    assert finding.evidence["accepted"]["by"] == "dana"
    other = drifted(address="postgresql_role.other")
    mixed = ledger.report(plan(drifted(), other))
    assert (mixed.run.status, mixed.run.opened, mixed.run.accepted) == ("drifted", 1, 1)
    assert mixed.run.reason == "1 resource differs from what is declared"
    assert ledger.report(plan(drifted(), errored=True, complete=False)).run.status == "partial"
    tidy(ledger.database, NOON + timedelta(days=2), timedelta(days=400))
    assert ledger.report(plan(drifted())).run.status == "drifted"
    assert "accepted" not in ledger.open()[0].evidence


def test_what_the_state_took_over_and_a_person_accepted_is_clean_and_stays_on_record(ledger: Ledger) -> None:
    ledger.report(plan(drifted()))
    ledger.report(TAKEN_OVER)
    _accept(ledger)
    for report in (TAKEN_OVER, replace(TAKEN_OVER, planned=(planned(),))):
        taken = ledger.report(report)
        assert (taken.run.status, taken.run.accepted) == ("clean", 1)
        assert [(f.class_, f.state) for f in ledger.open()] == [("accepted_undeclared", "accepted")]
    assert ledger.report(replace(TAKEN_OVER, planned=())).run.accepted == 0
    assert ledger.open() == []


@pytest.mark.parametrize(
    ("report", "state", "word"),
    [
        (plan(TWICE), "open", "more has drifted than dana accepted: owner"),
        (plan(drifted(after=1)), "accepted", "accepted by dana"),
        (plan(drifted(after="0.0.0.0/0")), "open", "worse"),
        (Report(source="stream", tool="terraform", read=1, drift=(replace(drifted(), attributes=(), known_values=False),)), "accepted", "accepted by dana"),
    ],
    ids=["another attribute", "another value", "worse", "a stream"],
)  # fmt: skip
def test_an_acceptance_is_of_what_was_seen(ledger: Ledger, report: Report, state: str, word: str) -> None:
    ledger.report(plan(drifted()))
    _accept(ledger)
    taken = ledger.report(report)
    assert taken.run.status == ("clean" if state == "accepted" else "drifted")
    assert taken.run.opened == (state == "open")
    (finding,) = ledger.open()
    assert (finding.state, word in finding.reason) == (state, True), finding.reason


def test_an_acceptance_of_a_change_is_none_of_a_deletion(ledger: Ledger) -> None:
    ledger.report(plan(drifted()))
    _accept(ledger)
    assert ledger.report(plan(deleted())).run.status == "drifted"
    assert [(f.kind, f.state) for f in ledger.open()] == [("deleted_outside", "open")]


def test_an_apply_ends_what_was_ignored(ledger: Ledger) -> None:
    ledger.report(plan(drifted()))
    _ignore(ledger)
    at = ledger.now + timedelta(minutes=10)
    touched = Change(
        id="c", kind="terraform_apply", status="succeeded", started_at=at, ended_at=at, workspace="prod/db"
    )
    put_change(ledger.database, touched, frozenset(), ledger.identities, at)
    ledger.report(plan())
    assert ledger.open() == []
    assert ROLE in {f.address for f in ledger.every()}
